"""Pipelines: a batch of inputs through a deployed model, in the background."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, StrictStr

from serving.errors import Conflict
from serving.pipelines import MOST_INPUTS, Pipeline, Stage
from serving.problems import documented
from serving.state import ThisServer

router = APIRouter(tags=["pipelines"])


class StartRequest(BaseModel):
    """Each input is what `input_data` of `/predict` would be."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    model_id: StrictStr
    inputs: Annotated[list[list[Any] | dict[str, list[Any]]], Field(min_length=1, max_length=MOST_INPUTS)]


def _status(pipeline: Pipeline) -> dict[str, Any]:
    return {
        "id": pipeline.id,
        "model_id": pipeline.model_id,
        "status": str(pipeline.stage),
        "done": len(pipeline.results),
        "total": pipeline.total,
        "started_at": f"{pipeline.started_at:%Y-%m-%dT%H:%M:%SZ}",
        "ended_at": f"{pipeline.ended_at:%Y-%m-%dT%H:%M:%SZ}" if pipeline.ended_at else None,
        "detail": pipeline.detail,
    }


@router.post("/pipelines/start", status_code=202, responses=documented(400, 404, 413, 503))
async def start(body: StartRequest, server: ThisServer, response: Response) -> dict[str, Any]:
    """Begin a batch; `Location` is where to ask how far it is. One batch runs at a time."""
    model = server.deployments.serving(body.model_id)
    pipeline = server.pipelines.start(model.name, body.inputs)
    response.headers["Location"] = f"/pipelines/{pipeline.id}/status"
    return _status(pipeline)


@router.get("/pipelines/{pipeline_id}/status", responses=documented(404))
async def status(server: ThisServer, pipeline_id: str) -> dict[str, Any]:
    """How far a batch is; `failed` names the input that failed, and why."""
    return _status(server.pipelines.get(pipeline_id))


@router.get("/pipelines/{pipeline_id}/results", responses=documented(404, 409))
async def results(server: ThisServer, pipeline_id: str) -> dict[str, Any]:
    """The answers of an ended batch, in the order of its inputs; of a failed one, those before the failure."""
    pipeline = server.pipelines.get(pipeline_id)
    if pipeline.stage is Stage.RUNNING:
        raise Conflict(f"pipeline {pipeline_id!r} is still running: {len(pipeline.results)} of {pipeline.total} done")
    return {"id": pipeline.id, "status": str(pipeline.stage), "results": pipeline.results}
