"""The age of prices wherever a figure made of them is shown."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date, timedelta

import pytest

from domain.prices import Exchange, Price, PriceBook, age_on
from domain.unknown import Unknown
from optimizer.modes.market import priced_at
from tests.fakes.recommendations import NOON, a_record, an_act, an_evidence
from tests.optimizer.cases import machine
from trimtab.present import recommendation_body
from trimtab.priceages import age_text, price_age
from trimtab.pricetable import Filter, rows_of
from trimtab.records import Record
from trimtab.tables import write


def priced(*used: dict[str, str | None]) -> Record:
    return a_record(replace(an_act(), evidence=replace(an_evidence(), prices={"used": list(used)})))


OLD: dict[str, str | None] = {"what": "m5.large on demand", "source": "list", "as_of": "2026-01-01"}
NEW: dict[str, str | None] = {"what": "spot", "source": "list", "as_of": "2026-02-20", "rate_as_of": "2025-12-02"}
LATER: dict[str, str | None] = {"what": "spot", "source": "list", "as_of": "2026-02-20"}
UNDATED = {"what": "warm", "source": "copy", "as_of": None}


@pytest.mark.parametrize(
    "record,days,said",
    [
        (priced(OLD), 60, "prices 60 d old"),
        (priced(OLD, NEW), 90, "prices 90 d old"),
        (priced(OLD, UNDATED), 60, "prices 60 d old, some of an unknown date"),
        (priced(UNDATED), None, "prices of an unknown date"),
        (priced(), None, None),
    ],
)
def test_the_age_of_the_oldest_price_or_rate_is_in_every_form(
    record: Record, days: int | None, said: str | None
) -> None:
    """JSON, table and CSV; the page and the report say the same (in their own tests)."""
    evidence = record.recommendation.evidence
    assert age_text(evidence, NOON.date()) == said
    body = recommendation_body(record, NOON)
    assert body["price_age_days"] == days
    [row] = csv.DictReader(io.StringIO(write("csv", [record], NOON)))
    assert row["price_age_days"] == ("" if days is None else str(days))
    assert ("not known" if days is None else f"{days} d") in write("table", [record], NOON)
    if days is None:
        assert body["unknown"]["price_age_days"]


def test_the_age_of_a_price_from_after_a_recorded_history_is_not_known() -> None:
    """It is never 0: what was paid on that day is not known."""
    evidence, day = priced(OLD, NEW).recommendation.evidence, date(2020, 1, 1)
    assert price_age(evidence, day) == Unknown("the prices are of 2026-01-01, after 2020-01-01")
    assert age_text(evidence, day) == "prices of 2026-01-01, after 2020-01-01"
    assert age_text(evidence, date(2026, 1, 3)) == "prices 32 d old"
    assert age_text(priced(OLD, LATER).recommendation.evidence, date(2026, 1, 3)) == (
        "prices 2 d old, some of 2026-02-20, after 2026-01-03"
    )


@pytest.mark.parametrize(
    "as_of,rate_as_of,age",
    [
        (date(2026, 1, 1), None, timedelta(days=59)),
        (date(2026, 1, 1), date(2025, 12, 31), timedelta(days=60)),
        (date(2026, 1, 1), date(2026, 2, 1), timedelta(days=59)),
        (date(2026, 3, 1), None, timedelta(0)),
        (None, date(2026, 1, 1), Unknown("of an unknown date")),
        (date(2030, 1, 1), None, Unknown("of 2030-01-01, after 2026-03-01")),
    ],
)
def test_there_is_one_age_the_older_of_price_and_rate_wherever_it_is_told(
    as_of: date | None, rate_as_of: date | None, age: timedelta | Unknown
) -> None:
    """In the domain, in the evidence and in the table of prices; never negative."""
    today = date(2026, 3, 1)
    rate = None if rate_as_of is None else Exchange(currency="EUR", usd_per_unit=1.1, as_of=rate_as_of, source="a bank")
    price = Price(amount=0.1, source="list", as_of=as_of, exchange=rate)
    assert age_on(today, as_of, rate_as_of) == price.age(today) == priced_at("box", price, "hour").age(today) == age
    book = PriceBook(offers=(machine("box", 0.1, on_demand=price),))
    [row] = rows_of(book, Filter(), today)["machines"]
    assert row["age_days"] == (None if isinstance(age, Unknown) else age.days)
