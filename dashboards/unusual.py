"""Load and spend that are out of the ordinary: above 1, as the alerts compare."""

from __future__ import annotations

from dashboards import names
from dashboards.spec import Panel, Query, Step
from dashboards.stats import MOST

OUT = (Step(value=None, colour="green"), Step(value=1.0, colour="orange"))
SCORE = "How far the last hour is out of the ordinary; above 1 (the line) it is, and an alert tells of it where the amount is worth it. What cannot be compared has no line"


def of_fleet() -> tuple[Panel, ...]:
    """The workloads that are strangest."""
    kinds = (("Load", names.LOAD_ANOMALY, "load"), ("Spend", names.SPEND_ANOMALY, "spend beside what load explains"))
    return tuple(
        Panel(
            title=f"{kind} out of the ordinary",
            description=f"The {MOST} highest scores of {what}. {SCORE}.",
            unit="short",
            decimals=2,
            queries=(Query(expr=f"topk({MOST}, max by (workload) ({metric}))", legend="{{workload}}"),),
            thresholds=OUT,
            line=True,
        )
        for kind, metric, what in kinds
    )


def of_workload(own: str) -> Panel:
    """Both scores of one workload."""
    return Panel(
        title="Out of the ordinary",
        description=f"Scores of the load, and of the spend beside what the load explains. {SCORE}.",
        unit="short",
        decimals=2,
        queries=(
            Query(expr=f"max({names.LOAD_ANOMALY}{{{own}}})", legend="load"),
            Query(expr=f"max({names.SPEND_ANOMALY}{{{own}}})", legend="spend"),
        ),
        thresholds=OUT,
        line=True,
    )
