"""The inputs of decisions in the store: packed, and what many of them share kept once."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from typing import TypeVar

from sqlalchemy import delete, func, insert, or_, select
from sqlalchemy.orm import Session

from domain.errors import StoreError
from optimizer.fingerprint import Fields
from optimizer.unthreaded import arithmetic
from trimtab.inputs import Inputs
from trimtab.store.codec import decode as to_recommendation
from trimtab.store.database import Database
from trimtab.store.input_codec import FORM, Encoded, Encoder, Piece, decode, lacking
from trimtab.store.recommendations import followed, taken_up
from trimtab.store.tables import InputRow, PieceRow, RecommendationRow

Value = TypeVar("Value")
AT_ONCE = 500  # values in one statement, well below what any database takes
UNSEEN = {"synchronize_session": False}  # nothing that is deleted has been read in the same transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Inputs as they were kept, and the version of Trimtab and the arithmetic that decided on them (None: not written down then).

    `unknown_then` are the fields of inputs that version did not know.
    """

    inputs: Inputs
    unknown_then: Fields
    version: str
    arithmetic: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What is stored: how many recommendations have their inputs, and bytes of their own and of shared pieces."""

    recommendations: int
    own_bytes: int
    piece_bytes: int


class InputStore:
    """Inputs by the id of the recommendation they led to. Every method raises StoreError when the database fails."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._encoder = Encoder()

    def keep(self, decided: Mapping[str, Inputs]) -> None:
        """Store the inputs of these recommendations, each in a transaction of its own: others need not wait for all."""
        for name, inputs in decided.items():
            encoded = self._encoded(name, inputs)
            with self._database.session() as session:
                session.merge(
                    InputRow(
                        recommendation=name,
                        form=FORM,
                        version=version("trimtab"),
                        arithmetic=arithmetic(),
                        previous=None if inputs.previous is None else inputs.previous.id,
                        body=zlib.compress(encoded.text.data),
                        pieces=_keep_pieces(session, encoded.pieces),
                    )
                )

    def _encoded(self, name: str, inputs: Inputs) -> Encoded:
        try:
            return self._encoder.encode(inputs)
        except TypeError as fault:
            raise StoreError(f"the inputs of {name} cannot be stored: {fault}") from fault

    def of(self, recommendation_id: str) -> Kept | None:
        """The inputs of a recommendation; None if they are not kept, StoreError if they are not what was kept."""
        with self._database.session() as session:
            row = session.get(InputRow, recommendation_id)
            if row is None:
                return None
            if row.form != FORM:
                raise StoreError(
                    f"the inputs of {recommendation_id} are stored in form {row.form}; read here is {FORM}"
                )
            before = None if row.previous is None else session.get(RecommendationRow, row.previous)
            if row.previous is not None and before is None:
                raise StoreError(f"the recommendation {row.previous}, which was before {recommendation_id}, is gone")
            previous = None if before is None else to_recommendation(before.body)
            text, pieces = _unpacked(row.body), list(_pieces(session, row.pieces))
            inputs = decode(text, pieces, previous)
            return Kept(
                inputs=inputs,
                unknown_then=lacking(text, pieces),
                version=row.version,
                arithmetic=row.arithmetic,
            )

    def prune(self) -> None:
        """Forget the inputs of what is superseded, was never decided on and never applied; and pieces none rests on."""
        needed = select(RecommendationRow.id).where(
            or_(RecommendationRow.latest, taken_up(), RecommendationRow.id.in_(followed()))
        )
        with self._database.session() as session:
            session.execute(delete(InputRow).where(InputRow.recommendation.not_in(needed)), execution_options=UNSEEN)
            used = {piece for pieces in session.scalars(select(InputRow.pieces)) for piece in pieces}
            idle = [piece for piece in session.scalars(select(PieceRow.id)) if piece not in used]
            for some in _in_parts(idle):
                session.execute(delete(PieceRow).where(PieceRow.id.in_(some)), execution_options=UNSEEN)

    def size(self) -> Size:
        """How much is stored."""
        with self._database.session() as session:
            own = session.execute(select(func.count(), func.coalesce(func.sum(func.length(InputRow.body)), 0))).one()
            shared = session.scalar(select(func.coalesce(func.sum(func.length(PieceRow.data)), 0)))
            return Size(recommendations=own[0], own_bytes=own[1], piece_bytes=shared or 0)


def _keep_pieces(session: Session, pieces: Sequence[Piece]) -> list[int]:
    """The ids of these pieces in order; those not stored yet are."""
    known = _known(session, [piece.sha256 for piece in pieces])
    fresh = {piece.sha256: piece.data for piece in pieces if piece.sha256 not in known}
    if fresh:
        rows = [{"sha256": mark, "data": zlib.compress(data)} for mark, data in fresh.items()]
        session.execute(insert(PieceRow), rows)
        known |= _known(session, list(fresh))
    return [known[piece.sha256] for piece in pieces]


def _known(session: Session, hashes: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for some in _in_parts(hashes):
        rows = session.execute(select(PieceRow.sha256, PieceRow.id).where(PieceRow.sha256.in_(some)))
        found.update((row.sha256, row.id) for row in rows)
    return found


def _pieces(session: Session, wanted: Sequence[int]) -> Iterator[bytes]:
    """The pieces by their ids, in order; StoreError for one that is gone or is not what its hash says."""
    found: dict[int, bytes] = {}
    for some in _in_parts(wanted):
        for row in session.scalars(select(PieceRow).where(PieceRow.id.in_(some))):
            data = _unpacked(row.data)
            if sha256(data).hexdigest() != row.sha256:
                raise StoreError(f"piece {row.id} of stored inputs is not what was stored: its hash differs")
            found[row.id] = data
    for piece in wanted:
        if piece not in found:
            raise StoreError(f"piece {piece} of stored inputs is gone")
        yield found[piece]


def _unpacked(data: bytes) -> bytes:
    try:
        return zlib.decompress(data)
    except zlib.error as fault:
        raise StoreError(f"stored inputs cannot be unpacked: {fault}") from fault


def _in_parts(values: Sequence[Value]) -> Iterator[Sequence[Value]]:
    return (values[first : first + AT_ONCE] for first in range(0, len(values), AT_ONCE))
