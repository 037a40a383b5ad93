"""`/objectives`: how far budgets, targets and reviews have come."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from domain.unknown import Unknown
from trimtab.api.deps import Deps
from trimtab.api.problems import problem_responses
from trimtab.api.schemas import ObjectiveList
from trimtab.month import Attained, Outlook, Spend
from trimtab.objectives import Progress


def router(deps: Deps) -> APIRouter:
    """The routes, over the store of `deps`."""
    routes = APIRouter(tags=["costs and reports"])

    @routes.get("/objectives", response_model=ObjectiveList, responses=problem_responses())
    def list_objectives() -> dict[str, Any]:
        """The objectives of the settings and how far each has come this month (UTC)."""
        return {"items": [progress_body(each) for each in deps.progress(deps.clock())], "next": None}

    return routes


def progress_body(progress: Progress) -> dict[str, Any]:
    """One objective; what is not known is null, and `unknown` says why."""
    objective = progress.objective
    figures = {
        "spend": progress.spend,
        "forecast": progress.forecast,
        "budget_left_usd": progress.budget_left,
        "attained": progress.attained,
    }
    return {
        "workload": objective.workload,
        "team": objective.team,
        "goal": objective.goal,
        "owner": objective.owner,
        "stakeholders": list(objective.stakeholders),
        "month": f"{progress.month:%Y-%m}",
        "workloads": progress.workloads,
        "budget_usd_per_month": objective.budget_usd_per_month,
        "target": progress.target,
        "review_on": objective.review_on,
        "review_due": progress.review_due,
        "unknown": {name: value.reason for name, value in figures.items() if isinstance(value, Unknown)},
    } | {name: _shown(value) for name, value in figures.items()}


def _shown(value: Spend | Outlook | Attained | Unknown | float | None) -> Any:
    if isinstance(value, Spend):
        return {"usd": value.usd, "known_days": value.known, "days": value.of}
    if isinstance(value, Outlook):
        return {
            "usd": value.usd,
            "low": value.low,
            "high": value.high,
            "known_workloads": value.known,
            "workloads": value.of,
        }
    if isinstance(value, Attained):
        return {"share": value.share, "known_days": value.known, "days": value.of}
    return None if isinstance(value, Unknown) else value
