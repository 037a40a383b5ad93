"""The cycle: nothing is lost when something fails, and nothing turns to zero."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from domain.errors import SettingsError, SourceUnavailable, TrimtabError
from domain.plan import Act, Hold
from domain.unknown import Unknown
from domain.workload import PurchaseMix, ServingMode, Workload
from tests.fakes.fleet import FakeDecisions, FakeFleet, Heard, an_observation
from tests.fakes.ledger import a_night
from tests.fakes.recommendations import NOON, a_hold, a_record, a_workload, an_act
from trimtab.bookkeeping import record_of
from trimtab.cycle import Cycle
from trimtab.inputs import Grounds
from trimtab.records import Record, Status, still_decided
from trimtab.rendering import to_render
from trimtab.store.database import open_database
from trimtab.store.journal import Journal
from trimtab.store.recommendations import Recommendations, Search

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
AWAY = SourceUnavailable("Prometheus http://127.0.0.1:9", "refused the connection", "start it or mend prometheus.url")


class Stage:
    """A cycle over fakes and a real store."""

    def __init__(self, url: str) -> None:
        self.database = open_database(url)
        self.fleet, self.decisions, self.heard = FakeFleet(), FakeDecisions(), Heard()
        self.emitted: list[list[str]] = []
        self.emit_fault: TrimtabError | None = None
        self.remembered: list[Grounds] = []
        ticks = itertools.count()
        self.cycle = Cycle(
            fleet=self.fleet,
            decide_all=self.decisions,
            recommendations=Recommendations(self.database),
            journal=Journal(self.database),
            remember=self.remembered.extend,
            emit=self.emit,
            notify=self.heard,
            stopwatch=lambda: float(next(ticks)),
        )

    def emit(self, _workloads: Sequence[Workload], records: Sequence[Record]) -> None:
        if self.emit_fault:
            raise self.emit_fault
        self.emitted.append([each.recommendation.workload for each in records])

    def record(self, name: str = "shop:ranker") -> Record:
        found = self.cycle.recommendations.newest_of(name)
        assert found is not None
        return found


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(f"sqlite:///{tmp_path / 'trimtab.db'}")
    yield made
    made.database.close()


def test_a_cycle_decides_stores_emits_and_notes(stage: Stage) -> None:
    outcome = stage.cycle.run(now=NOON)
    assert [record.recommendation.workload for record in outcome.records] == ["shop:ranker", "shop:search"]
    assert outcome.failure is None
    assert stage.emitted == [["shop:ranker", "shop:search"]]
    assert stage.cycle.journal.workloads() == (a_workload("shop:ranker"), a_workload("shop:search"))
    note = stage.cycle.journal.last_cycle()
    assert note is not None
    assert (note.at, note.duration_s, note.acts, note.holds, note.kept, note.failure) == (NOON, 1.0, 2, 0, 0, None)
    assert stage.record().last_seen == {"request_rate": NOON - MINUTE}


def test_objectives_of_nobody_are_in_the_log_once_a_cycle_and_not_while_the_source_is_away(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.cycle.unseen = lambda now: [f"objectives: nobody at {now:%H:%M}"]
    stage.cycle.run(now=NOON)
    stage.fleet.broken = AWAY
    stage.cycle.run(now=NOON + HOUR)
    assert [line for line in caplog.messages if line.startswith("objectives")] == ["objectives: nobody at 12:00"]


def test_the_last_recommendation_is_handed_to_the_next_decision(stage: Stage) -> None:
    stage.cycle.run(now=NOON)
    before = stage.record().recommendation
    stage.cycle.run(now=NOON + MINUTE)
    assert stage.decisions.previous["shop:ranker"] == before


def test_when_the_source_is_away_the_last_good_stays_marked_held_and_then_expires(stage: Stage) -> None:
    stage.cycle.run(now=NOON)
    good = stage.record().recommendation
    stage.fleet.broken = AWAY
    for later in (NOON + HOUR, NOON + 2 * HOUR):
        outcome = stage.cycle.run(now=later)
        record = stage.record()
        assert outcome.problems[""] is AWAY
        assert record.recommendation == good
        assert (record.status(later), record.replicas(later), record.age(later)) == (Status.HELD, 5, later - NOON)
        assert record.held is not None
        assert (record.held.since, record.held.reason) == (NOON + HOUR, str(AWAY))
    assert stage.heard.told() == [("source", False)] * 2
    stage.cycle.run(now=NOON + 7 * HOUR)
    assert stage.record().status(NOON + 7 * HOUR) is Status.EXPIRED
    assert isinstance(stage.record().replicas(NOON + 7 * HOUR), Unknown)
    assert ("expired:shop:ranker", False) in stage.heard.told()


def test_a_source_that_comes_back_needs_no_help(stage: Stage) -> None:
    stage.cycle.run(now=NOON)
    stage.fleet.broken = AWAY
    stage.cycle.run(now=NOON + HOUR)
    stage.fleet.broken = None
    stage.cycle.run(now=NOON + 2 * HOUR)
    assert stage.record().status(NOON + 2 * HOUR) is Status.OPEN
    assert stage.record().recommendation.created_at == NOON + 2 * HOUR
    assert stage.heard.told() == [("source", False), ("source", True)]
    assert not [event for event in stage.cycle.journal.events.going_on() if event.severity != "info"]


def test_one_workload_that_fails_leaves_the_others_alone(stage: Stage) -> None:
    stage.cycle.run(now=NOON)
    stage.fleet.faults = {"shop:search": AWAY}
    stage.cycle.run(now=NOON + HOUR)
    assert stage.record("shop:ranker").status(NOON + HOUR) is Status.OPEN
    assert stage.record("shop:search").status(NOON + HOUR) is Status.HELD
    assert stage.emitted[-1] == ["shop:ranker", "shop:search"]
    assert stage.heard.told() == [("held:shop:search", False)]


def test_a_decision_that_breaks_leaves_the_others_alone(stage: Stage) -> None:
    stage.cycle.run(now=NOON)
    stage.decisions.failing = ["shop:search"]
    outcome = stage.cycle.run(now=NOON + HOUR)
    assert "a fault of the decision" in str(outcome.failure)
    assert stage.record("shop:search").status(NOON + HOUR) is Status.HELD
    assert stage.record("shop:search").replicas(NOON + HOUR) == 5


def test_a_workload_of_which_nothing_was_ever_known_is_held_without_a_number(stage: Stage) -> None:
    stage.fleet.faults = {"shop:search": AWAY}
    stage.cycle.run(now=NOON)
    record = stage.record("shop:search")
    assert isinstance(record.recommendation, Hold)
    assert isinstance(record.replicas(NOON), Unknown)
    assert record.recommendation.reasons[0].detail == str(AWAY)


def test_a_source_that_never_answered_leaves_nothing_invented(stage: Stage) -> None:
    stage.fleet.broken = AWAY
    outcome = stage.cycle.run(now=NOON)
    assert outcome.records == ()
    assert stage.emitted == []


def test_a_workload_that_is_gone_is_held_until_it_expires_and_then_dropped(stage: Stage) -> None:
    stage.cycle.run(now=NOON)
    stage.fleet.names = ["shop:ranker"]
    stage.cycle.run(now=NOON + HOUR)
    assert stage.record("shop:search").status(NOON + HOUR) is Status.HELD
    stage.cycle.run(now=NOON + 7 * HOUR)
    assert stage.cycle.recommendations.newest_of("shop:search") is None


def test_a_folder_that_can_not_be_written_is_a_problem_but_no_end(stage: Stage) -> None:
    stage.emit_fault = SettingsError("folder", "/nowhere", "name one that can be written")
    outcome = stage.cycle.run(now=NOON)
    assert "artifacts" in outcome.problems
    assert len(outcome.records) == 2


def test_what_could_not_be_told_is_told_again_and_its_end_too(stage: Stage) -> None:
    stage.fleet.broken = AWAY
    stage.heard.fault = SourceUnavailable("Alertmanager", "away", "start it")
    stage.cycle.run(now=NOON)
    stage.fleet.broken = None
    stage.cycle.run(now=NOON + HOUR)
    assert [event.key for event in stage.cycle.journal.events.going_on() if event.severity != "info"] == ["source"]
    stage.heard.fault = None
    stage.cycle.run(now=NOON + 2 * HOUR)
    assert stage.heard.told() == [("source", True)]
    assert next(event for event in stage.heard.events if event.key == "source").at == NOON


def test_a_proposal_is_told_each_cycle_with_the_same_beginning_and_its_end_once_it_is_decided(stage: Stage) -> None:
    stage.fleet.names = ["shop:ranker"]
    for hours in (0, 1):
        stage.cycle.run(now=NOON + hours * HOUR)
    stage.fleet.broken = AWAY  # held is no end of it
    stage.cycle.run(now=NOON + 2 * HOUR)
    stage.fleet.broken = None
    stage.cycle.recommendations.decide(stage.record().recommendation.id, Status.ACCEPTED, NOON + 3 * HOUR)
    for hours in (3, 4):
        stage.cycle.run(now=NOON + hours * HOUR)
    key = "recommendation:shop:ranker"
    assert stage.heard.news() == [(key, False)] * 3 + [(key, True)]
    assert {event.at for event in stage.heard.events if event.key == key} == {NOON}


def test_what_got_worse_is_told_each_cycle_and_its_end_once(stage: Stage) -> None:
    yesterday = NOON.date() - timedelta(days=1)
    stage.cycle.journal.nights.add([replace(a_night(yesterday), worse=an_act().reasons[:1])], NOON)
    stage.cycle.run(now=NOON)
    stage.cycle.run(now=NOON + 5 * MINUTE)
    stage.cycle.journal.nights.add([a_night(NOON.date())], NOON + 24 * HOUR)
    stage.cycle.run(now=NOON + 24 * HOUR)
    stage.cycle.run(now=NOON + 25 * HOUR)
    assert stage.heard.told() == [("made_worse:shop:ranker", False)] * 2 + [("made_worse:shop:ranker", True)]
    assert stage.heard.events[1].at == NOON


def test_what_each_decision_rests_on_is_remembered_with_it(stage: Stage) -> None:
    stage.cycle.run(now=NOON)
    stage.cycle.run(now=NOON + 5 * MINUTE)
    [first, _, second, _] = stage.remembered
    assert second.recommendation == stage.record().recommendation.id
    assert (first.previous, second.observation.observed_at) == (None, NOON + 5 * MINUTE)
    assert second.previous is not None
    assert second.previous.id == first.recommendation


def test_what_runs_is_looked_at_in_each_cycle_but_not_in_a_recording(stage: Stage) -> None:
    stage.cycle.run(now=NOON)
    following = stage.record().following
    assert following is not None
    assert (following.offer, [step.replicas for step in following.wanted]) == ("m5.large", [5])
    stage.fleet.recorded_at = datetime(2019, 7, 29, tzinfo=UTC)
    stage.cycle.run(now=NOON + HOUR)
    assert stage.record().following is None


def test_a_dismissal_outlasts_renewals_holds_and_failures_of_the_source(stage: Stage) -> None:
    stage.cycle.run(now=NOON)
    stage.cycle.recommendations.decide(stage.record().recommendation.id, Status.DISMISSED, NOON + MINUTE, "Maria")
    stage.cycle.run(now=NOON + HOUR)
    renewed = stage.record()
    assert renewed.recommendation.created_at == NOON + HOUR
    assert (renewed.status(NOON + HOUR), renewed.decided_at) == (Status.DISMISSED, NOON + MINUTE)
    assert renewed.decided_by == "Maria"
    refused = renewed.replicas(NOON + HOUR)
    assert isinstance(refused, Unknown)
    assert "dismissed" in refused.reason
    stage.cycle.recommendations.keep([a_record(a_hold("shop:ranker", NOON + 2 * HOUR, last_good=5))])
    assert isinstance(stage.record().replicas(NOON + 2 * HOUR), Unknown)  # the number held is the one refused
    stage.cycle.run(now=NOON + 3 * HOUR)
    assert stage.record().status(NOON + 3 * HOUR) is Status.DISMISSED
    stage.fleet.broken = AWAY
    stage.cycle.run(now=NOON + 4 * HOUR)
    assert stage.record().status(NOON + 4 * HOUR) is Status.HELD
    assert isinstance(stage.record().replicas(NOON + 4 * HOUR), Unknown)
    assert stage.record("shop:search").replicas(NOON + 4 * HOUR) == 5


def test_an_acceptance_outlasts_renewals_until_another_thing_is_proposed(stage: Stage) -> None:
    stage.cycle.run(now=NOON)
    stage.cycle.recommendations.decide(stage.record().recommendation.id, Status.ACCEPTED, NOON)
    stage.cycle.run(now=NOON + HOUR)
    assert stage.record().status(NOON + HOUR) is Status.ACCEPTED
    other = an_act("shop:ranker", NOON + 2 * HOUR, mode=ServingMode.SERVERLESS)
    stage.cycle.recommendations.keep([a_record(other)])
    assert stage.record().status(NOON + 2 * HOUR) is Status.OPEN
    stage.cycle.run(now=NOON + 3 * HOUR)
    assert stage.record().status(NOON + 3 * HOUR) is Status.OPEN


def test_of_a_decision_the_store_keeps_the_one_that_was_decided_on_and_prunes_the_renewals(stage: Stage) -> None:
    stage.cycle.run(now=NOON)
    decided = stage.record().recommendation.id
    stage.cycle.recommendations.decide(decided, Status.DISMISSED, NOON)
    for hours in range(1, 6):
        stage.cycle.run(now=NOON + hours * HOUR)
    search = Search(workload="shop:ranker", status=Status.DISMISSED, sort="created_at")
    found = stage.cycle.recommendations.search(search, NOON + 5 * HOUR).records
    assert [record.recommendation.created_at for record in found] == [NOON + 5 * HOUR, NOON]
    old = stage.cycle.recommendations.search(replace(search, status=Status.SUPERSEDED), NOON + 5 * HOUR).records
    assert [record.recommendation.created_at for record in old] == [NOON + 4 * HOUR, NOON + 3 * HOUR]
    assert {record.status(NOON + 5 * HOUR) for record in old} == {Status.SUPERSEDED}


@pytest.mark.parametrize(
    "change,same",
    [
        ({"replicas": 9}, True),  # the number wanted now follows the load
        ({"mean_replicas": 24.9}, True),
        ({"mean_replicas": 25.1}, False),
        ({"mean_replicas": 14.9}, False),
        ({"offer": "m6g.large"}, False),
        ({"mode": ServingMode.SHARED}, False),
        ({"purchase": PurchaseMix(on_demand=19.0, spot=1.0)}, True),
        ({"purchase": PurchaseMix(on_demand=10.0, spot=10.0)}, False),
    ],
)
def test_a_proposal_is_materially_the_same_by_mode_offer_purchase_and_mean(change: dict[str, Any], same: bool) -> None:
    def proposing(**facts: Any) -> Act:
        act = an_act()
        way: dict[str, Any] = {"mean_replicas": 20.0, "purchase": PurchaseMix(on_demand=20.0)} | facts
        return replace(act, plan=replace(act.plan, proposed=replace(act.plan.proposed, **way)))

    assert still_decided(proposing(), proposing(**change)) is same
    assert not still_decided(a_hold(), proposing(**change))


def test_manifests_rest_on_no_proposal_that_was_dismissed_and_everything_else_does() -> None:
    dismissed = replace(a_record(), decision=Status.DISMISSED, decided_at=NOON)
    accepted = replace(a_record(an_act("shop:search")), decision=Status.ACCEPTED, decided_at=NOON)
    assert to_render("manifests", [dismissed, accepted]) == [accepted.recommendation]
    assert to_render("rules", [dismissed, accepted]) == [dismissed.recommendation, accepted.recommendation]


def test_a_recording_is_dated_now_says_so_and_is_decided_alike_again(stage: Stage) -> None:
    ended = datetime(2019, 7, 29, tzinfo=UTC)
    stage.fleet.recorded_at = ended
    stage.cycle.run(now=NOON)
    first = stage.record().recommendation
    assert (first.created_at, first.valid_until) == (NOON, NOON + 6 * HOUR)
    assert first.reasons[-1].code == "recorded_history"
    assert "2019-07-29 00:00 UTC" in first.reasons[-1].detail
    assert "calendar and schedule keep the dates of the recording" in first.reasons[-1].detail
    assert stage.record().observed_at == ended
    assert stage.record().input_age("request_rate", NOON + HOUR) == HOUR + MINUTE
    stage.cycle.run(now=NOON + HOUR)
    assert stage.decisions.previous == {}


def test_the_cost_of_a_workload_that_fails_is_unknown_and_not_left_out(stage: Stage) -> None:
    stage.fleet.faults = {"shop:search": AWAY}
    stage.cycle.run(now=NOON)
    ranker, search = stage.cycle.journal.costs(NOON.date(), NOON.date())
    assert ranker.usd == pytest.approx(560.64 * 24 / 730)
    assert search.usd == Unknown(str(AWAY))
    stage.fleet.faults = {}
    stage.cycle.run(now=NOON + 5 * MINUTE)
    assert stage.cycle.journal.costs(NOON.date(), NOON.date())[1].usd == ranker.usd


def test_a_day_on_which_the_source_was_away_is_a_day_of_unknown_cost(stage: Stage) -> None:
    stage.cycle.run(now=NOON)
    stage.fleet.broken = AWAY
    stage.cycle.run(now=NOON + 24 * HOUR)
    tomorrow = (NOON + 24 * HOUR).date()
    assert [cost.usd for cost in stage.cycle.journal.costs(tomorrow, tomorrow)] == [Unknown(str(AWAY))] * 2
    assert tomorrow in stage.cycle.journal.days_without_report(NOON.date(), (NOON + 48 * HOUR).date())


def test_a_cycle_that_breaks_off_is_counted_as_failed(stage: Stage) -> None:
    stage.cycle.run(now=NOON)
    stage.fleet.faults = {"shop:search": ValueError("a fault of the program")}  # type: ignore[dict-item]
    with pytest.raises(ValueError, match="a fault of the program"):
        stage.cycle.run(now=NOON + 5 * MINUTE)
    note = stage.cycle.journal.last_cycle()
    assert note is not None
    assert (note.at, note.failure) == (NOON + 5 * MINUTE, "the cycle broke off")
    assert stage.cycle.journal.cycle_failures() == 1
    assert stage.record().replicas(NOON + 5 * MINUTE) == 5


def test_latency_of_an_idle_workload_is_not_stale() -> None:
    """Nothing came for an hour, so nothing could be slow: an alert on old inputs must not wake anybody."""
    observation = an_observation(a_workload(), NOON)
    assert not isinstance(observation.load, Unknown)
    values = np.array([1.0, 2.0, *[0.0] * 7, np.nan])
    latency = np.array([0.1, 0.2, *[np.nan] * 8])
    load = replace(observation.load, values=values)
    seen = record_of(an_act(), replace(observation, load=load, latency=replace(load, values=latency)), NOON).last_seen
    assert seen == {"request_rate": NOON - 2 * MINUTE, "latency": NOON - 2 * MINUTE}
    busy = replace(load, values=np.array([1.0] * 10))
    seen = record_of(an_act(), replace(observation, load=busy, latency=replace(load, values=latency)), NOON).last_seen
    assert seen["latency"] == NOON - 9 * MINUTE
