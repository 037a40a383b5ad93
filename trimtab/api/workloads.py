"""`/workloads`: what is watched, and what is expected of it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.exceptions import HTTPException

from domain.workload import Workload
from trimtab.api.deps import Deps
from trimtab.api.paging import read_cursor, write_cursor
from trimtab.api.problems import problem_responses
from trimtab.api.schemas import ForecastBody, ReplayBody, WorkloadBody, WorkloadPage
from trimtab.moments import moment
from trimtab.records import Record
from trimtab.store.codec import evidence_body
from trimtab.store.workload_codec import workload_body

# Ids are label values and may hold slashes (`meta-llama/Llama-3`), hence `:path`.
ID = "/workloads/{workload_id:path}"


def router(deps: Deps) -> APIRouter:
    """The routes, over the store of `deps`."""
    routes = APIRouter(tags=["workloads"])

    @routes.get("/workloads", response_model=WorkloadPage, responses=problem_responses())
    def list_workloads(
        limit: Annotated[int, Query(ge=1, le=200, description="Most items of a page.")] = 50,
        cursor: Annotated[str | None, Query(description="`next` of the page before.")] = None,
    ) -> dict[str, Any]:
        """Every workload, by id."""
        place = read_cursor(cursor, 1)
        workloads, records = _everything(deps)
        names = sorted(workloads.keys() | records.keys())
        rest = [name for name in names if place is None or name > str(place[0])]
        page = rest[:limit]
        last = (page[-1],) if len(rest) > limit else None
        return {
            "items": [_body(name, workloads.get(name), records.get(name), deps) for name in page],
            "next": write_cursor(last),
        }

    @routes.get(f"{ID}/forecast", response_model=ForecastBody, responses=problem_responses(404))
    def show_forecast(workload_id: str) -> dict[str, Any]:
        """The forecast behind the newest recommendation, and the scoreboard of the forecasters."""
        return _evidence(deps, workload_id, "forecast", "backtest")

    @routes.get(f"{ID}/replay", response_model=ReplayBody, responses=problem_responses(404))
    def show_replay(workload_id: str) -> dict[str, Any]:
        """The policies replayed on this workload's own history, as the newest recommendation saw it."""
        return _evidence(deps, workload_id, "replay")

    @routes.get(ID, response_model=WorkloadBody, responses=problem_responses(404))
    def show_workload(workload_id: str) -> dict[str, Any]:
        """One workload."""
        workloads, records = _everything(deps)
        if workload_id not in workloads and workload_id not in records:
            raise HTTPException(404, f"there is no workload {workload_id!r}; /workloads lists them")
        return _body(workload_id, workloads.get(workload_id), records.get(workload_id), deps)

    return routes


def _evidence(deps: Deps, workload_id: str, *topics: str) -> dict[str, Any]:
    """Topics of the newest recommendation's evidence; 404 where the first of them is empty."""
    record = deps.recommendations.newest_of(workload_id)
    evidence = {} if record is None else evidence_body(record.recommendation.evidence)
    if record is None or not evidence[topics[0]]:
        raise HTTPException(404, f"there is no {topics[0]} for {workload_id!r}")
    known = {
        "workload": workload_id,
        "recommendation": record.recommendation.id,
        "created_at": moment(record.recommendation.created_at),
    }
    return known | {topic: evidence[topic] for topic in topics}


def _everything(deps: Deps) -> tuple[dict[str, Workload], dict[str, Record]]:
    workloads = {workload.id: workload for workload in deps.journal.workloads()}
    records = {record.recommendation.workload: record for record in deps.recommendations.newest()}
    return workloads, records


def _body(name: str, workload: Workload | None, record: Record | None, deps: Deps) -> dict[str, Any]:
    """A workload that is gone but still has a recommendation shows what is left of it."""
    now = deps.clock()
    gone = {"id": name, "labels": {}, "modes": [], "anti_affinity": []} | dict.fromkeys(
        (
            "runtime",
            "slo",
            "resources",
            "bounds",
            "cloud",
            "region",
            "isolation_group",
            "team",
            "target",
            "stateless",
            "country",
        )
    )
    ages = {} if record is None else {s: record.input_age(s, now).total_seconds() for s in record.last_seen}
    return (gone if workload is None else workload_body(workload)) | {
        "input_age_seconds": ages,
        "recommendation": None if record is None else record.recommendation.id,
        "status": None if record is None else record.status(now).value,
    }
