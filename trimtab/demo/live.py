"""Keeps the recorded load going in real time: real requests for one replica, counters for the rest.

The last hours of each trace are held back from the history and replayed here as time passes, so
that live samples join what Prometheus already holds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from domain.load import LoadHistory
from trimtab.demo.exposition import Served
from trimtab.demo.runtimes import AI_EDGES_S, FIRST_TOKEN_EDGES_S, FIRST_TOKEN_SHARE, VLLM_EDGES_S

TICK_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ahead:
    """The part of a trace still to come, without gaps: arrivals counted from `begins_s` (Unix time) on."""

    begins_s: float
    load: LoadHistory

    def rate_rps(self, now_s: float) -> float:
        """Requests/s of the step that `now_s` lies in; 0 after the trace's end."""
        index = int(max(0.0, now_s - self.begins_s) / self.load.step_s)
        return float(self.load.values[index]) if index < len(self.load) else 0.0

    def arrived(self, now_s: float) -> float:
        """Requests that arrived between `begins_s` and `now_s`; after the trace's end no more come."""
        passed = np.clip((now_s - self.begins_s) / self.load.step_s, 0, len(self.load))
        whole = int(passed)
        counts = self.load.values * self.load.step_s
        part = (passed - whole) * counts[whole] if whole < len(counts) else 0.0
        return float(counts[:whole].sum() + part)


@dataclass(slots=True, kw_only=True)
class Replayed:
    """Replicas that are not really there: their counters grow as the trace says."""

    labels: Mapping[str, str]
    served: Served
    share: float
    ahead: Ahead
    prompt: Ahead | None = None
    generated: Ahead | None = None
    counted: dict[str, int] = field(init=False, default_factory=dict)

    def due(self, now_s: float) -> int:
        """How many requests arrived since the last call."""
        return self._new("requests", self.ahead, now_s)

    def prompt_tokens_due(self, now_s: float) -> int:
        """How many tokens of prompts arrived since the last call; 0 where the trace has none."""
        return self._new("prompt", self.prompt, now_s)

    def tokens_due(self, now_s: float) -> int:
        """How many tokens were generated since the last call; 0 where the trace has none."""
        return self._new("generated", self.generated, now_s)

    def _new(self, kind: str, ahead: Ahead | None, now_s: float) -> int:
        total = 0 if ahead is None else int(ahead.arrived(now_s) * self.share)
        new = total - self.counted.get(kind, 0)
        self.counted[kind] = total
        return new


class ServingReplicas:
    """Counters of further replicas of our own server."""

    def __init__(self, registry: CollectorRegistry) -> None:
        names = ("service", "endpoint", "model")
        self.requests = Counter("ai_requests", "Requests by status.", (*names, "status"), registry=registry)
        self.duration = Histogram(
            "ai_request_duration_seconds", "Latency.", names, buckets=AI_EDGES_S, registry=registry
        )
        self.ready = Gauge("ai_ready", "Replicas that are ready.", ("service", "model"), registry=registry)

    def tick(self, replayed: Replayed, now_s: float) -> None:
        """Count what arrived since the last tick."""
        labels = {**replayed.labels, "endpoint": "/predict"}
        new = replayed.due(now_s)
        self.requests.labels(**labels, status="200").inc(new)
        self.requests.labels(**labels, status="500").inc(0)
        for _ in range(new):
            self.duration.labels(**labels).observe(replayed.served.service_s)
        self.ready.labels(**replayed.labels).set(replayed.served.replicas)


class VllmReplicas:
    """Counters of vLLM engines."""

    def __init__(self, registry: CollectorRegistry) -> None:
        names = ("model_name", "engine")
        self.finished = Counter(
            "vllm:request_success", "Finished requests.", (*names, "finished_reason"), registry=registry
        )
        self.duration = Histogram(
            "vllm:e2e_request_latency_seconds", "Latency.", names, buckets=VLLM_EDGES_S, registry=registry
        )
        self.first_token = Histogram(
            "vllm:time_to_first_token_seconds",
            "Latency up to the first token.",
            names,
            buckets=FIRST_TOKEN_EDGES_S,
            registry=registry,
        )
        self.prompt_tokens = Counter("vllm:prompt_tokens", "Tokens taken in.", names, registry=registry)
        self.tokens = Counter("vllm:generation_tokens", "Tokens generated.", names, registry=registry)
        each = (*names, "instance")
        self.running = Gauge("vllm:num_requests_running", "Requests being worked on.", each, registry=registry)
        self.waiting = Gauge("vllm:num_requests_waiting", "Requests waiting.", each, registry=registry)

    def tick(self, replayed: Replayed, now_s: float) -> None:
        """Count what finished since the last tick."""
        labels = {**replayed.labels, "engine": "0"}
        new = replayed.due(now_s)
        busy = round(replayed.ahead.rate_rps(now_s) * replayed.served.service_s / replayed.served.replicas, 3)
        for reason, count in (("stop", new), ("abort", 0), ("error", 0)):
            self.finished.labels(**labels, finished_reason=reason).inc(count)
        for _ in range(new):
            self.duration.labels(**labels).observe(replayed.served.service_s)
            self.first_token.labels(**labels).observe(FIRST_TOKEN_SHARE * replayed.served.service_s)
        self.prompt_tokens.labels(**labels).inc(replayed.prompt_tokens_due(now_s))
        self.tokens.labels(**labels).inc(replayed.tokens_due(now_s))
        for index in range(replayed.served.replicas):
            instance = f"engine-{index}"
            self.running.labels(**labels, instance=instance).set(busy)
            self.waiting.labels(**labels, instance=instance).set(0)


LIVE: Mapping[str, Callable[[CollectorRegistry], ServingReplicas | VllmReplicas]] = {
    "trimtab-serving": ServingReplicas,
    "vllm": VllmReplicas,
}


def keep_going(ticks: Sequence[Callable[[float], None]], stop: threading.Event) -> None:
    """Call every tick once a second until `stop` is set."""
    while not stop.wait(TICK_S):
        for tick in ticks:
            tick(time.time())
