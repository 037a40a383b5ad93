"""The Open Inference Protocol v2: health, metadata and inference. Clients judge health by the status code."""

from __future__ import annotations

from functools import partial
from importlib.metadata import version as installed_version
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

from serving.measure import CurrentCall
from serving.model import Model
from serving.predict import InferRequest, infer
from serving.problems import documented
from serving.state import ThisServer

router = APIRouter(tags=["open inference protocol v2"])

NAME = "trimtab-serving"
PLATFORM = "onnxruntime_onnx"


@router.get("/v2")
async def server_metadata() -> dict[str, Any]:
    """Which server this is; no extension of the protocol is implemented."""
    return {"name": NAME, "version": installed_version("trimtab"), "extensions": []}


@router.get("/v2/health/live")
async def live() -> dict[str, bool]:
    """The process lives and answers."""
    return {"live": True}


@router.get("/v2/health/ready")
async def server_ready(server: ThisServer) -> JSONResponse:
    """All models are ready: 200, else 503."""
    ready = not server.not_ready_because()
    return JSONResponse({"live": True, "ready": ready}, 200 if ready else 503)


@router.get("/v2/models/{name}", responses=documented(404, 503, oip=True))
@router.get("/v2/models/{name}/versions/{version}", responses=documented(404, 503, oip=True))
async def model_metadata(server: ThisServer, name: str, version: str | None = None) -> dict[str, Any]:
    """Inputs and outputs of a deployed model; -1 is a free dimension."""
    model = server.deployments.serving(name, version)
    return {
        "name": model.name,
        "versions": [model.version],
        "platform": PLATFORM,
        "inputs": [spec.as_json() for spec in model.inputs],
        "outputs": [spec.as_json() for spec in model.outputs],
    }


@router.get("/v2/models/{name}/ready", responses=documented(404, oip=True))
@router.get("/v2/models/{name}/versions/{version}/ready", responses=documented(404, oip=True))
async def model_ready(server: ThisServer, name: str, version: str | None = None) -> JSONResponse:
    """Whether a deployed model answers: 200, else 503."""
    ready = server.deployments.get(name, version).model is not None and not server.draining
    return JSONResponse({"name": name, "ready": ready}, 200 if ready else 503)


def _asked_to_infer(server: ThisServer, call: CurrentCall, name: str, version: str | None = None) -> Model:
    """The model in the path. A dependency, so that a body that is refused is counted under its model too."""
    model = server.deployments.serving(name, version)
    call.concerns(model.name)
    return model


@router.post("/v2/models/{name}/infer", responses=documented(400, 404, 413, 500, 503, oip=True))
@router.post("/v2/models/{name}/versions/{version}/infer", responses=documented(400, 404, 413, 500, 503, oip=True))
async def infer_(
    body: InferRequest, model: Annotated[Model, Depends(_asked_to_infer)], server: ThisServer
) -> JSONResponse:
    """Run tensors through a deployed model."""
    return JSONResponse(await server.workers.run(partial(infer, model, body)))
