"""A replica that became slower is told as an event, while it is news."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.plan import Json
from tests.fakes.recommendations import NOON, a_record, an_act
from trimtab.bookkeeping import events_of
from trimtab.notify import labels_of
from trimtab.records import Record


def drifted(share: float, since: str = "2026-03-01T12:00:00Z", version: Json = None) -> Record:
    act = an_act()
    capacity = {**act.evidence.capacity, "drift": {"since": since, "share": share, "version": version, "chance": 0.004}}
    return a_record(replace(act, evidence=replace(act.evidence, capacity=capacity)))


def test_it_is_told_with_its_share_its_date_and_its_version() -> None:
    (event,) = events_of([drifted(0.8, version="7")], {}, NOON)
    assert (event.key, event.severity) == ("slower:shop:ranker", "warning")
    assert event.summary == "A replica of shop:ranker carries less than it did."
    assert event.detail == (
        "Since 2026-03-01 12:00 UTC, with version 7 it carries 80% of what it carried before within its SLO."
    )
    assert labels_of(event)["alertname"] == "TrimtabSlower"


@pytest.mark.parametrize(
    "record",
    [drifted(1.25), drifted(0.8, since="2026-02-20T00:00:00Z"), a_record()],
    ids=["faster", "old news", "no change"],
)
def test_what_became_faster_or_is_no_news_is_not_told(record: Record) -> None:
    assert list(events_of([record], {}, NOON)) == []


def test_once_the_recommendation_has_expired_only_that_is_told() -> None:
    assert [event.key for event in events_of([drifted(0.8)], {}, NOON + timedelta(days=1))] == ["expired:shop:ranker"]
