"""Failed requests: as a ratio now, and as a pace at which the error budget is spent."""

from __future__ import annotations

from datetime import timedelta

from domain.recorded import WINDOW
from domain.signals import Signal
from rules.alerts.burning import PERCENT, QUICKLY, SLOWLY, burn, failing
from rules.model import Alert, Case, Category, Subject
from rules.promql import number
from rules.specimen import Flow, traffic

AT = timedelta(minutes=20)


def error_ratio_high(subject: Subject) -> Alert | None:
    """A share of requests fails that nobody should have to look twice at."""
    if failing(subject) is None:
        return None
    bound, floor = subject.options.error_ratio, subject.options.min_requests
    ratio, rate = subject.ask.now(Signal.ERROR_RATIO), subject.ask.now(Signal.REQUEST_RATE)
    return Alert(
        name="TrimtabErrorRatioHigh",
        category=Category.ERRORS,
        severity="critical",
        expr=f"{ratio} > {number(bound)}\nand\n{rate} * {int(WINDOW.total_seconds())} >= {floor}",
        known=ratio,
        wait=timedelta(minutes=2),
        tail=subject.options.firing_tail,
        summary="Requests are failing.",
        description=f"<workload>: <value> of requests over 5 minutes failed; the bound is {number(100 * bound)}%.",
        value_template=PERCENT,
        labels=subject.identity,
        cases=_cases(subject),
    )


def error_budget_burn_fast(subject: Subject) -> Alert | None:
    """At this pace the month's error budget is gone within days: somebody has to act now."""
    return burn(subject, failing(subject), QUICKLY)


def error_budget_burn_slow(subject: Subject) -> Alert | None:
    """At this pace the month's error budget does not last: somebody has to act this week."""
    return burn(subject, failing(subject), SLOWLY)


def _cases(subject: Subject) -> tuple[Case, ...]:
    bound, floor = subject.options.error_ratio, subject.options.min_requests
    bad = min(1.0, 2 * bound)
    idle = 0.5 * floor / (WINDOW / timedelta(minutes=1))
    fed = (
        ("fires when requests fail", Flow(failed=bad).at(10.0 * floor), f"{100 * bad:.4g}%"),
        ("is quiet when few fail", Flow(failed=bound / 2).at(10.0 * floor), None),
        ("is quiet when none ever failed", Flow().at(10.0 * floor), None),
        ("is quiet on low traffic", Flow(failed=bad).at(idle), None),
    )
    return tuple(Case(name=name, series=traffic(subject, flow, AT), at=AT, value=value) for name, flow, value in fed)
