"""What each serving runtime would have exported for a recorded load, as OpenMetrics text.

One function a runtime, tabled at the foot. Metric and label names are those of the runtimes; the
demonstration's tests hold them against the profiles that read them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from trimtab.demo.exposition import Floats, Scrapes, Served, histogram, series

AI_EDGES_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
VLLM_EDGES_S = (0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 120.0)
FIRST_TOKEN_EDGES_S = (0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0)
FIRST_TOKEN_SHARE = 0.05  # of the service time, before the first token: modelled, as all latency here


PROMPT_WEIGHT = 0.4  # what a prompt token costs a modelled engine against one that it generates


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenScrapes:
    """Tokens taken in and generated, as seen by the same scrapes."""

    prompt: Scrapes
    generated: Scrapes

    def work(self, requests: Scrapes) -> Scrapes:
        """The scrapes of `requests` with their rate in requests of the mean number of weighted tokens."""
        weighted = self.generated.rate_rps + PROMPT_WEIGHT * self.prompt.rate_rps
        return replace(requests, rate_rps=weighted * (requests.rate_rps.sum() / weighted.sum()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One workload's past: the labels of its series, what arrived, how it was served, and its tokens."""

    labels: Mapping[str, str]
    seen: Scrapes
    served: Served
    tokens: TokenScrapes | None = None


Family = tuple[str, str, Iterator[str]]
"""Metric family name, OpenMetrics type, sample lines."""


def _constant(seen: Scrapes, value: float) -> Floats:
    return np.full(len(seen.times_s), value)


def trimtab_serving(past: Recorded) -> Iterator[Family]:
    """The `ai_*` metrics of our own server; one series stands for all replicas of that time."""
    endpoint = {**past.labels, "endpoint": "/predict"}
    seen = past.seen

    def requests() -> Iterator[str]:
        yield from series("ai_requests_total", {**endpoint, "status": "200"}, seen.times_s, seen.arrived)
        yield from series("ai_requests_total", {**endpoint, "status": "500"}, seen.times_s, _constant(seen, 0.0))

    yield "ai_requests", "counter", requests()
    yield (
        "ai_request_duration_seconds",
        "histogram",
        histogram("ai_request_duration_seconds", endpoint, seen, past.served, AI_EDGES_S),
    )
    replicas = _constant(seen, float(past.served.replicas))
    yield "ai_ready", "gauge", series("ai_ready", past.labels, seen.times_s, replicas)


def vllm(past: Recorded) -> Iterator[Family]:
    """Counters of finished requests of vLLM, its latency histogram and queue gauges."""
    labels = {**past.labels, "engine": "0"}
    seen, served = past.seen, past.served
    if past.tokens is not None:
        seen = past.tokens.work(seen)
    rho = np.clip(seen.rate_rps / (served.replicas * served.capacity_rps), 0.0, 0.98)

    def finished() -> Iterator[str]:
        for reason in ("stop", "abort", "error"):
            count = seen.arrived if reason == "stop" else _constant(seen, 0.0)
            yield from series("vllm:request_success_total", {**labels, "finished_reason": reason}, seen.times_s, count)

    yield "vllm:request_success", "counter", finished()
    yield (
        "vllm:e2e_request_latency_seconds",
        "histogram",
        histogram("vllm:e2e_request_latency_seconds", labels, seen, served, VLLM_EDGES_S),
    )
    yield (
        "vllm:time_to_first_token_seconds",
        "histogram",
        histogram(
            "vllm:time_to_first_token_seconds", labels, seen, served, FIRST_TOKEN_EDGES_S, share=FIRST_TOKEN_SHARE
        ),
    )
    if past.tokens is not None:
        for name, counted in (("prompt", past.tokens.prompt), ("generation", past.tokens.generated)):
            lines = series(f"vllm:{name}_tokens_total", labels, counted.times_s, counted.arrived)
            yield f"vllm:{name}_tokens", "counter", lines
    yield (
        "vllm:num_requests_running",
        "gauge",
        _per_engine("vllm:num_requests_running", past, seen.rate_rps * served.service_s),
    )
    yield (
        "vllm:num_requests_waiting",
        "gauge",
        _per_engine("vllm:num_requests_waiting", past, np.floor(rho * rho / (1.0 - rho))),
    )


def _per_engine(name: str, past: Recorded, total: Floats) -> Iterator[str]:
    """One series an engine process, as replicas of vLLM are counted by their instances."""
    for index in range(past.served.replicas):
        labels = {**past.labels, "engine": "0", "instance": f"engine-{index}"}
        yield from series(name, labels, past.seen.times_s, np.round(total / past.served.replicas, 3))


RUNTIMES: Mapping[str, Callable[[Recorded], Iterator[Family]]] = {"trimtab-serving": trimtab_serving, "vllm": vllm}


def openmetrics(pasts: Sequence[tuple[str, Recorded]]) -> Iterator[str]:
    """The whole text, line by line: families grouped, as OpenMetrics wants, over all workloads."""
    families: dict[str, tuple[str, list[Iterator[str]]]] = {}
    for runtime, past in pasts:
        for name, kind, lines in RUNTIMES[runtime](past):
            families.setdefault(name, (kind, []))[1].append(lines)
    for name, (kind, parts) in families.items():
        yield f"# TYPE {name} {kind}"
        for lines in parts:
            yield from lines
    yield "# EOF"
