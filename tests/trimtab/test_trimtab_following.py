"""Applied is what is seen to run, for long enough, whoever made it do so."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from domain.load import LoadHistory
from domain.observation import Observation, RunningState
from domain.plan import Act
from domain.unknown import Unknown
from domain.workload import PurchaseMix, ServingMode
from tests.fakes.fleet import an_observation
from tests.fakes.recommendations import NOON, a_hold, a_workload, an_act
from trimtab.following import APPLIED_AFTER, Following, following
from trimtab.store.following_codec import following_body, to_following

MINUTE, STEP = timedelta(minutes=1), timedelta(minutes=5)


def runs(ready: float | None, at: datetime, **facts: Any) -> Observation:
    """Dedicated on m5.large as proposed, with so many replicas ready (None: not counted lately)."""
    state: dict[str, Any] = {"mode": ServingMode.DEDICATED, "offer": "m5.large"} | facts
    running = RunningState(replicas=99, purchase=PurchaseMix(on_demand=1.0), **state)
    counted = np.full(12, np.nan if ready is None else ready)
    return replace(
        an_observation(a_workload(), at),
        running=running,
        replicas=LoadHistory(start=at - 12 * STEP, step=STEP, values=counted),
    )


def proposing(replicas: int, at: datetime, **facts: Any) -> Act:
    act = an_act(at=at)
    return replace(act, plan=replace(act.plan, proposed=replace(act.plan.proposed, replicas=replicas, **facts)))


class Watching:
    """Cycles five minutes apart, in which `wanted` replicas are proposed and `ready` run."""

    def __init__(self) -> None:
        self.now, self.stood = NOON, ""
        self.state: Following | None = None

    def cycle(self, ready: float | None, wanted: int = 5, *, times: int = 1, **facts: Any) -> Following | None:
        for _ in range(times):
            seen = runs(ready, self.now, **facts)
            self.state = following(self.state, self.stood, seen, fresh := proposing(wanted, self.now), self.now)
            self.stood, self.now = fresh.id, self.now + STEP
        return self.state

    @property
    def applied_at(self) -> datetime | None:
        return None if self.state is None else self.state.applied_at


@pytest.fixture
def watching() -> Watching:
    made = Watching()
    made.cycle(8)
    return made


def test_what_follows_for_an_hour_is_applied_since_it_began(watching: Watching) -> None:
    began, stood = watching.now, watching.stood
    watching.cycle(5, times=12)
    assert watching.applied_at is None
    watching.cycle(5)
    assert watching.applied_at == began
    assert watching.state is not None
    assert watching.state.first == stood, "the one that stood then is the one that was taken up"


def test_a_number_that_changes_is_followed_while_replicas_come_and_go(watching: Watching) -> None:
    for wanted, ready in ((5, 5), (7, 5), (7, 6), (7, 7), (6, 7), (6, 7), (6, 6), (9, 6), (9, 8), (9, 9)):
        watching.cycle(ready, wanted, times=2)
    assert watching.applied_at is not None


def test_a_number_that_stays_away_from_what_is_asked_for_is_not_followed(watching: Watching) -> None:
    for wanted in (5, 6, 7, 6):
        watching.cycle(8, wanted, times=6)
    assert watching.applied_at is None


@pytest.mark.parametrize("away", [4.0, None])
def test_a_restart_or_a_gap_shorter_than_an_hour_ends_nothing_and_a_longer_one_does(
    watching: Watching, away: float | None
) -> None:
    watching.cycle(5, times=13)
    since = watching.applied_at
    watching.cycle(away, times=12)
    assert watching.applied_at == since is not None
    watching.cycle(5)
    assert watching.applied_at == since
    watching.cycle(away, times=13)
    assert watching.applied_at is None
    again = watching.now
    watching.cycle(5, times=13)
    assert watching.applied_at == again


@pytest.mark.parametrize("facts", [{"offer": "c6i.large"}, {"mode": ServingMode.SHARED}])
def test_another_machine_or_mode_is_another_thing(watching: Watching, facts: dict[str, Any]) -> None:
    watching.cycle(5, times=20, **facts)
    assert watching.applied_at is None


def test_what_runs_on_is_not_known_then_nothing_is_seen() -> None:
    seen = replace(runs(5, NOON), running=Unknown("`offer` is not declared"))
    state = Following(mode=ServingMode.DEDICATED, offer="m5.large", since=NOON - APPLIED_AFTER, last=NOON, first="x")
    ended = following(replace(state, lost=NOON - APPLIED_AFTER), "y", seen, proposing(5, NOON), NOON)
    assert ended is not None
    assert ended.applied_at is None


def test_serverless_has_no_number_to_follow() -> None:
    state = None
    for n in range(14):
        at = NOON + n * STEP
        seen = runs(None, at, mode=ServingMode.SERVERLESS, offer="m5.large")
        state = following(state, "one", seen, proposing(0, at, mode=ServingMode.SERVERLESS), at)
    assert state is not None
    assert state.applied_at == NOON + STEP


def test_where_nothing_counts_replicas_the_declared_number_counts() -> None:
    seen = replace(runs(None, NOON + STEP), replicas=Unknown("no such metric"))
    before = following(None, "", runs(8, NOON), proposing(99, NOON), NOON)
    state = following(before, "one", seen, proposing(99, NOON + STEP), NOON + STEP)
    assert state is not None
    assert state.since == NOON + STEP


def test_a_hold_proposes_nothing_new_and_a_proposal_of_another_kind_begins_anew(watching: Watching) -> None:
    watching.cycle(5, times=13)
    held = following(
        watching.state, watching.stood, runs(5, watching.now), a_hold(at=watching.now, last_good=5), watching.now
    )
    assert held is not None
    assert held.applied_at == watching.applied_at is not None
    other = following(held, "h", runs(5, watching.now), proposing(5, watching.now, offer="m6g.large"), watching.now)
    assert other is not None
    assert (other.offer, other.since, other.applied_at) == ("m6g.large", None, None)
    assert following(None, "", runs(5, NOON), a_hold(), NOON) is None


def test_the_proposal_may_grow_without_beginning_anew(watching: Watching) -> None:
    """A materially larger proposal asks a person again, but who follows the number goes on following it."""
    watching.cycle(5, times=13)
    since = watching.applied_at
    watching.cycle(5, 50)
    watching.cycle(50, 50, times=5)
    assert watching.applied_at == since is not None


def test_numbers_older_than_a_start_takes_are_forgotten(watching: Watching) -> None:
    state = watching.cycle(5, times=30)
    assert state is not None
    assert len(state.wanted) <= 5


def test_it_comes_back_from_the_store_as_it_went_in(watching: Watching) -> None:
    state = watching.cycle(5, times=14)
    assert state is not None
    assert to_following(following_body(state)) == state
