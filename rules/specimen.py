"""Made-up traffic that unit tests of alerts are fed.

For our own server it is what the server exports, so that a test runs through the recording rules and
their expressions; for other runtimes it is the recorded series themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from domain.burn import SHORT_WINDOWS, SLOW_WINDOWS
from domain.recorded import WINDOW, recorded_name
from domain.signals import Signal
from rules.model import Series, Subject
from rules.promql import number, series
from rules.recording import compared

STEP = timedelta(minutes=1)  # between two samples of a test
OWN_RUNTIME = "trimtab-serving"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Steady traffic: shares that fail and that are slow, which takes between one and three times the objective."""

    requests_per_minute: float = 0.0
    failed: float = 0.0
    slow: float = 0.0
    ready: int = 1

    def at(self, requests_per_minute: float) -> Flow:
        """The same mix of requests, so many of them."""
        return replace(self, requests_per_minute=requests_per_minute)


def constant(name: str, value: float, length: timedelta) -> Series:
    """One gauge that keeps its value for `length`."""
    return Series(series=name, values=f"{number(value)}x{length // STEP}")


def counter(name: str, per_minute: float, length: timedelta) -> Series:
    """One counter that grows evenly for `length`."""
    return Series(series=name, values=f"0+{number(per_minute)}x{length // STEP}")


def traffic(subject: Subject, flow: Flow, length: timedelta) -> tuple[Series, ...]:
    """`flow` for `length`, as the workload's runtime would show it."""
    if exports_metrics(subject):
        return _exported(subject, flow, length)
    return _recorded(subject, flow, length)


def exports_metrics(subject: Subject) -> bool:
    """Whether its traffic is made of the runtime's own metrics, so that tests need the recording rules."""
    return subject.profile.name == OWN_RUNTIME


def latency_s(bound_s: float, quantile: float, flow: Flow) -> float:
    """Seconds at `quantile` that `flow` shows: linear inside each of two buckets, as Prometheus reads them."""
    if quantile <= 1 - flow.slow:
        return bound_s * quantile / (1 - flow.slow)
    return bound_s * (1 + 2 * (quantile - 1 + flow.slow) / flow.slow)


def _exported(subject: Subject, flow: Flow, length: timedelta) -> tuple[Series, ...]:
    where = {**subject.identity, "job": "serving", "instance": "10.0.0.1:8080"}
    requests = {"endpoint": "/predict", **where}
    failed = flow.requests_per_minute * flow.failed
    objective_s = subject.workload.slo.latency.total_seconds()
    answered = [
        counter(series("ai_requests_total", {**requests, "status": "200"}), flow.requests_per_minute - failed, length)
    ]
    if failed:
        answered.append(counter(series("ai_requests_total", {**requests, "status": "500"}), failed, length))
    buckets = [
        counter(series("ai_request_duration_seconds_bucket", {**requests, "le": bound}), per_minute, length)
        for bound, per_minute in (
            (number(objective_s), flow.requests_per_minute * (1 - flow.slow)),
            (number(3 * objective_s), flow.requests_per_minute),
            ("+Inf", flow.requests_per_minute),
        )
    ]
    return (*answered, *buckets, constant(series("ai_ready", where), flow.ready, length))


def _recorded(subject: Subject, flow: Flow, length: timedelta) -> tuple[Series, ...]:
    profile = subject.profile
    facts: dict[str | None, float] = {recorded_name(profile, Signal.READY_REPLICAS): flow.ready}
    for window in (WINDOW, *SHORT_WINDOWS, *SLOW_WINDOWS):
        facts[recorded_name(profile, Signal.REQUEST_RATE, window=window)] = flow.requests_per_minute / 60
        facts[recorded_name(profile, Signal.ERROR_RATIO, window=window)] = flow.failed
    for signal, bound in subject.workload.slo.latency_bounds.items():
        for window, quantile in compared(subject.workload.slo.latency_quantile):
            name = recorded_name(profile, signal, window=window, quantile=quantile)
            facts[name] = latency_s(bound.total_seconds(), quantile, flow)
    return tuple(constant(series(name, subject.identity), value, length) for name, value in facts.items() if name)
