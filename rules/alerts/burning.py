"""Error budgets: at most a share of the requests may be bad, and the pace at which that share is spent is watched.

One shape for every promise, whatever it counts as bad: failed requests, slow ones, late first tokens, slow tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from domain.burn import FAST, SLOW, BurnWindow, within_reach
from domain.recorded import WINDOW, duration
from domain.signals import Signal
from domain.workload import Slo
from rules.asking import Reading
from rules.model import Alert, Case, Category, Subject
from rules.promql import number
from rules.specimen import Flow, latency_s, traffic

PERCENT = "{{ $value | humanizePercentage }}"
SECONDS = '{{ printf "%.3g" $value }}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """A half of the table of burn rates, and how long it has to hold; `at` is when its unit tests look."""

    name: Literal["Fast", "Slow"]
    severity: Literal["critical", "warning"]
    table: tuple[BurnWindow, ...]
    wait: timedelta
    at: timedelta
    slow: bool = False


QUICKLY = Pace(name="Fast", severity="critical", table=FAST, wait=timedelta(minutes=2), at=timedelta(minutes=20))
SLOWLY = Pace(name="Slow", severity="warning", table=SLOW, wait=timedelta(hours=1), at=timedelta(minutes=80), slow=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """A share of the requests, the `budget`, may be bad.

    `known` has a sample where a row of the table (or else the last five minutes) can be judged. `exceeded` is PromQL
    that has a sample while more than a share of a window is bad; its value `value_template` prints. `fires` is the bad
    traffic of the unit tests and what is then printed, for the first row of the table; `few` is bad within bounds.
    """

    alert: str
    category: Category
    budget: float
    summary: str
    known: Callable[[BurnWindow | None], str]
    exceeded: Callable[[timedelta, float], str]
    described: Callable[[Sequence[BurnWindow]], str]
    value_template: str
    fires: Callable[[BurnWindow], tuple[Flow, str]]
    few: Flow


def burn(subject: Subject, promise: Promise | None, pace: Pace) -> Alert | None:
    """The alert of one promise at one pace; None where there is none, or no share of bad requests could reach it."""
    if promise is None:
        return None
    rows = within_reach(pace.table, promise.budget)
    if not rows:
        return None
    recorded = subject.reading is Reading.RECORDED
    return Alert(
        name=f"{promise.alert}{pace.name}",
        category=promise.category,
        severity=pace.severity,
        expr="\nor\n".join(_row(subject, promise, row) for row in rows),
        known=promise.known(rows[0] if recorded else None),
        # A mean over a window exceeds nothing that the five-minute series in it never exceeded.
        possible=None if recorded else promise.exceeded(WINDOW, min(row.threshold(promise.budget) for row in rows)),
        wait=pace.wait,
        tail=subject.options.firing_tail,
        summary=promise.summary,
        description=promise.described(rows),
        value_template=promise.value_template,
        labels=subject.identity,
        steadfast=True,
        slow=pace.slow,
        cases=_cases(subject, promise, pace, rows),
    )


def _row(subject: Subject, promise: Promise, row: BurnWindow) -> str:
    share = row.threshold(promise.budget)
    seconds, floor = int(row.long.total_seconds()), row.floor(promise.budget, subject.options.min_requests)
    enough = f"{subject.ask.requests(row.long)} * {seconds} >= {floor}"
    return (
        f"(\n  {promise.exceeded(row.long, share)}\n  and\n  {promise.exceeded(row.short, share)}\n  and\n  {enough}\n)"
    )


def _cases(subject: Subject, promise: Promise, pace: Pace, rows: Sequence[BurnWindow]) -> tuple[Case, ...]:
    floor = rows[0].floor(promise.budget, subject.options.min_requests)
    busy, idle = 10.0 * floor, 0.5 * floor / (rows[-1].long / timedelta(minutes=1))  # half the floor, in every window
    bad, printed = promise.fires(rows[0])
    fed = (
        ("fires when too many are bad", bad, busy, printed),
        ("is quiet when few are bad", promise.few, busy, None),
        ("is quiet when none is bad", Flow(), busy, None),
        ("is quiet on low traffic", bad, idle, None),
    )
    return tuple(
        Case(name=name, series=traffic(subject, flow.at(per_minute), pace.at), at=pace.at, value=value)
        for name, flow, per_minute, value in fed
    )


def failing(subject: Subject) -> Promise | None:
    """Requests are answered without error."""
    if not (subject.asks(Signal.ERROR_RATIO) and subject.asks(Signal.REQUEST_RATE)):
        return None
    budget = subject.workload.slo.budget

    def bad(row: BurnWindow) -> tuple[Flow, str]:
        share = round((row.threshold(budget) + 1) / 2, 2)
        return Flow(failed=share), f"{100 * share:.4g}%"

    return Promise(
        alert="TrimtabErrorBudgetBurn",
        category=Category.ERRORS,
        budget=budget,
        summary="The error budget is being spent too fast.",
        known=lambda row: subject.ask.failed_ratio(WINDOW if row is None else row.long),
        exceeded=lambda window, share: f"{subject.ask.failed_ratio(window)} > {number(share)}",
        described=lambda rows: (
            f"<workload>: <value> of requests failed over {' or '.join(duration(row.long) for row in rows)}; "
            f"{number(100 * budget)}% may fail, and at this pace the budget of 30 days will not last."
        ),
        value_template=PERCENT,
        fires=bad,
        few=Flow(failed=budget / 2),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """A promise about time: `what` comes within `bound`, where the promise to users has one."""

    alert: str
    summary: str
    what: str
    signal: Signal
    bound: Callable[[Slo], timedelta | None]


def late_burn(late: Late, pace: Pace, subject: Subject) -> Alert | None:
    """The alert of a promise about time at one pace; None where it was not given or the runtime has no buckets."""
    bound = late.bound(subject.workload.slo)
    asked = subject.asks(late.signal) and subject.asks(Signal.REQUEST_RATE)
    if bound is None or late.signal not in subject.profile.buckets or not asked:
        return None
    return burn(subject, _in_time(subject, late, bound.total_seconds()), pace)


def _in_time(subject: Subject, late: Late, bound_s: float) -> Promise:
    """All but the share that the quantile of the promise leaves comes within `bound_s`."""
    budget, signal = subject.workload.slo.slow_budget, late.signal
    slow = Flow(slow=1.0)

    def described(rows: Sequence[BurnWindow]) -> str:
        shares = " or ".join(f"{number(100 * row.threshold(budget))}% in {duration(row.long)}" for row in rows)
        return (
            f"<workload>: over {shares} of {late.what} took more than {number(bound_s)} s, "
            f"where {number(100 * budget)}% may; that share took <value> s or more."
        )

    def known(row: BurnWindow | None) -> str:
        return subject.ask.now(signal) if row is None else subject.ask.latency(signal, row.long, row.quantile(budget))

    def exceeded(window: timedelta, share: float) -> str:
        return f"{subject.ask.latency(signal, window, round(1.0 - share, 9))} > {number(bound_s)}"

    return Promise(
        alert=late.alert,
        category=Category.LATENCY,
        budget=budget,
        summary=late.summary,
        known=known,
        exceeded=exceeded,
        described=described,
        value_template=SECONDS,
        fires=lambda row: (slow, f"{latency_s(bound_s, row.quantile(budget), slow):.3g}"),
        few=Flow(slow=budget / 2),
    )
