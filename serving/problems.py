"""How errors are told: `{"error": ...}` below /v2 as its protocol says, elsewhere RFC 9457 problem details."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from serving.errors import ServingError

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = "1"

_PROBLEM = {"type": "object", "properties": {"status": {"type": "integer"}, "title": {}, "detail": {}, "errors": {}}}
_OIP_ERROR = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}


def documented(*statuses: int, oip: bool = False) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route, for the OpenAPI document."""
    content = {"application/json": {"schema": _OIP_ERROR}} if oip else {MEDIA_TYPE: {"schema": _PROBLEM}}
    told: dict[int | str, dict[str, Any]] = {
        status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses
    }
    return {**told, "4XX": {"description": "Any other refusal", "content": content}}


def install(app: FastAPI) -> None:
    """Answer every error of the application in its one form."""
    app.add_exception_handler(ServingError, _serving_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _unforeseen)


def _answer(
    request: Request,
    status: int,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[Mapping[str, str]] = (),
) -> Response:
    told = dict(headers or {})
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        told["Retry-After"] = RETRY_AFTER_S
    path = request.url.path
    if path == "/v2" or path.startswith("/v2/"):
        return JSONResponse({"error": detail}, status, told)
    body: dict[str, Any] = {"status": status, "title": HTTPStatus(status).phrase, "detail": detail}
    if errors:
        body["errors"] = list(errors)
    return JSONResponse(body, status, told, MEDIA_TYPE)


async def _serving_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ServingError)  # noqa: S101  registered for this type only
    return _answer(request, error.status, str(error))


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  registered for this type only
    return _answer(request, error.status_code, str(error.detail), headers=error.headers)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  registered for this type only
    errors = [_complaint(found) for found in error.errors()]
    told = "; ".join(f"{found['pointer']}: {found['detail']}" for found in errors)
    return _answer(request, HTTPStatus.BAD_REQUEST, told, errors=errors)


async def _unforeseen(request: Request, _: Exception) -> Response:
    return _answer(request, HTTPStatus.INTERNAL_SERVER_ERROR, "the server failed; its log says why")


def _complaint(found: Mapping[str, Any]) -> dict[str, str]:
    """One of pydantic's findings, in the words of RFC 9457's example."""
    if found["type"] == "json_invalid":
        return {"detail": f"no JSON at character {found['loc'][-1]}: {found['ctx']['error']}", "pointer": "#"}
    return {"detail": found["msg"], "pointer": _pointer(found["loc"])}


def _pointer(location: Sequence[int | str]) -> str:
    """A JSON pointer into the body, or the name of the parameter for what stands elsewhere."""
    where, *steps = location
    escaped = [str(step).replace("~", "~0").replace("/", "~1") for step in steps]
    return "/".join(("#", *escaped)) if where == "body" else f"{where} {'.'.join(map(str, steps))}"
