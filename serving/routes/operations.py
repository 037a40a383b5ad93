"""Probes and metrics."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from serving.errors import Unavailable
from serving.problems import documented
from serving.state import ThisServer

router = APIRouter(tags=["operations"])


@router.get("/health")
async def health() -> dict[str, str]:
    """The process lives and answers."""
    return {"status": "ok"}


@router.get("/ready", responses=documented(503))
async def ready(server: ThisServer) -> dict[str, str]:
    """Requests may come: every model is loaded, and the server is not about to stop."""
    problem = server.not_ready_because()
    if problem:
        raise Unavailable(problem)
    return {"status": "ok"}


@router.get("/startup", responses=documented(503))
async def startup(server: ThisServer) -> dict[str, str]:
    """The first loading of models is over, well or badly."""
    if not server.started:
        raise Unavailable("models are being loaded")
    return {"status": "ok"}


@router.get("/metrics", response_class=Response)
def metrics(server: ThisServer) -> Response:
    """Prometheus text format."""
    return Response(generate_latest(server.metrics.registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)
