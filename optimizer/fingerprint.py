"""A hash of everything a decision saw, so that it can be shown to be recomputed from the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache, singledispatch

import numpy as np
from numpy.typing import NDArray

from domain.prices import PriceBook

Fields = frozenset[tuple[str, str]]  # a dataclass and one of its fields, by name
NONE: Fields = frozenset()


def fingerprint(*inputs: object, without: Fields = NONE) -> str:
    """SHA-256 over a canonical serialisation of the inputs: the same facts give the same hash anywhere.

    `without` are fields that are left out, as a version that did not know them would.
    """
    facts = [
        _book(each, without) if isinstance(each, PriceBook) else _left(canonical(each), without) for each in inputs
    ]
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _left(value: object, without: Fields) -> object:
    """What is left of a canonical value without these fields."""
    if not without:
        return value
    if isinstance(value, list):
        return [_left(each, without) for each in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("")
    return {name: _left(part, without) for name, part in value.items() if (kind, name) not in without}


@singledispatch
def canonical(value: object) -> object:
    """`value` as plain JSON, dataclasses with their type names; TypeError for what has no canonical form."""
    if is_dataclass(value) and not isinstance(value, type):
        parts = {field.name: canonical(getattr(value, field.name)) for field in fields(value)}
        return {"": type(value).__name__, **parts}
    raise TypeError(f"{type(value).__name__} has no canonical form")


@canonical.register(bool)
@canonical.register(int)
@canonical.register(str)
@canonical.register(type(None))
def _plain(value: object) -> object:
    return value


@canonical.register
def _float(value: float) -> object:
    return value.hex()  # exact, and able to say nan and inf


@canonical.register
def _date(value: date) -> object:
    return value.isoformat()


@canonical.register
def _moment(value: datetime) -> object:
    return value.astimezone(UTC).isoformat()


@canonical.register
def _span(value: timedelta) -> object:
    return f"{value // timedelta(microseconds=1)}us"


@canonical.register(list)
@canonical.register(tuple)
def _sequence(value: Sequence[object]) -> object:
    return [canonical(each) for each in value]


@canonical.register(frozenset)
def _set(value: frozenset[object]) -> object:
    return sorted(str(canonical(each)) for each in value)


@canonical.register(Mapping)
def _mapping(value: Mapping[object, object]) -> object:
    return {str(key): canonical(each) for key, each in value.items()}


@canonical.register(np.ndarray)
def _array(value: NDArray[np.float64]) -> object:
    numbers = np.where(np.isnan(value), np.nan, value)  # one NaN of the many
    return hashlib.sha256(np.ascontiguousarray(numbers, dtype="<f8").tobytes()).hexdigest()


@canonical.register
def _prices(value: PriceBook) -> object:
    return _book(value, NONE)


@lru_cache(maxsize=8)
def _book(book: PriceBook, without: Fields) -> str:
    """A price book has thousands of rows and is the same for a whole fleet: hashed once."""
    tables = (book.offers, book.commitments, book.tariffs, book.availability)
    parts = [[_left(canonical(row), without) for row in rows] for rows in tables]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
