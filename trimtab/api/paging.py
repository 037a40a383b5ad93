"""Opaque cursors: where to go on, bound to the question they belong to."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from starlette.exceptions import HTTPException

Place = Sequence[Any]


def write_cursor(place: Place | None, *question: object) -> str | None:
    """A cursor for the place; None at the end."""
    if place is None:
        return None
    return urlsafe_b64encode(json.dumps([_mark(question), *place]).encode()).decode().rstrip("=")


def read_cursor(cursor: str | None, size: int, *question: object) -> tuple[Any, ...] | None:
    """The place of `size` values in a cursor; 422 for one that is not of this very question."""
    if cursor is None:
        return None
    try:
        mark, *place = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError):
        raise HTTPException(422, "cursor: not one that was given out; leave it out to begin again") from None
    if mark != _mark(question) or len(place) != size:
        raise HTTPException(422, "cursor: belongs to another question; keep the other parameters as they were")
    return tuple(place)


def _mark(question: tuple[object, ...]) -> str:
    return sha256(repr(question).encode()).hexdigest()[:12]
