"""The inputs of a decision to JSON text and pieces of bytes, and back, without loss to the last bit.

Dataclasses are `{"": name, field: value, ...}`, for any dataclass and enumeration that the types of
`Inputs` name, so that another input needs nothing here. What JSON has no word for is an object with
one key that begins with `$`. Arrays are bytes in pieces; a load history is cut at midnight (UTC), so that
whole days are the same pieces in every decision that sees them. A price book is a text of its own, with its pieces.
`previous` is a recommendation of the store and is kept there.
"""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum, StrEnum
from functools import cache, singledispatch
from hashlib import sha256
from typing import Any, get_args, get_type_hints

import numpy as np
from numpy.typing import NDArray

from domain.errors import StoreError
from domain.load import LoadHistory
from domain.plan import Recommendation
from domain.prices import PriceBook
from optimizer.fingerprint import Fields
from trimtab.inputs import Inputs

FORM = 1  # of text and pieces; another form is refused
DAY, MICROSECOND = timedelta(days=1), timedelta(microseconds=1)
APART = "previous"
PLAIN = {str, int, bool, type(None)}
MANY: Mapping[str, Callable[[Iterable[Any]], Any]] = {"$list": list, "$set": frozenset}
ONE: Mapping[str, Callable[[Any], Any]] = {
    "$float": float.fromhex,
    "$date": date.fromisoformat,
    "$at": datetime.fromisoformat,
    "$us": lambda us: us * MICROSECOND,
}


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes and their hash."""

    data: bytes
    sha256: str

    @classmethod
    def of(cls, data: bytes) -> Piece:
        """The piece that holds `data`."""
        return cls(data, sha256(data).hexdigest())


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text (JSON), which names its pieces by their place."""

    text: Piece
    pieces: tuple[Piece, ...]


@dataclass(slots=True)
class Encoder:
    """Encodes the inputs of many decisions; the price book that they share is encoded once."""

    book: tuple[PriceBook, Encoded] | None = None
    pieces: list[Piece] = field(default_factory=list)

    def encode(self, inputs: Inputs) -> Encoded:
        """Text and pieces; TypeError for what has no form here."""
        self.pieces = []
        parts = {each.name: plain(getattr(inputs, each.name), self) for each in fields(inputs) if each.name != APART}
        return Encoded(Piece.of(_text(parts).encode()), tuple(self.pieces))

    def place(self, *pieces: Piece) -> int:
        """The place of the first of these pieces, which follow those that are there."""
        self.pieces.extend(pieces)
        return len(self.pieces) - len(pieces)

    def of_book(self, book: PriceBook) -> Encoded:
        """The book with pieces of its own; the very object of last time needs no work."""
        if self.book is None or self.book[0] is not book:
            alone = Encoder()
            rows = {each.name: plain(getattr(book, each.name), alone) for each in fields(book)}
            self.book = book, Encoded(Piece.of(_text(rows).encode()), tuple(alone.pieces))
        return self.book[1]


def plain(value: Any, encoder: Encoder) -> Any:
    """`value` as JSON, its arrays as pieces of the encoder; TypeError for what has no form."""
    return value if type(value) in PLAIN else _formed(value, encoder)


@singledispatch
def _formed(value: Any, encoder: Encoder) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {"": type(value).__name__, **{f.name: plain(getattr(value, f.name), encoder) for f in fields(value)}}
    raise TypeError(f"{type(value).__name__} cannot be stored as an input of a decision")


@_formed.register
def _(value: float, _encoder: Encoder) -> Any:
    return value if math.isfinite(value) else {"$float": value.hex()}


@_formed.register(Enum)
@_formed.register(StrEnum)  # it is a str first
def _(value: Enum, _encoder: Encoder) -> Any:
    return {"": type(value).__name__, "$of": value.value}


@_formed.register
def _(value: date, _encoder: Encoder) -> Any:
    return {"$date": value.isoformat()}


@_formed.register
def _(value: datetime, _encoder: Encoder) -> Any:
    return {"$at": value.isoformat()}


