"""What a request can run into; each carries the HTTP status it is answered with.

ServingError
├── BadInput      400  what was sent does not fit the model or the call
├── NotFound      404  no such model, version, pipeline or service
├── Conflict      409  not now: the thing is not in the state that the call needs
├── ModelFailed   500  the model itself failed on input that fits it
└── Unavailable   503  no room, or not loaded: try again, or elsewhere
"""

from __future__ import annotations

from http import HTTPStatus
from typing import ClassVar


class ServingError(Exception):
    """Root of all errors raised on purpose; `str()` is one line fit for the caller to read."""

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR


class BadInput(ServingError):
    """What was sent does not fit the model or the call."""

    status = HTTPStatus.BAD_REQUEST


class NotFound(ServingError):
    """There is no such model, version, pipeline or service."""

    status = HTTPStatus.NOT_FOUND


class Conflict(ServingError):
    """The thing is not in the state that the call needs."""

    status = HTTPStatus.CONFLICT


class ModelFailed(ServingError):
    """The model failed on input that fits what it declares, or could not be loaded."""


class Unavailable(ServingError):
    """There is no room, or the model is not loaded."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
