"""Middleware that counts and times every request, and one that bounds its body. Plain ASGI: no extra task a request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.metrics import UNMATCHED, Answered, Metrics

_CALL = "serving.call"


@dataclass(slots=True)
class Call:
    """One request under way; `concerns` says which deployed model it asks to infer."""

    metrics: Metrics
    model: str = ""

    def concerns(self, model: str) -> None:
        """Count the arrival, once, as soon as the model is known."""
        if not self.model:
            self.model = model
            self.metrics.arrived(model)


def _current_call(request: Request) -> Call:
    call: Call = request.scope[_CALL]
    return call


CurrentCall = Annotated[Call, Depends(_current_call)]


class Measure:
    """Counts every HTTP request with the status that was sent, an unhandled error as 500."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, clock: Callable[[], float]) -> None:
        self._app, self._metrics, self._clock = app, metrics, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = self._clock(), int(HTTPStatus.INTERNAL_SERVER_ERROR)
        call = scope[_CALL] = Call(self._metrics)

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            answered = Answered(_endpoint(scope), call.model, status, self._clock() - began)
            self._metrics.answered(answered)


def _endpoint(scope: Scope) -> str:
    """The template of the route that matched; FastAPI's own routes have no parameters, so their path is one."""
    if "route" in scope:
        template: str = scope["route"].path
        return template
    return scope["path"] if "endpoint" in scope else UNMATCHED


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
