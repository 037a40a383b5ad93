"""Errors as RFC 9457 problem details, and a bound on what a body may hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitor.quality.tracker import Refused

MEDIA_TYPE = "application/problem+json"
DOCUMENTED: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "What was sent is wrong", "content": {MEDIA_TYPE: {"schema": {"type": "object"}}}}
}


def install(app: FastAPI) -> None:
    """Answer every error of the application as a problem."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(AnyHTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _unforeseen)


def _problem(status: int, detail: str, errors: Sequence[Mapping[str, str]] = ()) -> Response:
    body: dict[str, Any] = {"status": status, "title": HTTPStatus(status).phrase, "detail": detail}
    if errors:
        body["errors"] = list(errors)
    return JSONResponse(body, status, media_type=MEDIA_TYPE)


async def _refused(_: Request, error: Exception) -> Response:
    return _problem(HTTPStatus.BAD_REQUEST, str(error))


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, AnyHTTPException)  # noqa: S101  registered for this type only
    return _problem(error.status_code, str(error.detail))


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  registered for this type only
    errors = [{"detail": found["msg"], "pointer": _pointer(found)} for found in error.errors()]
    return _problem(HTTPStatus.BAD_REQUEST, "; ".join(f"{e['pointer']}: {e['detail']}" for e in errors), errors)


async def _unforeseen(_: Request, __: Exception) -> Response:
    return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "the exporter failed; its log says why")


def _pointer(found: Mapping[str, Any]) -> str:
    """A JSON pointer into the body; where that is no JSON, to the whole of it."""
    steps = () if found["type"] == "json_invalid" else found["loc"][1:]
    return "/".join(("#", *(str(step).replace("~", "~0").replace("/", "~1") for step in steps)))


class LimitBody:
    """Refuses with 413 to read more than `most` bytes of a body, whatever its headers promise."""

    def __init__(self, app: ASGIApp, *, most: int) -> None:
        self._app, self._most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        read = 0

        async def limited() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._most:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body may hold {self._most} bytes")
            return message

        await self._app(scope, limited if scope["type"] == "http" else receive, send)
