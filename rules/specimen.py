"""Made-up traffic that unit tests of alerts are fed.

For our own server it is what the server exports, so that a test runs through the recording rules and
their expressions; for other runtimes it is the recorded series themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from domain.signals import Signal
from rules.burn import SHORT_WINDOWS, SLOW_WINDOWS
from rules.model import Series, Subject
from rules.promql import QUANTILE, WINDOW, number, recorded_name, series

STEP = timedelta(minutes=1)  # between two samples of a test
OWN_RUNTIME = "trimtab-serving"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Steady traffic; `slow` puts every request between one and three times the latency objective."""

    requests_per_minute: float
    failed: float = 0.0
    slow: bool = False
    ready: int = 1


def constant(name: str, value: float, length: timedelta) -> Series:
    """One gauge that keeps its value for `length`."""
    return Series(series=name, values=f"{number(value)}x{length // STEP}")


def counter(name: str, per_minute: float, length: timedelta) -> Series:
    """One counter that grows evenly for `length`."""
    return Series(series=name, values=f"0+{number(per_minute)}x{length // STEP}")


def traffic(subject: Subject, flow: Flow, length: timedelta) -> tuple[Series, ...]:
    """`flow` for `length`, as the workload's runtime would show it."""
    if subject.profile.name == OWN_RUNTIME:
        return _exported(subject, flow, length)
    return _recorded(subject, flow, length)


def slow_latency_s(subject: Subject) -> float:
    """The latency quantile that `Flow(slow=True)` shows: linear inside one bucket, as Prometheus reads it."""
    slo = subject.workload.slo
    return slo.latency.total_seconds() * (1 + 2 * slo.latency_quantile)


def _exported(subject: Subject, flow: Flow, length: timedelta) -> tuple[Series, ...]:
    where = {**subject.identity, "job": "serving", "instance": "10.0.0.1:8080"}
    requests = {"endpoint": "/predict", **where}
    failed = flow.requests_per_minute * flow.failed
    objective_s = subject.workload.slo.latency.total_seconds()
    within = 0.0 if flow.slow else flow.requests_per_minute
    answered = [
        counter(series("ai_requests_total", {**requests, "status": "200"}), flow.requests_per_minute - failed, length)
    ]
    if failed:
        answered.append(counter(series("ai_requests_total", {**requests, "status": "500"}), failed, length))
    buckets = [
        counter(series("ai_request_duration_seconds_bucket", {**requests, "le": bound}), per_minute, length)
        for bound, per_minute in (
            (number(objective_s), within),
            (number(3 * objective_s), flow.requests_per_minute),
            ("+Inf", flow.requests_per_minute),
        )
    ]
    return (*answered, *buckets, constant(series("ai_ready", where), flow.ready, length))


def _recorded(subject: Subject, flow: Flow, length: timedelta) -> tuple[Series, ...]:
    profile, slo = subject.profile, subject.workload.slo
    latency_s = slow_latency_s(subject) if flow.slow else QUANTILE * slo.latency.total_seconds()
    facts = [
        (recorded_name(profile, Signal.LATENCY, quantile=slo.latency_quantile), latency_s),
        (recorded_name(profile, Signal.READY_REPLICAS), flow.ready),
    ]
    for window in (WINDOW, *SHORT_WINDOWS, *SLOW_WINDOWS):
        facts += [
            (recorded_name(profile, Signal.REQUEST_RATE, window=window), flow.requests_per_minute / 60),
            (recorded_name(profile, Signal.ERROR_RATIO, window=window), flow.failed),
        ]
    return tuple(constant(series(name, subject.identity), value, length) for name, value in facts if name is not None)
