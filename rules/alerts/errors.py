"""Failed requests: as a ratio now, and as a pace at which the error budget is spent."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from domain.signals import Signal
from rules.burn import FAST, SLOW, BurnWindow
from rules.model import Alert, Case, Category, Subject
from rules.promql import WINDOW, ask, duration, number
from rules.specimen import Flow, traffic

VALUE = "{{ $value | humanizePercentage }}"
AT = timedelta(minutes=20)


def error_ratio_high(subject: Subject) -> Alert | None:
    """A share of requests fails that nobody should have to look twice at."""
    if not _countable(subject):
        return None
    bound = subject.options.error_ratio
    ratio = ask(subject.profile, Signal.ERROR_RATIO, subject.identity)
    return Alert(
        name="TrimtabErrorRatioHigh",
        category=Category.ERRORS,
        severity="critical",
        expr=f"{ratio} > {number(bound)}\nand\n{_enough(subject, WINDOW, subject.options.min_requests)}",
        wait=timedelta(minutes=2),
        tail=subject.options.firing_tail,
        summary="Requests are failing.",
        description=f"<workload>: <value> of requests over 5 minutes failed; the bound is {number(100 * bound)}%.",
        value_template=VALUE,
        labels=subject.identity,
        cases=_cases(
            subject, AT, failed=min(1.0, 2 * bound), fine=bound / 2, floor=subject.options.min_requests, longest=WINDOW
        ),
    )


def error_budget_burn_fast(subject: Subject) -> Alert | None:
    """At this pace the month's error budget is gone within days: somebody has to act now."""
    return _burn(subject, "Fast", FAST, severity="critical", wait=timedelta(minutes=2), at=timedelta(minutes=20))


def error_budget_burn_slow(subject: Subject) -> Alert | None:
    """At this pace the month's error budget does not last: somebody has to act this week."""
    return _burn(subject, "Slow", SLOW, severity="warning", wait=timedelta(hours=1), at=timedelta(minutes=80))


def _burn(
    subject: Subject,
    pace: str,
    table: tuple[BurnWindow, ...],
    *,
    severity: Literal["critical", "warning"],
    wait: timedelta,
    at: timedelta,
) -> Alert | None:
    slo = subject.workload.slo
    windows = [window for window in table if window.threshold(slo) < 1.0]  # a ratio never exceeds 1
    if not (_countable(subject) and windows):
        return None
    first, floor = windows[0], windows[0].floor(slo, subject.options.min_requests)
    return Alert(
        name=f"TrimtabErrorBudgetBurn{pace}",
        category=Category.ERRORS,
        severity=severity,
        expr="\nor\n".join(_row(subject, window) for window in windows),
        wait=wait,
        tail=subject.options.firing_tail,
        summary="The error budget is being spent too fast.",
        description=(
            f"<workload>: <value> of requests failed over {' or '.join(duration(window.long) for window in windows)}; "
            f"{number(100 * slo.budget)}% may fail, and at this pace the budget of 30 days will not last."
        ),
        value_template=VALUE,
        labels=subject.identity,
        cases=_cases(
            subject,
            at,
            failed=_half_way_to_one(first.threshold(slo)),
            fine=slo.budget / 2,
            floor=floor,
            longest=windows[-1].long,
        ),
    )


def _row(subject: Subject, window: BurnWindow) -> str:
    slo, threshold = subject.workload.slo, number(window.threshold(subject.workload.slo))
    long, short = (
        ask(subject.profile, Signal.ERROR_RATIO, subject.identity, window=length)
        for length in (window.long, window.short)
    )
    enough = _enough(subject, window.long, window.floor(slo, subject.options.min_requests))
    return f"(\n  {long} > {threshold}\n  and\n  {short} > {threshold}\n  and\n  {enough}\n)"


def _enough(subject: Subject, window: timedelta, floor: int) -> str:
    rate = ask(subject.profile, Signal.REQUEST_RATE, subject.identity, window=window)
    return f"{rate} * {int(window.total_seconds())} >= {floor}"


def _countable(subject: Subject) -> bool:
    return subject.asks(Signal.ERROR_RATIO) and subject.asks(Signal.REQUEST_RATE)


def _half_way_to_one(threshold: float) -> float:
    return round((threshold + 1) / 2, 2)


def _cases(
    subject: Subject, at: timedelta, *, failed: float, fine: float, floor: int, longest: timedelta
) -> tuple[Case, ...]:
    idle = 0.5 * floor / (longest / timedelta(minutes=1))  # half the floor, even in the longest window
    fed = (
        ("fires when requests fail", Flow(requests_per_minute=10.0 * floor, failed=failed), f"{100 * failed:.4g}%"),
        ("is quiet when few fail", Flow(requests_per_minute=10.0 * floor, failed=fine), None),
        ("is quiet when none ever failed", Flow(requests_per_minute=10.0 * floor), None),
        ("is quiet on low traffic", Flow(requests_per_minute=idle, failed=failed), None),
    )
    return tuple(Case(name=name, series=traffic(subject, flow, at), at=at, value=value) for name, flow, value in fed)
