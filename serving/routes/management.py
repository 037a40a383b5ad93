"""Which models are deployed: list, deploy, withdraw."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Response
from pydantic import BaseModel, ConfigDict, Field

from serving.deployments import Deployment
from serving.problems import documented
from serving.state import ThisServer

router = APIRouter(tags=["models"])


class DeployRequest(BaseModel):
    """Which version; the newest in the models folder if none is named."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Annotated[str, Field(pattern="^[0-9]+$")] | None = None


def _as_json(deployment: Deployment) -> dict[str, Any]:
    shown = {"id": deployment.name, "version": deployment.version, "state": str(deployment.state)}
    if deployment.detail:
        shown["detail"] = deployment.detail
    if deployment.model is None:
        return shown
    return {**shown, "sha256": deployment.model.sha256, "load_seconds": deployment.model.load_seconds}


@router.get("/models")
async def models(server: ThisServer) -> dict[str, list[dict[str, Any]]]:
    """What is deployed, and every version that could be."""
    folder = server.deployments.folder
    available = [{"id": name, "versions": list(folder.versions(name))} for name in folder.names()]
    return {"deployed": [_as_json(one) for one in server.deployments.all()], "available": available}


@router.post("/models/{name}/deploy", responses=documented(400, 404, 500, 503))
async def deploy(server: ThisServer, name: str, body: Annotated[DeployRequest | None, Body()] = None) -> dict[str, Any]:
    """Load a version from the models folder and serve it; what was served before stays if that fails."""
    try:
        return _as_json(await server.deployments.deploy(name, body.version if body else None))
    finally:
        server.publish()


@router.delete("/models/{name}", status_code=204, responses=documented(404))
async def withdraw(server: ThisServer, name: str) -> Response:
    """Stop serving a model; its files stay."""
    await server.deployments.withdraw(name)
    server.publish()
    return Response(status_code=204)
