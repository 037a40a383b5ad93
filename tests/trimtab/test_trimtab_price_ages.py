"""The age of prices wherever a figure made of them is shown."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date

import pytest

from domain.unknown import Unknown
from tests.fakes.recommendations import NOON, a_record, an_act, an_evidence
from trimtab.present import recommendation_body
from trimtab.priceages import age_text, price_age
from trimtab.records import Record
from trimtab.tables import write


def priced(*used: dict[str, str | None]) -> Record:
    return a_record(replace(an_act(), evidence=replace(an_evidence(), prices={"used": list(used)})))


OLD: dict[str, str | None] = {"what": "m5.large on demand", "source": "list", "as_of": "2026-01-01"}
NEW: dict[str, str | None] = {"what": "spot", "source": "list", "as_of": "2026-02-20", "rate_as_of": "2025-12-02"}
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


def test_a_price_from_after_a_recorded_history_is_not_old() -> None:
    age = price_age(priced(OLD).recommendation.evidence, date(2020, 1, 1))
    assert not isinstance(age, Unknown)
    assert age.days == 0
