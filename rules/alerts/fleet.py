"""Alerts on Trimtab's own metrics: one rule each for all workloads, told apart by the label `workload`."""

from __future__ import annotations

from datetime import timedelta

from rules.model import Alert, Case, Category
from rules.names import COST, CYCLE_FAILURES, INPUT_AGE
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


def cost_above_plan(options: RuleOptions) -> Alert:
    """What runs costs more than what is proposed, by a factor and by an amount worth a look."""
    current, proposed = (f'max by (workload) ({COST}{{state="{state}"}})' for state in ("current", "proposed"))
    factor, floor = options.cost_factor, options.cost_floor_usd_per_hour
    at = timedelta(hours=7)
    high = number(2 * factor * (1 + floor))
    return Alert(
        name="TrimtabCostAbovePlan",
        category=Category.COST,
        severity="warning",
        expr=f"{current} > {number(factor)} * {proposed}\nand\n{current} - {proposed} > {number(floor)}",
        wait=timedelta(hours=6),
        tail=timedelta(minutes=30),
        summary="A workload costs more than its plan.",
        description=(
            f"<workload>: what runs costs <value> USD per hour, more than {number(factor)} times the plan for six hours."
        ),
        value_template='{{ printf "%.4g" $value }}',
        labels={"workload": EXAMPLE},
        cases=tuple(
            Case(
                name=name,
                series=(
                    constant(series(COST, {"workload": EXAMPLE, "state": "current"}), now, at),
                    *(
                        [constant(series(COST, {"workload": EXAMPLE, "state": "proposed"}), plan, at)]
                        if plan is not None
                        else []
                    ),
                ),
                at=at,
                value=value,
            )
            for name, now, plan, value in (
                ("fires when it costs more", float(high), 1 + floor, f"{float(high):.4g}"),
                ("is quiet on plan", 1 + floor, 1 + floor, None),
                ("is quiet about small sums", floor / 2, floor / 2 / (2 * factor), None),
                ("is quiet without a plan", float(high), None, None),
            )
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
