"""The registry of services, which Prometheus can read as its targets."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictStr

from serving.problems import documented
from serving.state import ThisServer

router = APIRouter(tags=["services"])


def _http_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
        raise ValueError("must be http://HOST[:PORT] or https://HOST[:PORT]")
    return url.rstrip("/")


Name = Annotated[StrictStr, Field(min_length=1, max_length=128)]
Url = Annotated[StrictStr, Field(max_length=512), AfterValidator(_http_address)]


class RegisterRequest(BaseModel):
    """An instance reports itself; it is forgotten `ttl_seconds` later unless it does so again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    url: Url
    ttl_seconds: Annotated[float, Field(ge=1, le=3600)] = 30.0


@router.post("/services", status_code=201, responses={200: {"description": "Renewed"}, **documented(400, 503)})
async def register(body: RegisterRequest, server: ThisServer, response: Response) -> dict[str, Any]:
    """Register an instance (201) or renew it (200)."""
    if not server.instances.register(body.name, body.url, body.ttl_seconds):
        response.status_code = 200
    return {"name": body.name, "url": body.url, "expires_in_seconds": body.ttl_seconds}


@router.get("/services")
async def services(server: ThisServer) -> dict[str, list[dict[str, Any]]]:
    """The instances that reported themselves in time."""
    alive = server.instances.alive()
    left = [{"name": i.name, "url": i.url, "expires_in_seconds": server.instances.left_s(i)} for i in alive]
    return {"services": left}


@router.get("/services/targets")
async def targets(server: ThisServer) -> list[dict[str, Any]]:
    """The same as Prometheus' `http_sd_configs` reads it."""
    return [
        {
            "targets": [urlsplit(instance.url).netloc],
            "labels": {"service": instance.name, "__scheme__": urlsplit(instance.url).scheme},
        }
        for instance in server.instances.alive()
    ]


@router.delete("/services/{name}", status_code=204, responses=documented(404))
async def remove(server: ThisServer, name: str, url: Url) -> Response:
    """Forget one instance of a service."""
    server.instances.remove(name, url)
    return Response(status_code=204)
