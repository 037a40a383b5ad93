"""How old the prices are that a recommendation rests on: shown beside every figure made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from domain.plan import Evidence, Json
from domain.prices import age_on
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
    """Age of the oldest price or exchange rate; Unknown where none was used, or the age of none is known.

    It is not known of a price without a date, nor of one that `today`, in a recorded history, comes before.
    """
    ages = _ages(evidence, today)
    known = [age for age in ages if not isinstance(age, Unknown)]
    if known:
        return max(known)
    return Unknown(f"the prices are {_whys(ages)[0]}" if ages else "no price was used")


def age_text(evidence: Evidence, today: date) -> str | None:
    """`prices 127 d old`, and of what some are whose age is not known; None where no price was used."""
    ages, age = _ages(evidence, today), price_age(evidence, today)
    if not ages:
        return None
    if isinstance(age, Unknown):
        return f"prices {_whys(ages)[0]}"
    return f"prices {age.days} d old" + "".join(f", some {why}" for why in _whys(ages))


def _ages(evidence: Evidence, today: date) -> list[timedelta | Unknown]:
    return [age_on(today, price.as_of, price.rate_as_of) for price in prices_used(evidence)]


def _whys(ages: Sequence[timedelta | Unknown]) -> list[str]:
    return list(dict.fromkeys(age.reason for age in ages if isinstance(age, Unknown)))


def _date(value: Json) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else None
