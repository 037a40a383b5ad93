"""`/recommendations`: list, show, accept, dismiss."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.exceptions import HTTPException

from domain.plan import Hold
from trimtab.api.deps import Deps
from trimtab.api.paging import read_cursor, write_cursor
from trimtab.api.problems import problem_responses
from trimtab.api.schemas import RecommendationBody, RecommendationPage
from trimtab.moments import moment
from trimtab.present import recommendation_body, told_body
from trimtab.records import Record, Status
from trimtab.store.recommendations import Search, SortKey

By = Annotated[str | None, Query(description="Who decides.", min_length=1, max_length=200)]
Sort = Literal["created_at", "-created_at", "workload", "-workload", "saving_usd_per_month", "-saving_usd_per_month"]
KEYS: dict[str, SortKey] = {
    "created_at": "created_at",
    "workload": "workload",
    "saving_usd_per_month": "saving_usd_per_month",
}


def router(deps: Deps) -> APIRouter:
    """The routes, over the store of `deps`."""
    routes = APIRouter(tags=["recommendations"])

    @routes.get("/recommendations", response_model=RecommendationPage, responses=problem_responses())
    def list_recommendations(  # noqa: PLR0917  each is a query parameter, passed by name
        workload: Annotated[str | None, Query(description="Only of this workload.")] = None,
        kind: Annotated[Literal["act", "hold"] | None, Query(description="Only to act on, or only held.")] = None,
        status: Annotated[Status | None, Query(description="Only of this status; the newest ones without it.")] = None,
        min_saving: Annotated[
            float | None, Query(description="Only with at least this saving, in USD a month.", allow_inf_nan=False)
        ] = None,
        sort: Annotated[Sort, Query(description="Order; a minus turns it round.")] = "-saving_usd_per_month",
        limit: Annotated[int, Query(ge=1, le=200, description="Most items of a page.")] = 50,
        cursor: Annotated[str | None, Query(description="`next` of the page before.")] = None,
    ) -> dict[str, Any]:
        """The newest recommendation of each workload, or with `status` also older ones."""
        question = (workload, kind, status, min_saving, sort)
        place = read_cursor(cursor, 2, *question)
        now = deps.clock()
        found = deps.recommendations.search(
            Search(
                workload=workload,
                kind=kind,
                status=status,
                min_saving=min_saving,
                sort=KEYS[sort.removeprefix("-")],
                descending=sort.startswith("-"),
                limit=limit,
                after=None if place is None else _place(place, KEYS[sort.removeprefix("-")]),
            ),
            now,
        )
        return {
            "items": _bodies(deps, found.records, now),
            "next": write_cursor(found.next, *question),
        }

    @routes.get(
        "/recommendations/{recommendation_id}", response_model=RecommendationBody, responses=problem_responses(404)
    )
    def show_recommendation(recommendation_id: str) -> dict[str, Any]:
        """One recommendation with its whole evidence."""
        return _body(deps, recommendation_id, deps.clock())

    @routes.post(
        "/recommendations/{recommendation_id}/accept",
        response_model=RecommendationBody,
        responses=problem_responses(404, 409),
    )
    def accept_recommendation(recommendation_id: str, by: By = None) -> dict[str, Any]:
        """Say that it is going to be done."""
        if isinstance(_found(deps, recommendation_id).recommendation, Hold):
            raise HTTPException(409, f"{recommendation_id} is a hold: there is nothing to accept")
        return _decide(deps, recommendation_id, Status.ACCEPTED, by)

    @routes.post(
        "/recommendations/{recommendation_id}/dismiss",
        response_model=RecommendationBody,
        responses=problem_responses(404, 409),
    )
    def dismiss_recommendation(recommendation_id: str, by: By = None) -> dict[str, Any]:
        """Say that it is not going to be done."""
        return _decide(deps, recommendation_id, Status.DISMISSED, by)

    return routes


def _place(values: tuple[Any, ...], key: SortKey) -> tuple[Any, str]:
    """The sort value and id of the last item seen; 422 where the value is none that this order has."""
    value, last = values
    try:
        fits = isinstance(value, int | float) if key == "saving_usd_per_month" else isinstance(value, str)
        if key == "created_at":
            fits = datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        fits = False
    if not fits:
        raise HTTPException(422, "cursor: not one that was given out; leave it out to begin again")
    return value, str(last)


def _bodies(deps: Deps, records: Sequence[Record], now: datetime) -> list[dict[str, Any]]:
    """Each with the alerts that Alertmanager told of its workload."""
    alerts = deps.journal.alerts_of([record.recommendation.workload for record in records])
    return [
        recommendation_body(record, now) | {"alerts": list(map(told_body, alerts[record.recommendation.workload]))}
        for record in records
    ]


def _body(deps: Deps, recommendation_id: str, now: datetime) -> dict[str, Any]:
    (body,) = _bodies(deps, [_found(deps, recommendation_id)], now)
    return body


def _found(deps: Deps, recommendation_id: str) -> Record:
    record = deps.recommendations.find(recommendation_id)
    if record is None:
        raise HTTPException(404, f"there is no recommendation {recommendation_id!r}; /recommendations lists them")
    return record


def _decide(deps: Deps, recommendation_id: str, decision: Status, by: str | None) -> dict[str, Any]:
    now = deps.clock()
    record = _found(deps, recommendation_id)
    if not record.latest:
        newest = deps.recommendations.newest_of(record.recommendation.workload)
        instead = "its workload is gone" if newest is None else f"decide on {newest.recommendation.id}, the newest"
        raise HTTPException(409, f"{recommendation_id} is superseded: {instead}")
    if record.status(now) is Status.EXPIRED:
        until = moment(record.recommendation.valid_until)
        raise HTTPException(409, f"{recommendation_id} is expired: it was valid until {until}; wait for a newer one")
    deps.recommendations.decide(recommendation_id, decision, now, by)
    return _body(deps, recommendation_id, now)
