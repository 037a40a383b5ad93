"""Rows of the ledger to JSON text and back, without loss: `decode_night(encode_night(row)) == row`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from typing import Any

from domain.errors import StoreError
from domain.ledger import PARTS, Gap, LedgerNight
from domain.plan import Reason
from domain.unknown import Unknown
from trimtab.store.codec import reason_body

FIGURES = tuple(
    each.name
    for each in fields(LedgerNight)
    if each.name.endswith(("_usd", "_share", "_before", "_missed", "requests"))
)


def encode_night(row: LedgerNight) -> str:
    """JSON text; an Unknown is `{"unknown": reason}`."""
    body: dict[str, Any] = {name: _known(getattr(row, name)) for name in FIGURES}
    gap = row.gap
    return json.dumps(
        body
        | {
            "night": row.night.isoformat(),
            "workload": row.workload,
            "recommendation_id": row.recommendation_id,
            "taken_up_at": row.taken_up_at.isoformat(),
            "taken_up": row.taken_up,
            "gap": _known(gap)
            if isinstance(gap, Unknown)
            else {name: _known(part) for name, part in gap.parts().items()},
            "budget": row.budget,
            "worse": [reason_body(reason) for reason in row.worse],
        },
        allow_nan=False,
    )


def decode_night(text: str) -> LedgerNight:
    """The row in a text by `encode_night`; StoreError for any other."""
    try:
        body = json.loads(text)
        return LedgerNight(
            night=date.fromisoformat(body["night"]),
            workload=body["workload"],
            recommendation_id=body["recommendation_id"],
            taken_up_at=datetime.fromisoformat(body["taken_up_at"]),
            taken_up=body["taken_up"],
            gap=_to_gap(body["gap"]),
            budget=body["budget"],
            worse=tuple(Reason(**reason) for reason in body["worse"]),
            **{name: _to_known(body[name]) for name in FIGURES},
        )
    except (KeyError, TypeError, ValueError) as fault:
        raise StoreError(f"a stored night of the ledger cannot be read: {fault!r}") from fault


def _known(value: float | Unknown) -> Any:
    return {"unknown": value.reason} if isinstance(value, Unknown) else value


def _to_known(body: Any) -> Any:
    return Unknown(body["unknown"]) if isinstance(body, Mapping) else body


def _to_gap(body: Mapping[str, Any]) -> Gap | Unknown:
    return Unknown(body["unknown"]) if "unknown" in body else Gap(**{name: _to_known(body[name]) for name in PARTS})
