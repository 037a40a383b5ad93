"""Nights are booked once, each when it has ended; what could not be read is asked for again, and never booked as nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import delete

from domain.errors import BadAnswer, SourceUnavailable, TrimtabError
from domain.ledger import LedgerNight
from domain.observation import Observation
from domain.plan import Act
from domain.unknown import Unknown
from domain.workload import Workload
from optimizer.guardrails import GuardrailOptions
from tests.fakes.ledger import NIGHT, a_night
from tests.fakes.recommendations import NOON, a_record, an_act
from tests.optimizer.cases import MONDAY
from tests.optimizer.ledger_cases import BOOK, DEDICATED, OPTIONS, periodic, seen
from trimtab.following import Following
from trimtab.inputs import Inputs
from trimtab.ledger import Bookkeeper, worse_events
from trimtab.records import Record, Status
from trimtab.store.database import Database
from trimtab.store.inputs import InputStore
from trimtab.store.journal import Journal
from trimtab.store.ledger_codec import decode_night, encode_night
from trimtab.store.recommendations import Recommendations
from trimtab.store.tables import InputRow
from trimtab.wiring import decide_on

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
DECIDED = MONDAY + 10 * DAY
LONG = periodic(60)


def gone(at: datetime) -> SourceUnavailable:
    return SourceUnavailable("Prometheus", f"refused at {at}", "start it")


@dataclass
class World:
    """A bookkeeper over a real store, and a source that a test can break."""

    database: Database
    replicas: float = 12.0
    fault: Callable[[datetime], TrimtabError | None] = lambda _: None
    asked: list[datetime] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.kept, self.journal = Recommendations(self.database), Journal(self.database)
        self.bookkeeper = Bookkeeper(
            recommendations=self.kept,
            journal=self.journal,
            inputs=InputStore(self.database),
            observe=self.observe,
            book=BOOK,
            noise=GuardrailOptions(),
        )
        self.journal.keep_workloads([DEDICATED])

    def observe(self, workload: Workload, at: datetime) -> Observation:
        assert workload == DEDICATED
        self.asked.append(at)
        if fault := self.fault(at):
            raise fault
        return seen(LONG.until(at).since(at - 11 * DAY), self.replicas)

    def accept(self, record: Record, inputs: Inputs, at: datetime = DECIDED + HOUR) -> Act:
        act = record.recommendation
        assert isinstance(act, Act)
        self.kept.keep([record])
        self.bookkeeper.inputs.keep({act.id: inputs})
        self.kept.decide(act.id, Status.ACCEPTED, at)
        return act

    def book(self, now: datetime) -> list[int]:
        """Days of October that were booked now."""
        return [row.night.day for row in self.bookkeeper.catch_up(now=now)]

    def rows(self) -> Sequence[LedgerNight]:
        return self.bookkeeper.between(date(2026, 1, 1), date(2027, 1, 1)).nights


@pytest.fixture(scope="module")
def decision() -> tuple[Record, Inputs]:
    """From twelve static replicas to what the load needs."""
    inputs = Inputs(observation=seen(LONG.until(DECIDED)), book=BOOK, options=OPTIONS, previous=None)
    return a_record(decide_on(inputs)), inputs


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


def test_each_night_that_has_ended_is_booked_once(world: World, decision: tuple[Record, Inputs]) -> None:
    act = world.accept(*decision)
    assert world.book(DECIDED + 20 * HOUR) == [], "the day it was accepted on is no whole one"
    assert world.book(DECIDED + 2 * DAY) == [16]
    assert world.book(DECIDED + 2 * DAY + HOUR) == []
    assert world.book(DECIDED + 5 * DAY) == [17, 18, 19]
    assert world.asked == [DECIDED + n * DAY for n in (2, 3, 4, 5)], "each night is asked for when it has ended, once"
    assert [row.night.day for row in world.rows()] == [16, 17, 18, 19]
    assert {(row.recommendation_id, row.taken_up_at, row.taken_up) for row in world.rows()} == {
        (act.id, DECIDED + HOUR, "accepted")
    }
    assert {row.realised_usd for row in world.rows()} == {0.0}, "twelve replicas ran on"
    assert {row.followed_share for row in world.rows()} == {0.0}


def test_what_is_booked_stays_as_it_is(world: World, decision: tuple[Record, Inputs]) -> None:
    world.accept(*decision)
    world.book(DECIDED + 2 * DAY)
    before = world.rows()
    world.journal.nights.add([replace(before[0], realised_usd=99.0)], NOON)
    assert world.rows() == before


def test_a_source_that_is_away_is_asked_again_the_next_time(world: World, decision: tuple[Record, Inputs]) -> None:
    world.accept(*decision)
    world.fault = lambda at: gone(at) if at == DECIDED + 3 * DAY else None
    assert world.book(DECIDED + 5 * DAY) == [16]
    assert world.asked[-1] == DECIDED + 3 * DAY, "nothing else is asked of a source that cannot be reached"
    world.fault = lambda _: None
    assert world.book(DECIDED + 5 * DAY + HOUR) == [17, 18, 19]


def test_a_night_that_is_never_answered_for_is_booked_as_not_known_in_the_end(
    world: World, decision: tuple[Record, Inputs]
) -> None:
    world.accept(*decision)
    world.fault = lambda at: (
        BadAnswer("Prometheus", "too many samples", "ask for less") if at == DECIDED + 2 * DAY else None
    )
    assert world.book(DECIDED + 4 * DAY) == [17, 18]
    assert world.book(DECIDED + 9 * DAY) == [16, 19, 20, 21, 22, 23]
    row = world.rows()[0]
    assert row.realised_usd == row.gap == Unknown("Prometheus: too many samples; ask for less")
    assert not isinstance(row.promised_usd, Unknown)
    totals = world.bookkeeper.between(date(2026, 10, 1), date(2026, 10, 31)).totals
    assert (totals.nights, totals.known_nights) == (8, 7)


def test_nights_longer_ago_than_a_month_are_not_caught_up(world: World, decision: tuple[Record, Inputs]) -> None:
    world.accept(*decision)
    world.fault = lambda _: BadAnswer("Prometheus", "too many samples", "ask for less")
    now = DECIDED + 40 * DAY
    assert len(world.book(now)) == 31 - 7, "the newer ones may still be answered for"
    assert world.rows()[0].night == (now - 31 * DAY).date()


@pytest.mark.parametrize("renewed", [False, True])
def test_who_takes_it_back_ends_it(world: World, decision: tuple[Record, Inputs], renewed: bool) -> None:
    """Also on a renewal, which carries what was said of the first."""
    act = world.accept(*decision)
    newest = act
    if renewed:
        newest = replace(act, id="renewed", created_at=act.created_at + 2 * HOUR)
        world.kept.keep([a_record(newest)])
    world.book(DECIDED + 2 * DAY)
    world.kept.decide(newest.id, Status.DISMISSED, DECIDED + 2 * DAY)
    assert world.book(DECIDED + 4 * DAY) == []
    assert [row.night.day for row in world.rows()] == [16], "what was booked stays"
    assert world.journal.nights.standing((DECIDED + 4 * DAY).date()) == ()


def test_what_is_followed_without_a_word_is_booked_too(world: World, decision: tuple[Record, Inputs]) -> None:
    record, inputs = decision
    act = record.recommendation
    since = DECIDED + HOUR
    world.kept.keep([record])
    world.bookkeeper.inputs.keep({act.id: inputs})
    proposed = act.plan.proposed  # type: ignore[union-attr]
    state = Following(mode=proposed.mode, offer=proposed.offer, first=act.id, since=since, last=since + HOUR)
    renewal = replace(act, id="renewed", created_at=since + HOUR)
    world.kept.keep([replace(a_record(renewal), following=state, applied_at=state.applied_at)])
    assert world.book(DECIDED + 2 * DAY) == [16]
    assert (world.rows()[0].recommendation_id, world.rows()[0].taken_up) == (act.id, "applied")


def test_a_renewal_that_was_followed_first_is_no_second_one(world: World, decision: tuple[Record, Inputs]) -> None:
    """It carries the acceptance, and stood when what runs began to follow; what was taken up is the one accepted."""
    act = world.accept(*decision)
    between = replace(act, id="between", created_at=DECIDED + 2 * HOUR)
    world.kept.keep([a_record(between)])
    world.bookkeeper.inputs.keep({"between": decision[1]})
    proposed = act.plan.proposed
    since = DECIDED + 3 * HOUR
    state = Following(mode=proposed.mode, offer=proposed.offer, first="between", since=since, last=since + HOUR)
    newest = replace(act, id="newest", created_at=since + HOUR)
    world.kept.keep([replace(a_record(newest), following=state, applied_at=state.applied_at)])
    world.book(DECIDED + 2 * DAY)
    assert [(row.recommendation_id, row.taken_up_at, row.taken_up) for row in world.rows()] == [
        (act.id, DECIDED + HOUR, "accepted")
    ]


def test_a_workload_that_is_gone_is_booked_no_more(world: World, decision: tuple[Record, Inputs]) -> None:
    world.accept(*decision)
    world.journal.keep_workloads([])
    assert world.book(DECIDED + 3 * DAY) == []


def test_without_its_inputs_a_promise_is_known_and_its_outcome_is_not(
    world: World, decision: tuple[Record, Inputs]
) -> None:
    act = world.accept(*decision)
    with world.database.session() as session:
        session.execute(delete(InputRow))
    world.book(DECIDED + 2 * DAY)
    [row] = world.rows()
    assert row.realised_usd == Unknown(f"the inputs of {act.id} are not stored: an earlier version decided it")
    assert row.budget == DEDICATED.slo.budget


def test_a_row_comes_back_as_it_went_in(world: World, decision: tuple[Record, Inputs]) -> None:
    world.accept(*decision)
    world.replicas = np.nan
    world.book(DECIDED + 2 * DAY)
    unknown = world.rows()[0]
    assert isinstance(unknown.ran_usd, Unknown)
    for row in (a_night(), unknown):
        assert decode_night(encode_night(row)) == row


def test_how_a_workload_stands_is_a_month_at_the_rate_of_its_last_week(world: World) -> None:
    nights, today = world.journal.nights, NIGHT + 10 * DAY
    rows = [replace(a_night(NIGHT + n * DAY), realised_usd=float(n), workload="w") for n in range(10)]
    rows[9] = replace(rows[9], realised_usd=Unknown("gone"), gap=Unknown("gone"))
    other = a_night(NIGHT + 8 * DAY, "w", "another")
    nights.add([*rows, other], NOON)
    [standing] = nights.standing(today)
    assert standing.night == NIGHT + 8 * DAY
    assert standing.realised_usd_per_month == pytest.approx((2 + 3 + 4 + 5 + 6 + 7 + 8 + 5) / 7 * 730 / 24)
    assert standing.promised_usd_per_month == pytest.approx(8 * 6 / 7 * 730 / 24)
    nights.add([replace(a_night(NIGHT + 8 * DAY, "w", "a third"), realised_usd=Unknown("gone"))], NOON)
    [standing] = nights.standing(today)
    assert standing.night == NIGHT + 7 * DAY, "of a night everything has to be known"
    assert nights.standing(NIGHT + 30 * DAY) == (), "what was two weeks ago tells nothing of now"


def test_what_got_worse_is_an_event_until_a_night_shows_that_it_is_over(world: World) -> None:
    nights = world.journal.nights
    bad = replace(a_night(), worse=an_act().reasons[:1])
    nights.add([bad], NOON)
    unknown = replace(a_night(NIGHT + DAY), realised_usd=Unknown("gone"), gap=Unknown("gone"))
    nights.add([unknown], NOON)
    [event] = worse_events(nights.standing(NIGHT + 2 * DAY), NOON)
    assert (event.key, event.severity, event.at) == ("made_worse:shop:ranker", "warning", NOON)
    assert event.summary == "What was recommended has made shop:ranker worse."
    assert event.detail == f"{bad.worse[0].detail} (as of the night of 2026-03-02)"
    nights.add([a_night(NIGHT + 2 * DAY)], NOON)
    assert list(worse_events(nights.standing(NIGHT + 3 * DAY), NOON)) == []