@_formed.register
def _(value: timedelta, _encoder: Encoder) -> Any:
    return {"$us": value // MICROSECOND}


@_formed.register(tuple)
def _(value: tuple[Any, ...], encoder: Encoder) -> Any:
    return [plain(each, encoder) for each in value]


@_formed.register(list)
def _(value: list[Any], encoder: Encoder) -> Any:
    return {"$list": [plain(each, encoder) for each in value]}


@_formed.register(frozenset)
def _(value: frozenset[Any], encoder: Encoder) -> Any:
    return {"$set": sorted((plain(each, encoder) for each in value), key=_text)}


@_formed.register(Mapping)
def _(value: Mapping[str, Any], encoder: Encoder) -> Any:
    return {"$map": [[key, plain(each, encoder)] for key, each in value.items()]}


@_formed.register(np.ndarray)
def _(value: NDArray[Any], encoder: Encoder) -> Any:
    return _array(value, [], encoder)


@_formed.register
def _(value: LoadHistory, encoder: Encoder) -> Any:
    start, step = plain(value.start, encoder), plain(value.step, encoder)
    values = _array(value.values, list(_midnights(value)), encoder)
    return {"": LoadHistory.__name__, "start": start, "step": step, "values": values}


@_formed.register
def _(value: PriceBook, encoder: Encoder) -> Any:
    alone = encoder.of_book(value)
    return {"": PriceBook.__name__, "$piece": encoder.place(alone.text, *alone.pieces)}


def _array(value: NDArray[Any], cuts: Sequence[int], encoder: Encoder) -> Any:
    little = np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<"))
    places = [encoder.place(Piece.of(part.tobytes())) for part in np.split(little, cuts)]
    return {"$array": little.dtype.str, "shape": list(value.shape), "pieces": places}


def decode(text: bytes, pieces: Sequence[bytes], previous: Recommendation | None) -> Inputs:
    """The inputs in text and pieces by an Encoder; StoreError for any other."""
    try:
        return Inputs(**{name: _value(part, pieces) for name, part in json.loads(text).items()}, previous=previous)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as fault:
        raise StoreError(f"stored inputs cannot be read: {fault!r}") from fault


def lacking(text: bytes, pieces: Sequence[bytes]) -> Fields:
    """Fields that the dataclasses have here and a text that `decode` reads has not: a version that did not know them wrote it."""
    return frozenset(_lacking(json.loads(text), pieces))


def _lacking(body: Any, pieces: Sequence[bytes]) -> Iterator[tuple[str, str]]:
    if isinstance(body, list):
        for each in body:
            yield from _lacking(each, pieces)
    elif isinstance(body, Mapping):
        body, pieces = _opened(body, pieces)
        kind = classes().get(body.get("", ""))
        if is_dataclass(kind):
            yield from ((kind.__name__, each.name) for each in fields(kind) if each.name not in body)
        for part in body.values():
            yield from _lacking(part, pieces)


def _opened(body: Mapping[str, Any], pieces: Sequence[bytes]) -> tuple[Mapping[str, Any], Sequence[bytes]]:
    """A dataclass's body with the pieces that it names; that of a price book is a text of its own, and they follow it."""
    if "$piece" not in body:
        return body, pieces
    text, *rest = pieces[body["$piece"] :]
    return {"": body[""], **json.loads(text)}, rest


def _value(body: Any, pieces: Sequence[bytes]) -> Any:
    if isinstance(body, list):
        return tuple(_value(each, pieces) for each in body)
    if not isinstance(body, Mapping):
        return body
    if "" in body:
        return _object(classes()[body[""]], body, pieces)
    return _to_array(body, pieces) if "$array" in body else _marked(body, pieces)


def _marked(body: Mapping[str, Any], pieces: Sequence[bytes]) -> Any:
    [(kind, value)] = body.items()
    if kind == "$map":
        return {key: _value(each, pieces) for key, each in value}
    if kind in MANY:
        return MANY[kind](_value(each, pieces) for each in value)
    return ONE[kind](value)


def _object(kind: type, body: Mapping[str, Any], pieces: Sequence[bytes]) -> Any:
    if issubclass(kind, Enum):
        return kind(body["$of"])
    body, pieces = _opened(body, pieces)
    return kind(**{name: _value(part, pieces) for name, part in body.items() if name})


def _to_array(body: Mapping[str, Any], pieces: Sequence[bytes]) -> NDArray[Any]:
    kind = np.dtype(body["$array"])
    parts = [np.frombuffer(pieces[place], dtype=kind) for place in body["pieces"]]
    return np.concatenate(parts).reshape(body["shape"])


def _midnights(history: LoadHistory) -> Iterator[int]:
    """Places in the history's values of the first step of each later day (UTC)."""
    midnight = datetime.combine(history.start.date(), time(), UTC) + DAY
    while midnight < history.end:
        yield -int((history.start - midnight) // history.step)
        midnight += DAY


@cache
def classes() -> Mapping[str, type]:
    """Every dataclass and enumeration that the types of `Inputs` name, by name; ValueError for two of one name."""
    found: dict[str, type] = {}
    waiting: list[Any] = [kind for name, kind in get_type_hints(Inputs).items() if name != APART]
    while waiting:
        kind = waiting.pop()
        waiting.extend(get_args(kind))
        if not (inspect.isclass(kind) and (is_dataclass(kind) or issubclass(kind, Enum))):
            continue
        if kind.__name__ not in found:
            found[kind.__name__] = kind
            waiting.extend(get_type_hints(kind).values() if is_dataclass(kind) else ())
        elif found[kind.__name__] is not kind:
            raise ValueError(f"two inputs are called {kind.__name__}: {kind} and {found[kind.__name__]}")
    return found


def _text(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
