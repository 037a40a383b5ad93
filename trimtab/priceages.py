"""How old the prices are that a recommendation rests on: shown beside every figure made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from domain.plan import Evidence, Json
from domain.unknown import Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Sourced:
    """Where one price came from, the day it was true and that of the rate it was exchanged at; None where that is not known."""

    source: str
    as_of: date | None
    rate_as_of: date | None = None


def prices_used(evidence: Evidence) -> tuple[Sourced, ...]:
    """Source and dates of each price that the evidence names."""
    used = evidence.prices.get("used")
    rows = used if isinstance(used, Sequence) and not isinstance(used, str) else ()
    named = [row for row in rows if isinstance(row, Mapping) and row.get("source")]
    return tuple(
        Sourced(source=str(row["source"]), as_of=_date(row.get("as_of")), rate_as_of=_date(row.get("rate_as_of")))
        for row in named
    )


def price_age(evidence: Evidence, today: date) -> timedelta | Unknown:
    """Age of the oldest price or exchange rate; Unknown where none was used, or none of them has a date.

    0 where a recorded history is older than the price.
    """
    used = prices_used(evidence)
    dates = [each for price in used for each in (price.as_of, price.rate_as_of) if each is not None]
    if not dates:
        return Unknown("no dated price was used" if used else "no price was used")
    return max(timedelta(0), today - min(dates))


def age_text(evidence: Evidence, today: date) -> str | None:
    """`prices 127 d old`, and whether some have no date; None where no price was used."""
    used, age = prices_used(evidence), price_age(evidence, today)
    if not used:
        return None
    if isinstance(age, Unknown):
        return "prices of an unknown date"
    undated = ", some of an unknown date" if any(price.as_of is None for price in used) else ""
    return f"prices {age.days} d old{undated}"


def _date(value: Json) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else None
