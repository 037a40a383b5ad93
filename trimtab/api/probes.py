"""`/health`, `/ready`, `/startup` for whoever restarts us, and `/metrics`."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException

from trimtab.api.deps import Deps
from trimtab.api.problems import problem_responses
from trimtab.api.schemas import State


def router(deps: Deps) -> APIRouter:
    """The routes, over the store and registry of `deps`."""
    routes = APIRouter(tags=["operation"])

    @routes.get("/health", response_model=State, responses=problem_responses())
    def health() -> dict[str, str]:
        """The process answers."""
        return {"status": "alive"}

    @routes.get("/startup", response_model=State, responses=problem_responses())
    def startup() -> dict[str, str]:
        """A first cycle has been run, well or not; 503 until then."""
        return _after_a_cycle(deps, "started")

    @routes.get("/ready", response_model=State, responses=problem_responses())
    def ready() -> dict[str, str]:
        """The store answers and there is something to tell; 503 until then."""
        return _after_a_cycle(deps, "ready")

    @routes.get(
        "/metrics",
        response_class=Response,
        responses=problem_responses() | {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    def metrics() -> Response:
        """Our own metrics in Prometheus' text format."""
        return Response(generate_latest(deps.registry), media_type=CONTENT_TYPE_LATEST)

    return routes


def _after_a_cycle(deps: Deps, status: str) -> dict[str, Any]:
    if deps.journal.last_cycle() is None:
        raise HTTPException(503, "the first cycle has not ended yet", headers={"Retry-After": "5"})
    return {"status": status}
