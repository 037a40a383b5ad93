"""What came of the advice: promised against realised, and what was made worse, as the ledger has it."""

from __future__ import annotations

from dashboards import names
from dashboards.spec import Panel, Query
from dashboards.stats import MOST, NONE_WANTED

OVER_NIGHTS = "Over the last known nights, as dollars a month; a night that is not known is in none of it"


def came_of_it() -> tuple[Panel, ...]:
    """The fleet's promises and what became of them. Nothing before something was taken up and a night has passed."""
    return (
        Panel(
            title="Promised and realised, USD/month",
            description=f"What was taken up promised to save, and saved. {OVER_NIGHTS}.",
            unit="currencyUSD",
            queries=(
                Query(expr=f"sum({_of_each(names.PROMISED)})", legend="promised"),
                Query(expr=f"sum({_of_each(names.REALISED)})", legend="realised"),
            ),
            width=8,
            least=None,
        ),
        Panel(
            title="Realised by workload, USD/month",
            description=f"What came of what was taken up, of the {MOST} workloads where it is most. {OVER_NIGHTS}. Below zero it costs more than what ran before.",
            unit="currencyUSD",
            queries=(Query(expr=f"topk({MOST}, {_of_each(names.REALISED)})", legend="{{workload}}"),),
            width=8,
            least=None,
        ),
        Panel(
            title="Made worse",
            description=f"1 while what was taken up is dearer than what ran before, or misses an SLO that was held; {MOST} workloads, those made worse first.",
            unit="short",
            queries=(Query(expr=f"topk({MOST}, {_of_each(names.MADE_WORSE)})", legend="{{workload}}"),),
            thresholds=NONE_WANTED,
            steps=True,
            width=8,
        ),
    )


def of_workload(own: str) -> Panel:
    """The same of one workload."""
    return Panel(
        title="Promised and realised, USD/month",
        description=f"What was taken up promised to save, and saved. {OVER_NIGHTS}.",
        unit="currencyUSD",
        queries=(
            Query(expr=f"max({names.PROMISED}{{{own}}})", legend="promised"),
            Query(expr=f"max({names.REALISED}{{{own}}})", legend="realised"),
        ),
        least=None,
    )


def _of_each(metric: str) -> str:
    return f"max by (workload) ({metric})"
