"""The proofs of alert rules, as last replayed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from domain.unknown import Unknown
from rules import About, Episode, Proof, Proofs, Reading
from trimtab.store.database import Database
from trimtab.store.tables import ProofRow


class ProofStore:
    """One row an alert. Every method raises StoreError when the database fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, proofs: Proofs, *, at: datetime, only: frozenset[About]) -> None:
        """Store these, in place of earlier ones; what is not among `only` is forgotten."""
        with self._database.session() as session:
            for (workload, alert), proof in proofs.items():
                session.merge(ProofRow(workload=workload, alert=alert, at=at, body=_body(proof)))
            session.flush()
            for row in session.scalars(select(ProofRow)):
                if (row.workload, row.alert) not in only:
                    session.delete(row)

    def all(self) -> Proofs:
        """Every proof, by workload and alert."""
        with self._database.session() as session:
            rows = session.scalars(select(ProofRow).order_by(ProofRow.workload, ProofRow.alert))
            return {(row.workload, row.alert): _proof(row.body) for row in rows}


def _body(proof: Proof | Unknown) -> dict[str, Any]:
    if isinstance(proof, Unknown):
        return {"unknown": proof.reason}
    return {
        "rule": proof.rule,
        "start": proof.start.isoformat(),
        "end": proof.end.isoformat(),
        "known": proof.known,
        "reading": proof.reading.value,
        "episodes": [[each.start.isoformat(), each.end.isoformat(), dict(each.labels)] for each in proof.episodes],
    }


def _proof(body: Mapping[str, Any]) -> Proof | Unknown:
    if "unknown" in body:
        return Unknown(body["unknown"])
    return Proof(
        rule=body["rule"],
        start=datetime.fromisoformat(body["start"]),
        end=datetime.fromisoformat(body["end"]),
        known=body["known"],
        reading=Reading(body["reading"]),
        episodes=tuple(
            Episode(start=datetime.fromisoformat(start), end=datetime.fromisoformat(end), labels=labels)
            for start, end, labels in body["episodes"]
        ),
    )
