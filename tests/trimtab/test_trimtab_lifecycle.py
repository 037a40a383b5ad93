"""The life of a recommendation: from status to status only as the table says, in the record and in the store alike."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import select

from domain.workload import ServingMode
from tests.fakes.recommendations import NOON, a_hold, a_record, an_act
from trimtab.following import APPLIED_AFTER, Following
from trimtab.records import NEXT, Held, Record, Status
from trimtab.store.database import Database, open_database
from trimtab.store.recommendations import Recommendations, _record, _status
from trimtab.store.tables import RecommendationRow as Row

HOUR = timedelta(hours=1)
DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture
def kept(database: Database) -> Recommendations:
    return Recommendations(database)


def followed(first: str, since: datetime, last: datetime) -> Following:
    return Following(mode=ServingMode.DEDICATED, offer="m5.large", first=first, since=since, last=last)


def renewed(at: datetime, *, first: str | None = None, since: datetime | None = None) -> Record:
    """A renewal at `at`, followed since `since` by what runs (None: it is not)."""
    record = a_record(an_act(at=at))
    if first is None or since is None:
        return record
    state = followed(first, since, at)
    return replace(record, following=state, applied_at=state.applied_at)


class Life(RuleBasedStateMachine):
    """Anything that may happen to the recommendations of one workload, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.database = open_database("sqlite://")
        self.kept = Recommendations(self.database)
        self.now = NOON
        self.seen: dict[str, Status] = {}
        self.first: tuple[str, datetime] | None = None

    def teardown(self) -> None:
        self.database.close()

    def newest(self) -> Record | None:
        return self.kept.newest_of("shop:ranker")

    @rule(minutes=st.sampled_from([5, 70, 400]), kind=st.sampled_from(["same", "other", "hold"]), follows=st.booleans())
    def a_cycle(self, minutes: int, kind: str, follows: bool) -> None:
        self.now += timedelta(minutes=minutes)
        stood = self.newest()
        if not follows or stood is None:
            self.first = None
        elif self.first is None:
            self.first = stood.recommendation.id, self.now
        record = renewed(self.now, first=self.first and self.first[0], since=self.first and self.first[1])
        if kind != "same":
            other = an_act(at=self.now, mode=ServingMode.SHARED)
            record = replace(record, recommendation=other if kind == "other" else a_hold("shop:ranker", self.now))
        self.kept.keep([record])

    @rule(decision=st.sampled_from([Status.ACCEPTED, Status.DISMISSED]))
    def a_decision(self, decision: Status) -> None:
        newest = self.newest()
        if newest is not None and newest.status(self.now) is not Status.EXPIRED:
            self.kept.decide(newest.recommendation.id, decision, self.now)

    @rule()
    def the_source_goes_away(self) -> None:
        self.kept.hold(["shop:ranker"], Held(since=self.now, reason="refused"))

    @rule()
    def time_passes(self) -> None:
        self.now += 7 * HOUR

    @rule()
    def the_workload_goes(self) -> None:
        self.kept.retire(["shop:ranker"])

    @invariant()
    def each_status_is_legal_and_the_same_in_a_search(self) -> None:
        with self.database.session() as session:
            found = [(_record(row), Status(status)) for row, status in session.execute(select(Row, _status(self.now)))]
        for record, status in found:
            assert record.status(self.now) is status
            before = self.seen.get(record.recommendation.id, status)
            assert status is before or status in NEXT[before], f"{before} -> {status}"
        self.seen = {record.recommendation.id: status for record, status in found}


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)


def test_the_table_is_in_the_docs() -> None:
    text = (DOCS / "savings.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \|[^|]*\| ([^|]*) \|$", text, flags=re.MULTILINE))
    assert rows == {status.value: ", ".join(sorted(each.value for each in NEXT[status])) for status in Status}


def test_what_is_followed_without_a_word_is_applied_and_so_is_the_one_that_was_first(kept: Recommendations) -> None:
    first = a_record(an_act())
    kept.keep([first])
    since = NOON + HOUR
    for minutes in range(0, 65, 5):
        kept.keep([renewed(since + timedelta(minutes=minutes), first=first.recommendation.id, since=since)])
    newest, old = kept.newest_of("shop:ranker"), kept.find(first.recommendation.id)
    assert newest is not None
    assert old is not None
    assert (newest.status(since + APPLIED_AFTER), newest.applied_at) == (Status.APPLIED, since)
    assert (old.status(since + APPLIED_AFTER), old.applied_at) == (Status.APPLIED, since)
    kept.keep([renewed(since + 2 * HOUR)])
    gone = kept.newest_of("shop:ranker")
    assert gone is not None
    assert gone.status(since + 2 * HOUR) is Status.OPEN, "applied is what is seen now"
    assert old.status(since + 2 * HOUR) is Status.APPLIED, "that it was applied stays said of the old one"


def test_an_accepted_one_is_marked_as_applied_though_others_stood_when_it_was_followed(kept: Recommendations) -> None:
    kept.keep([a_record(an_act())])
    kept.decide(an_act().id, Status.ACCEPTED, NOON)
    between = renewed(NOON + HOUR)
    kept.keep([between])
    since = NOON + 2 * HOUR
    kept.keep([renewed(since + APPLIED_AFTER, first=between.recommendation.id, since=since)])
    accepted = kept.find(an_act().id)
    assert accepted is not None
    assert (accepted.decision, accepted.status(since), accepted.applied_at) == (Status.ACCEPTED, Status.APPLIED, since)
    newest = kept.newest_of("shop:ranker")
    assert newest is not None
    assert (newest.decision, newest.status(since + APPLIED_AFTER)) == (Status.ACCEPTED, Status.APPLIED)


def test_whoever_refuses_what_runs_is_heard_first(kept: Recommendations) -> None:
    kept.keep([a_record(an_act())])
    kept.decide(an_act().id, Status.DISMISSED, NOON)
    kept.keep([renewed(NOON + 3 * HOUR, first=an_act().id, since=NOON + HOUR)])
    newest = kept.newest_of("shop:ranker")
    assert newest is not None
    assert newest.status(NOON + 3 * HOUR) is Status.DISMISSED
    kept.decide(newest.recommendation.id, Status.ACCEPTED, NOON + 3 * HOUR)
    again = kept.newest_of("shop:ranker")
    assert again is not None
    assert again.status(NOON + 3 * HOUR) is Status.APPLIED


def test_saying_it_again_is_no_new_decision(kept: Recommendations) -> None:
    kept.keep([a_record(an_act())])
    kept.decide(an_act().id, Status.ACCEPTED, NOON)
    again = kept.decide(an_act().id, Status.ACCEPTED, NOON + HOUR)
    assert again is not None
    assert again.decided_at == NOON


def test_what_the_first_one_rests_on_is_not_pruned_before_it_is_known_to_be_applied(kept: Recommendations) -> None:
    """Where a cycle runs once a day, the one that was first followed is days old by then."""
    first = a_record(an_act())
    kept.keep([first, a_record(an_act("other"))])
    kept.keep([a_record(an_act(at=NOON + 10 * timedelta(minutes=1)))])
    kept.keep([renewed(NOON + 5 * HOUR, first=first.recommendation.id, since=NOON + 5 * HOUR)])
    kept.prune(NOON + 50 * HOUR)
    assert kept.find(first.recommendation.id) is not None
