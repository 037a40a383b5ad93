"""Errors as RFC 9457 problem details (`application/problem+json`), and their place in the OpenAPI document."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from domain.errors import TrimtabError

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
LONGEST_VALUE = 80
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri-reference"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"detail": {"type": "string"}, "pointer": {"type": "string"}},
            },
        },
    },
}


class Problem(JSONResponse):
    """A problem as a response."""

    media_type = MEDIA_TYPE


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries for errors that a route may answer with, besides those that every route may."""
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": SCHEMA}}}
        for status in sorted({*statuses, 405, 422, 500, 503})
    }


def problem(
    request: Request,
    status: int,
    detail: str,
    *,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Problem:
    """One problem; the title is that of the status, for no type of our own is needed (`about:blank`)."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request.url.path,
    }
    if errors:
        body["errors"] = errors
    return Problem(body, status_code=status, headers=dict(headers or {}))


def install(app: FastAPI) -> None:
    """Every error of `app` is a problem from now on."""

    @app.exception_handler(HTTPException)
    async def _http(request: Request, fault: HTTPException) -> Problem:
        headers = dict(fault.headers or {})
        if "GET" in headers.get("Allow", ""):
            headers["Allow"] += ", HEAD"  # `trimtab.api.heads` answers it wherever GET is answered
        return problem(request, fault.status_code, _detail(request, fault), headers=headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, fault: RequestValidationError) -> Problem:
        errors = [
            {"detail": _said(error), "pointer": "#/" + "/".join(str(part) for part in error["loc"])}
            for error in fault.errors()
        ]
        named = "; ".join(f"{error['pointer']}: {error['detail']}" for error in errors)
        return problem(request, 422, named, errors=errors)

    @app.exception_handler(TrimtabError)
    async def _ours(request: Request, fault: TrimtabError) -> Problem:
        log.warning("%s", fault)
        return problem(request, 503, str(fault), headers={"Retry-After": "10"})

    @app.exception_handler(Exception)
    async def _broken(request: Request, fault: Exception) -> Problem:
        log.error("%s %s failed", request.method, request.url.path, exc_info=fault)
        return problem(request, 500, "the request could not be answered; the log of the server says why")


def _said(error: Mapping[str, Any]) -> str:
    """What is wrong, with the value where there is one that fits on a line."""
    value, said = repr(error.get("input")), str(error["msg"])
    return said if error["type"] == "missing" or len(value) > LONGEST_VALUE else f"{value} is not usable; {said}"


def _detail(request: Request, fault: HTTPException) -> str:
    """What Starlette leaves as a bare phrase is said in full."""
    if fault.status_code == HTTPStatus.NOT_FOUND and fault.detail == HTTPStatus.NOT_FOUND.phrase:
        return f"there is nothing at {request.url.path}; /openapi.json lists what there is"
    if fault.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return f"{request.method} is not possible here"
    return str(fault.detail)
