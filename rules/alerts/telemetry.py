"""Silence: a workload that nobody can see is neither healthy nor idle."""

from __future__ import annotations

from datetime import timedelta

from domain.recorded import recorded_name
from domain.signals import Signal
from rules.model import Alert, Case, Category, Subject
from rules.specimen import Flow, traffic

WAIT = timedelta(minutes=10)
AT = timedelta(minutes=30)


def telemetry_missing(subject: Subject) -> Alert | None:
    """The workload's series are gone; not asked of one that may rightly be at zero."""
    signal = Signal.READY_REPLICAS if subject.asks(Signal.READY_REPLICAS) else Signal.REQUEST_RATE
    if subject.may_have_no_replica or not subject.asks(signal):
        return None
    recorded = recorded_name(subject.profile, signal) is not None
    asked = subject.ask.now(signal)
    return Alert(
        name="TrimtabTelemetryMissing",
        category=Category.TELEMETRY,
        severity="critical",
        expr=f"absent({asked}) == 1",
        known=seen_before(asked),
        wait=WAIT,
        tail=timedelta(0),
        summary="A workload shows no telemetry.",
        description="<workload>: Prometheus has no <value>; its load, health and cost are unknown, not zero.",
        value_template=f"{signal.value.replace('_', ' ')}",
        labels=subject.identity if recorded else {},  # absent() keeps the labels of a plain selector only
        cases=_cases(subject, f"{signal.value.replace('_', ' ')}"),
        steadfast=True,
    )


def seen_before(series: str) -> str:
    """PromQL with a sample where the absence of `series` can be judged.

    That is where Prometheus scraped anything at all, and `series` was there within the two weeks before: what has
    not begun is not missing, and where nothing was scraped nobody can tell.
    """
    return f"(count(up) or count({series})) and on () count(last_over_time({series}[14d:1h]))"


def _cases(subject: Subject, what: str) -> tuple[Case, ...]:
    idle = Flow(requests_per_minute=0.01)
    return (
        Case(name="fires when the series are absent", series=(), at=AT, value=what),
        Case(name="fires when the series end", series=traffic(subject, idle, AT / 5), at=AT, value=what),
        Case(name="is quiet on low traffic", series=traffic(subject, idle, AT), at=AT, value=None),
    )
