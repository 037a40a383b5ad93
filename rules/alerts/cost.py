"""Money: what runs against what is proposed, what was spent against its budget, and what was applied in vain."""

from __future__ import annotations

from datetime import timedelta

from domain.budget import allowed
from rules.model import Alert, Case, Category
from rules.names import BUDGET, COST, MADE_WORSE, SPEND
from rules.options import RuleOptions
from rules.promql import number, series
from rules.specimen import constant

EXAMPLE = "vision:digits"
DOLLARS = '{{ printf "%.4g" $value }}'


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
        known=current,
        expr=f"{current} > {number(factor)} * {proposed}\nand\n{current} - {proposed} > {number(floor)}",
        wait=timedelta(hours=6),
        tail=timedelta(minutes=30),
        summary="A workload costs more than its plan.",
        description=(
            f"<workload>: what runs costs <value> USD per hour, more than {number(factor)} times the plan for six hours."
        ),
        value_template=DOLLARS,
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


def cost_over_budget(options: RuleOptions) -> Alert | None:
    """Spent this month: more than its elapsed part allows, by a margin, or more than the whole budget."""
    if not options.budgets:
        return None
    spent, budget = (f"max by (workload, team) ({name})" for name in (SPEND, BUDGET))
    ahead = options.budget_ahead
    at = timedelta(hours=3)  # of the first day, when a tenth of the budget may be spent
    owner = {"workload": EXAMPLE}
    return Alert(
        name="TrimtabCostOverBudget",
        category=Category.COST,
        severity="warning",
        expr=f"{spent}\n> {budget} * scalar({allowed(ahead)})",
        known=f"{spent} * {budget}",
        wait=timedelta(hours=1),
        tail=timedelta(hours=1),
        summary="A budget is being spent faster than the month passes.",
        description=(
            "<workload>{{ $labels.team }}: <value> USD were spent this month, "
            f"over {number(ahead)} times what of the budget its elapsed part allows, or over all of it."
        ),
        value_template=DOLLARS,
        labels=owner,
        cases=tuple(
            Case(
                name=name,
                series=tuple(
                    constant(series(metric, owner), usd, at)
                    for metric, usd in ((SPEND, spend), (BUDGET, 1000.0))
                    if usd is not None
                ),
                at=at,
                value=value,
            )
            for name, spend, value in (
                ("fires when it is spent too fast", 200.0, "200"),
                ("is quiet on pace", 100.0, None),
                ("is quiet while the spend is unknown", None, None),
            )
        ),
    )


def made_worse(options: RuleOptions) -> Alert:
    """The ledger says that what was applied is dearer than what it replaced, or broke a promise that was kept."""
    worse, at = series(MADE_WORSE, {"workload": EXAMPLE}), timedelta(minutes=30)
    return Alert(
        name="TrimtabMadeWorse",
        category=Category.COST,
        severity="warning",
        expr=f"max by (workload) ({MADE_WORSE}) == 1",
        known=f"max by (workload) ({MADE_WORSE})",
        wait=timedelta(minutes=5),
        tail=options.firing_tail,
        summary="An applied recommendation has made things worse.",
        description="<workload>: what was applied costs more than what it replaced, or misses its SLO where that held it.",
        value_template=DOLLARS,
        labels={"workload": EXAMPLE},
        cases=(
            Case(name="fires when it is worse", series=(constant(worse, 1, at),), at=at, value="1"),
            Case(name="is quiet when it is not", series=(constant(worse, 0, at),), at=at, value=None),
            Case(name="is quiet where nothing was applied", series=(), at=at, value=None),
        ),
    )
