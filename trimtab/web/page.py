"""`/`: one plain page with every recommendation. It loads nothing from anywhere and needs no script."""

from __future__ import annotations

from datetime import UTC, timedelta

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from dashboards.style import stylesheet
from trimtab.api.deps import Deps
from trimtab.api.problems import problem_responses
from trimtab.web.view import Page, page_of

SHOWN = timedelta(days=30)  # of the ledger


def render_page(page: Page) -> str:
    """The page as HTML; every text in it is escaped."""
    environment = Environment(
        loader=PackageLoader("trimtab.web"), autoescape=select_autoescape(), undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("recommendations.html").render(page=page, style=stylesheet())


def router(deps: Deps) -> APIRouter:
    """The page, over the store of `deps`."""
    routes = APIRouter(tags=["page"])

    @routes.get("/", response_class=HTMLResponse, responses=problem_responses())
    def show_page() -> HTMLResponse:
        """The newest recommendations, and what came of those that were taken up, as a page."""
        last, now = deps.journal.last_cycle(), deps.clock()
        records, today = deps.recommendations.newest(), now.astimezone(UTC).date()
        page = page_of(
            records,
            last_cycle=None if last is None else last.at,
            failure=None if last is None else last.failure,
            now=now,
            alerts=deps.journal.alerts_of([record.recommendation.workload for record in records]),
            nights=deps.journal.nights.between(today - SHOWN, today),
        )
        return HTMLResponse(render_page(page))

    return routes
