"""Makes the application out of its routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.metadata import version

from fastapi import Depends, FastAPI, Request, Response

from monitor.quality.problems import LimitBody
from trimtab.api import alerts, money, objectives, probes, problems, recommendations, savings, workloads
from trimtab.api.deps import Deps
from trimtab.api.heads import Heads
from trimtab.api.parameters import refuse_unknown
from trimtab.web import page

MOST_BODY_BYTES = 4 * 1024 * 1024  # thousands of alerts in one notification
# Pages carry their own styles and pictures and load nothing from anywhere.
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def create_app(deps: Deps) -> FastAPI:
    """The API and the web page. The interactive documentation is left out: it would load scripts from afar."""
    app = FastAPI(
        title="Trimtab",
        version=version("trimtab"),
        summary="What holds each workload's SLO at the least cost, with the evidence.",
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    app.add_middleware(LimitBody, most=MOST_BODY_BYTES)
    app.add_middleware(Heads)
    for part in (recommendations, workloads, money, objectives, savings, alerts):
        app.include_router(part.router(deps), dependencies=[Depends(refuse_unknown)])
    for part in (probes, page):  # whose askers may add what they like to an address
        app.include_router(part.router(deps))

    @app.middleware("http")
    async def guarded(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        response.headers["X-Content-Type-Options"] = "nosniff"
        if response.headers.get("content-type", "").startswith("text/html"):
            response.headers["Content-Security-Policy"] = PAGE_POLICY
        return response

    return app
