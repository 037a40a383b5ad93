"""Alerts on Trimtab's own metrics: one rule each for all workloads, told apart by the label `workload`."""

from __future__ import annotations

from datetime import timedelta

from rules.alerts.telemetry import seen_before
from rules.model import Alert, Case, Category
from rules.names import CYCLE_FAILURES, INPUT_AGE, VALID_UNTIL
from rules.options import RuleOptions
from rules.promql import number, series
from rules.specimen import constant, counter

EXAMPLE = "vision:digits"
AT = timedelta(minutes=30)


def input_stale(options: RuleOptions) -> Alert:
    """What recommendations rest on is too old."""
    bound_s = options.input_age.total_seconds()
    age = series(INPUT_AGE, {"workload": EXAMPLE, "signal": "request_rate"})
    return Alert(
        name="TrimtabInputStale",
        category=Category.TELEMETRY,
        severity="warning",
        expr=f"max by (workload, signal) ({INPUT_AGE}) > {number(bound_s)}",
        known=f"max by (workload, signal) ({INPUT_AGE})",
        wait=timedelta(minutes=5),
        tail=timedelta(0),
        summary="An input of the recommendations is stale.",
        description=(
            f"<workload>: the newest sample of {{{{ $labels.signal }}}} is <value> s old, more than {number(bound_s)} s; "
            "the recommendation keeps its last good figure until it expires."
        ),
        value_template='{{ printf "%.0f" $value }}',
        labels={"workload": EXAMPLE, "signal": "request_rate"},
        cases=(
            Case(
                name="fires on old input", series=(constant(age, 2 * bound_s, AT),), at=AT, value=f"{2 * bound_s:.0f}"
            ),
            Case(name="is quiet on fresh input", series=(constant(age, bound_s / 2, AT),), at=AT, value=None),
            Case(name="is quiet before the first cycle", series=(), at=AT, value=None),
        ),
    )


def expiring(options: RuleOptions) -> Alert:
    """A recommendation was not renewed for so long that it is about to end; what follows it then falls back."""
    bound_s, left_s = options.expiring.total_seconds(), options.expiring.total_seconds() / 2
    until = series(VALID_UNTIL, {"workload": EXAMPLE})
    ends = f"min by (workload) ({VALID_UNTIL})"
    return Alert(
        name="TrimtabRecommendationExpiring",
        category=Category.TRIMTAB,
        severity="warning",
        expr=f"{ends} - time() < {number(bound_s)}",
        known=ends,
        wait=timedelta(minutes=5),
        tail=timedelta(0),
        summary="A recommendation is about to expire.",
        description=(
            "<workload>: its recommendation could not be renewed and ends in <value>; "
            "autoscalers that follow it then use their fallback."
        ),
        value_template="{{ $value | humanizeDuration }}",
        labels={"workload": EXAMPLE},
        cases=(
            Case(
                name="fires when little is left",
                series=(constant(until, AT.total_seconds() + left_s, AT),),
                at=AT,
                value=f"{left_s // 60:.0f}m {left_s % 60:.0f}s",
            ),
            Case(
                name="is quiet while it is renewed",
                series=(constant(until, AT.total_seconds() + 4 * bound_s, AT),),
                at=AT,
                value=None,
            ),
            Case(name="is quiet before the first cycle", series=(), at=AT, value=None),
        ),
    )


def down(options: RuleOptions) -> Alert:
    """Trimtab shows no metrics: what follows its recommendations is on its fallback."""
    running = constant(CYCLE_FAILURES, 0, AT)
    return Alert(
        name="TrimtabDown",
        category=Category.TRIMTAB,
        severity="warning",
        expr=f"absent({CYCLE_FAILURES}) == 1",
        known=seen_before(CYCLE_FAILURES),
        wait=timedelta(minutes=10),
        tail=options.firing_tail,
        summary="Trimtab shows no metrics.",
        description="Prometheus has no <value>; autoscalers that follow Trimtab use their fallback.",
        value_template=CYCLE_FAILURES,
        labels={},
        cases=(
            Case(name="fires when nothing is scraped", series=(), at=AT, value=CYCLE_FAILURES),
            Case(name="is quiet when Trimtab runs", series=(running,), at=AT, value=None),
        ),
    )


def cycle_failing(options: RuleOptions) -> Alert:
    """Cycles fail again and again: recommendations age and then expire."""
    failing, fine = (counter(CYCLE_FAILURES, per_minute, AT) for per_minute in (0.2, 0.0))
    once = constant(CYCLE_FAILURES, 1, AT)
    return Alert(
        name="TrimtabCycleFailing",
        category=Category.TRIMTAB,
        severity="warning",
        expr=f"sum(increase({CYCLE_FAILURES}[1h])) >= 2",
        known=CYCLE_FAILURES,
        wait=timedelta(minutes=5),
        tail=options.firing_tail,
        summary="Trimtab's cycles fail.",
        description="<value> cycles failed within an hour; recommendations keep their last good figures until they expire.",
        value_template='{{ printf "%.0f" $value }}',
        labels={},
        cases=(
            Case(name="fires when cycles fail", series=(failing,), at=AT, value="6"),
            Case(name="is quiet when none fails", series=(fine,), at=AT, value=None),
            Case(name="is quiet after a single failure", series=(once,), at=AT, value=None),
        ),
    )
