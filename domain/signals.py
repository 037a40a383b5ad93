"""What can be asked of a serving runtime, and how: a profile is data, its query one function.

What is optimised, drawn and alerted on is the same expression because all three ask here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Signal(StrEnum):
    """A fact about a workload over time; the unit is part of the name's meaning."""

    REQUEST_RATE = "request_rate"  # requests/s arriving
    ERROR_RATIO = "error_ratio"  # failed / all, 0..1
    LATENCY = "latency"  # seconds at a quantile
    SLOW_RATIO = "slow_ratio"  # answered over the latency SLO / all, 0..1; only where the histogram has a bucket there
    TIME_TO_FIRST_TOKEN = "time_to_first_token"  # noqa: S105  seconds at a quantile: a signal, no secret
    INTER_TOKEN_LATENCY = "inter_token_latency"  # noqa: S105  seconds at a quantile: a signal, no secret
    SERVICE_TIME = "service_time"  # mean seconds from arrival to answer
    IN_FLIGHT = "in_flight"  # requests being worked on
    QUEUE = "queue"  # requests waiting
    TOKEN_RATE = "token_rate"  # noqa: S105  tokens/s generated: a signal, no secret
    PROMPT_TOKEN_RATE = "prompt_token_rate"  # noqa: S105  tokens/s of prompts taken in
    READY_REPLICAS = "ready_replicas"
    WANTED_REPLICAS = "wanted_replicas"
    STARTUP_SECONDS = "startup_seconds"  # seconds from start to ready
    CPU_CORES = "cpu_cores"  # cores used by one replica (mean)
    CPU_CORES_PEAK = "cpu_cores_peak"  # cores used by the busiest replica
    MEMORY_BYTES = "memory_bytes"  # bytes held by one replica (max)
    OUT_OF_MEMORY = "out_of_memory"  # replicas whose last end was for want of memory
    ACCELERATOR_BUSY = "accelerator_busy"  # 0..1, the busiest accelerator
    ACCELERATOR_MEMORY_BYTES = "accelerator_memory_bytes"  # bytes held on one accelerator (max)
    ACCURACY = "accuracy"  # 0..1, from the quality exporter


def quote(value: str) -> str:
    """A label value as PromQL writes it: quotes, backslashes and newlines escaped."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def selector(labels: Mapping[str, str]) -> str:
    """Label matchers without braces, sorted, for example `model="a",service="b"`."""
    return ",".join(f"{name}={quote(value)}" for name, value in sorted(labels.items()))


def bucket_ends(seconds: float) -> str:
    """A pattern of how the label `le` may write that many seconds: clients write whole ones as 1 or as 1.0."""
    written = [f"{seconds:g}"] if seconds % 1 else [f"{seconds:.0f}", f"{seconds:.1f}"]
    return "|".join(text.replace(".", "[.]") for text in written)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeProfile:
    """How one serving runtime is asked for each signal.

    `identity` names the labels that tell workloads apart. `expressions` hold PromQL with the marks
    `$selector` (matchers, no braces), `$by` (the identity labels), `$window` (a range such as `5m`)
    `$quantile` and `$le` (a pattern of the bucket that ends at the latency SLO); `recorded` names the series that our recording rules keep for a signal (by the
    identity labels), much cheaper over weeks of history. A signal that a runtime cannot answer is
    absent. `fingerprint` are metric names of which one is enough to know the runtime. `buckets` hold, for
    signals that are read at a quantile, the rates by identity and `le` that the quantile is read from.
    `version` names a metric that is there while a model is served, and its label that tells one version from another.
    """

    name: str
    identity: tuple[str, ...]
    fingerprint: tuple[str, ...]
    expressions: Mapping[Signal, str]
    recorded: Mapping[Signal, str]
    buckets: Mapping[Signal, str] = field(default_factory=dict)
    version: tuple[str, str] | None = None

    def query(
        self,
        signal: Signal,
        labels: Mapping[str, str],
        /,
        *,
        window: str = "5m",
        quantile: float = 0.95,
        latency_s: float = 0.5,
        recorded: bool = False,
    ) -> str | None:
        """PromQL for `signal` of the workload that `labels` select; None if this runtime has none."""
        matchers = selector(labels)
        if recorded:
            name = self.recorded.get(signal)
            return None if name is None else f"{name}{{{matchers}}}"
        template = self.expressions.get(signal)
        if template is None:
            return None
        return self._filled(
            template.replace("$quantile", f"{quantile:g}").replace("$le", bucket_ends(latency_s)), matchers, window
        )

    def bucket_rates(self, signal: Signal, labels: Mapping[str, str], /, *, window: str = "5m") -> str | None:
        """PromQL for the bucket rates that quantiles of `signal` are read from; None if the profile names none."""
        template = self.buckets.get(signal)
        return None if template is None else self._filled(template, selector(labels), window)

    def _filled(self, template: str, matchers: str, window: str) -> str:
        return (
            template.replace("$window", window).replace("$by", ", ".join(self.identity)).replace("$selector", matchers)
        )
