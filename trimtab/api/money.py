"""`/costs` and `/reports`: what the days cost."""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from starlette.exceptions import HTTPException

from domain.unknown import Unknown
from trimtab.api.deps import Deps
from trimtab.api.paging import read_cursor, write_cursor
from trimtab.api.problems import problem_responses
from trimtab.api.schemas import CostPage, ReportPage
from trimtab.moments import moment
from trimtab.store.journal import DayCosts
from trimtab.totals import Totals, totals_of

DEFAULT_DAYS = timedelta(days=30)
Limit = Annotated[int, Query(ge=1, le=1000, description="Most items of a page.")]
Cursor = Annotated[str | None, Query(description="`next` of the page before.")]


def router(deps: Deps) -> APIRouter:
    """The routes, over the store of `deps`."""
    routes = APIRouter(tags=["costs and reports"])

    @routes.get("/costs", response_model=CostPage, responses=problem_responses())
    def list_costs(
        since: Annotated[date | None, Query(description="First day; 30 days before the last by default.")] = None,
        until: Annotated[date | None, Query(description="Last day; today (UTC) by default.")] = None,
        workload: Annotated[str | None, Query(description="Only of this workload.")] = None,
        limit: Limit = 200,
        cursor: Cursor = None,
    ) -> dict[str, Any]:
        """Cost per day and workload: the mean over the day's cycles, times 24 hours; `covered` says how much they saw.

        `fleet` is what all workloads cost a month now, and would as proposed.
        """
        question = (since, until, workload)
        place = read_cursor(cursor, 2, *question)
        last = until or deps.clock().astimezone(UTC).date()
        first = since or earlier(last)
        if first > last:
            raise HTTPException(422, f"since: {first} lies after {last}; give an earlier day")
        rows = [
            row
            for row in deps.journal.costs(first, last, workload)
            if place is None or (row.day.isoformat(), row.workload) > (str(place[0]), str(place[1]))
        ]
        more = len(rows) > limit
        page = rows[:limit]
        end = (page[-1].day.isoformat(), page[-1].workload) if more else None
        return {
            "items": [_cost(row) for row in page],
            "fleet": _fleet(totals_of(deps.recommendations.newest(), deps.clock())),
            "next": write_cursor(end, *question),
        }

    @routes.get("/reports", response_model=ReportPage, responses=problem_responses())
    def list_reports(limit: Limit = 50, cursor: Cursor = None) -> dict[str, Any]:
        """Nightly reports, the newest first."""
        place = read_cursor(cursor, 1)
        days = deps.journal.report_days(None if place is None else _day(str(place[0])), limit + 1)
        page = days[:limit]
        return {
            "items": [
                {
                    "date": day,
                    "generated_at": moment(generated_at),
                    "html": f"/reports/{day}",
                    "csv": f"/reports/{day}.csv",
                    "focus": f"/reports/{day}.focus.csv",
                    "focus_metadata": f"/reports/{day}.focus.json",
                    "pdf": f"/reports/{day}.pdf",
                }
                for day, generated_at in page
            ],
            "next": write_cursor((page[-1][0].isoformat(),) if len(days) > limit else None),
        }

    @routes.get(
        "/reports/{day}.focus.csv",
        response_class=Response,
        responses=problem_responses(404) | {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    )
    def show_report_focus(day: date) -> Response:
        """The charges of a day as FOCUS 1.2."""
        return Response(_report(deps, day, "focus.csv"), media_type="text/csv; charset=utf-8")

    @routes.get("/reports/{day}.focus.json", response_class=Response, responses=problem_responses(404))
    def show_report_focus_metadata(day: date) -> Response:
        """The metadata of the FOCUS file, and whose charges are not known."""
        return Response(_report(deps, day, "focus.json"), media_type="application/json")

    @routes.get(
        "/reports/{day}.pdf",
        response_class=Response,
        responses=problem_responses(404) | {200: {"content": {"application/pdf": {}}}},
    )
    def show_report_pdf(day: date) -> Response:
        """The report of a day on paper; there is none where WeasyPrint found no Pango when it was written."""
        return Response(b64decode(_report(deps, day, "pdf")), media_type="application/pdf")

    @routes.get(
        "/reports/{day}.csv",
        response_class=Response,
        responses=problem_responses(404) | {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    )
    def show_report_csv(day: date) -> Response:
        """The report of a day as CSV."""
        return Response(_report(deps, day, "csv"), media_type="text/csv; charset=utf-8")

    @routes.get(
        "/reports/{day}",
        response_class=Response,
        responses=problem_responses(404) | {200: {"content": {"text/html": {"schema": {"type": "string"}}}}},
    )
    def show_report(day: date) -> Response:
        """The report of a day as a page."""
        return Response(_report(deps, day, "html"), media_type="text/html; charset=utf-8")

    return routes


def earlier(last: date) -> date:
    """The first of the days that are shown where only the last is given."""
    return last - DEFAULT_DAYS if last - date.min > DEFAULT_DAYS else date.min


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise HTTPException(422, "cursor: not one that was given out; leave it out to begin again") from None


def _cost(row: DayCosts) -> dict[str, Any]:
    figures = {"usd": row.usd, "proposed_usd": row.proposed_usd, "covered": row.covered}
    return {
        "day": row.day,
        "workload": row.workload,
        "unknown": {name: value.reason for name, value in figures.items() if isinstance(value, Unknown)},
    } | {name: None if isinstance(value, Unknown) else value for name, value in figures.items()}


def _fleet(totals: Totals) -> dict[str, Any]:
    saving = totals if totals.saving_known else None
    return {
        "workloads": totals.workloads,
        "bill_usd_per_month": totals.bill if totals.billed else None,
        "billed_workloads": totals.billed,
        "plan_usd_per_month": totals.plan if totals.billed else None,
        "saving_usd_per_month": saving and saving.saving,
        "saving_low": saving and saving.low,
        "saving_high": saving and saving.high,
        "saving_workloads": totals.saving_known,
        "price_age_days": None if isinstance(totals.price_age, Unknown) else totals.price_age.days,
        "price_age_unknown_workloads": totals.unaged,
        "shared_hosts": len(totals.hosts),
        "shared_hosts_usd_per_month": totals.hosts_usd,
    }


def _report(deps: Deps, day: date, suffix: str) -> str:
    report = deps.journal.report(day)
    if report is None:
        raise HTTPException(404, f"there is no report of {day}; /reports lists them")
    if suffix not in report.files:
        raise HTTPException(
            404, f"the report of {day} was written without {suffix}: `trimtab report --date {day}` writes it"
        )
    return report.files[suffix]
