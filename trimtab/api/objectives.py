"""`/objectives`: how far budgets, targets and reviews have come, and the shapes of the answer."""

from __future__ import annotations

from datetime import date
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from domain.unknown import Unknown
from trimtab.api.deps import Deps
from trimtab.api.problems import problem_responses
from trimtab.month import Attained, Outlook, Spend
from trimtab.objectives import Progress


class SpendBody(BaseModel):
    """Dollars of the days that are known; a lower bound where those are not all."""

    usd: float
    known_days: int = Field(description="Days of workloads of which the cost is known.")
    days: int = Field(description="Days of workloads there were.")


class OutlookBody(BaseModel):
    """What the whole month will come to, of the workloads whose cost is known at times."""

    usd: float
    low: float
    high: float
    known_workloads: int
    workloads: int


class AttainedBody(BaseModel):
    """Share of the month's requests answered without error and in time."""

    share: float
    known_days: int
    days: int


class ObjectiveBody(BaseModel):
    """An objective of a workload or a team, and how far it has come this month."""

    workload: str | None
    team: str | None
    goal: str | None
    owner: str | None
    stakeholders: list[str]
    month: str
    workloads: int = Field(description="How many workloads it is about.")
    budget_usd_per_month: float | None
    spend: SpendBody | None
    forecast: OutlookBody | None
    budget_left_usd: float | None
    target: float | None
    attained: AttainedBody | None
    review_on: date | None
    review_due: bool
    unknown: dict[str, str]


class ObjectiveList(BaseModel):
    """The objectives of the settings."""

    items: list[ObjectiveBody]
    next: str | None = None


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
