"""Budgets of the month: what was spent of each, against the pace that the alert holds it to."""

from __future__ import annotations

from dashboards import names
from dashboards.spec import Panel, Query
from dashboards.stats import worse_above
from domain.budget import allowed

OWNER = "{{workload}}{{team}}"  # a budget has one of the two


def budgets(ahead: float) -> tuple[Panel, ...]:
    """Spend over budget and in dollars; `ahead` is the alert's, times the even pace."""
    spent, budget = (f"max by (workload, team) ({name})" for name in (names.SPEND, names.BUDGET))
    return (
        Panel(
            title="Spent of the budget",
            description=f"Dollars known to be spent this month (UTC) over the budget, by workload or team. An alert fires above the line that rises with the month: {ahead:g} times an even pace, at most the whole budget. A spend that is not known has no line.",
            unit="percentunit",
            queries=(
                Query(expr=f"{spent} / on (workload, team) {budget}", legend=OWNER),
                Query(expr=allowed(ahead), legend="the alert"),
            ),
            thresholds=worse_above(1.0),
            line=True,
        ),
        Panel(
            title="Spent this month, USD",
            description="Dollars known to be spent since the first of the month (UTC), and the budget of each workload or team.",
            unit="currencyUSD",
            queries=(
                Query(expr=spent, legend=f"{OWNER} spent"),
                Query(expr=budget, legend=f"{OWNER} budget"),
            ),
        ),
    )
