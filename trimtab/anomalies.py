"""Load and spend that are out of the ordinary, as the newest decision saw them: for metrics, and as events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.plan import Json
from domain.ports import Event
from trimtab.records import Record
from trimtab.web.view import usd

FRESH = timedelta(hours=2)  # what was seen longer ago says nothing of now
KINDS = ("load", "spend")

Strange = Mapping[str, Json]
"""The strongest sign of a stretch of time, as the evidence has it: score, came, path, ..."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What is too little to be told: requests beyond those expected, or USD an hour."""

    requests: float = 20.0
    usd_per_hour: float = 0.1


def strange(record: Record, kind: str, stretch: str, now: datetime) -> Strange | None:
    """The reading of `load` or `spend` over the last hour (`now`) or the last day (`episode`); None where none is known or fresh.

    Of a recording, which stands still, nothing is told as if it happened.
    """
    recommendation = record.recommendation
    if record.observed_at != recommendation.created_at or record.age(now) > FRESH:
        return None
    reading = recommendation.evidence.anomalies.get(kind)
    found = reading.get(stretch) if isinstance(reading, Mapping) else None
    whole = isinstance(found, Mapping) and {"score", "came", "path", "excess"} <= found.keys()
    return found if isinstance(found, Mapping) and whole else None


def score_of(found: Strange) -> float:
    """Above 1 it is out of the ordinary."""
    return _number(found, "score")


def excess_requests(found: Strange) -> float:
    """Requests beyond those that were expected over the sign's window; below 0 where they were missing."""
    return _number(found, "excess")


def excess_usd_per_hour(found: Strange) -> float:
    """USD an hour beyond what was expected over the sign's window."""
    return _number(found, "came") - _number(found, "path")


def anomalies(records: Iterable[Record], now: datetime, bounds: Bounds | None = None) -> Iterator[Event]:
    """What is out of the ordinary and has been within a day."""
    least = bounds or Bounds()
    for record in records:
        name = record.recommendation.workload
        load, spend = (strange(record, kind, "episode", now) for kind in KINDS)
        if load and score_of(load) > 1 and abs(excess_requests(load)) >= least.requests:
            yield Event(
                key=f"load_anomaly:{name}",
                severity="warning",
                summary="A workload's load is out of the ordinary.",
                detail=f"{name}: {_told(load, _rps)}.",
                at=now,
            )
        if spend and score_of(spend) > 1 and excess_usd_per_hour(spend) > least.usd_per_hour:
            yield Event(
                key=f"spend_anomaly:{name}",
                severity="warning",
                summary="A workload's spend is out of the ordinary.",
                detail=f"{name}: {_told(spend, _usd_per_hour)} at its load.",
                at=now,
            )


def _told(found: Strange, unit: Callable[[float], str]) -> str:
    """What came, when, and what was expected."""
    minutes = _number(found, "window_s") / 60
    window = f"{minutes / 60:.0f} h" if minutes > 60 else f"{minutes:.0f} min"
    at = datetime.fromisoformat(str(found["at"]))
    band = ""
    if {"low", "high"} <= found.keys():
        band = f" ({max(0.0, _number(found, 'low')):.3g} to {_number(found, 'high'):.3g})"
    came, path = unit(_number(found, "came")), unit(max(0.0, _number(found, "path")))
    return f"{came} over {window} to {at:%Y-%m-%d %H:%M} UTC, where {path}{band} were expected"


def _rps(value: float) -> str:
    return f"{value:.3g} requests/s"


def _usd_per_hour(value: float) -> str:
    return f"{usd(value)} an hour"


def _number(found: Strange, name: str) -> float:
    value = found[name]
    if not isinstance(value, int | float):
        raise TypeError(f"{name} of a reading is {value!r}, not a number")
    return float(value)
