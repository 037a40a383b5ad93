"""Spend that is out of the ordinary: what load or hour explain is none, what neither explains is, in dollars."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.load import Floats, LoadHistory
from domain.observation import Observation
from domain.plan import Configuration
from domain.unknown import Unknown
from domain.workload import PurchaseMix, ServingMode
from optimizer.anomalies import anomalies_of
from optimizer.anomalies.explained import curve, explained
from optimizer.anomalies.judging import Watched
from optimizer.anomalies.reading import Reading, Strange
from optimizer.anomalies.spend import spend_of, spend_reading, spend_watch
from optimizer.anomalies.watch import midnight
from tests.optimizer.cases import FIVE_MINUTES, MONDAY, observation
from tests.optimizer.days import A_DAY, AN_HOUR, DAYS, NOON, history, ordinary

BILL = Configuration(
    replicas=4,
    mean_replicas=4.0,
    mode=ServingMode.DEDICATED,
    purchase=PurchaseMix(on_demand=4.0),
    offer="box",
    usd_per_month=4 * 730.0,  # a dollar an hour each
)


def paid(load: Floats, replicas: Floats, until: int = NOON + 1) -> Observation:
    """A workload with the replicas that it was seen with."""
    return observation(history(load, until), replicas=history(replicas, until))


def following(load: Floats) -> Floats:
    """Replicas of 5 requests/s each."""
    return np.asarray(np.ceil(load / 5))


def spend_seen(load: Floats, replicas: Floats, until: int = NOON + 1) -> Reading:
    found = spend_reading(paid(load, replicas, until), BILL)
    assert isinstance(found, Reading)
    return found


def test_replicas_without_load_are_a_spend_anomaly_in_dollars() -> None:
    load = ordinary()
    leak = following(load)
    leak[NOON - 3 * AN_HOUR :] *= 1.5
    now = spend_seen(load, leak).now
    assert isinstance(now, Strange)
    assert (now.sign, now.window) == ("leak", timedelta(hours=3))
    assert now.score > 1
    assert now.came == pytest.approx(leak[NOON + 1 - 3 * AN_HOUR : NOON + 1].mean(), rel=0.1)
    assert now.path == pytest.approx(following(load)[NOON + 1 - 3 * AN_HOUR : NOON + 1].mean(), rel=0.1)


def test_a_leak_is_found_also_while_the_load_is_out_of_the_ordinary() -> None:
    load = ordinary()
    load[NOON - 3 * AN_HOUR :] *= 2
    explained_by_it, leak = following(load), following(load)
    leak[NOON - 3 * AN_HOUR :] *= 1.5
    assert spend_seen(load, explained_by_it).episode.score < 1 < spend_seen(load, leak).episode.score


def test_minutes_that_nothing_explains_hide_no_leak_of_hours() -> None:
    load, spend = ordinary(), following(ordinary())
    spend[np.random.default_rng(6).choice(len(spend), 80, replace=False)] += 40.0  # three steps of five minutes a day
    assert spend_seen(load, spend).episode.score < 1
    spend[NOON - 3 * AN_HOUR :] *= 2
    assert spend_seen(load, spend).episode.score > 1


def test_replicas_that_creep_up_are_a_slow_leak() -> None:
    load = ordinary()
    creeping = following(load)
    since = NOON - 18 * AN_HOUR
    creeping[since:] += 1 + np.arange(len(load) - since) // (12 * AN_HOUR)
    assert spend_seen(load, creeping).episode.score > 1


def test_replicas_scaled_by_the_clock_are_explained_by_their_hours() -> None:
    hours = np.arange(DAYS * A_DAY) // AN_HOUR % 24
    clock = np.where((hours >= 8) & (hours < 20), 12.0, 3.0)
    random = np.random.default_rng(3).uniform(1, 40, DAYS * A_DAY)  # load that says nothing of them
    assert spend_seen(random, clock).episode.score < 1
    leak = clock.copy()
    leak[NOON - 3 * AN_HOUR :] *= 1.5
    assert spend_seen(random, leak).episode.score > 1


def test_replicas_that_never_changed_are_explained_and_any_more_of_them_are_not() -> None:
    load, still = ordinary(), np.full(DAYS * A_DAY, 8.0)
    assert spend_seen(load, still).episode.score < 1
    more = still.copy()
    more[NOON - 3 * AN_HOUR :] = 10.0
    assert spend_seen(load, more).episode.score > 1


def test_spend_that_follows_its_load_is_none_and_nor_are_savings() -> None:
    load = ordinary()
    saved = following(load)
    saved[NOON - 12 * AN_HOUR :] = 1
    for replicas in (following(load), saved):
        assert spend_seen(load, replicas).episode.score < 1


def test_replicas_that_come_late_and_stay_longer_follow_their_load() -> None:
    load = ordinary()
    load[NOON - AN_HOUR : NOON - AN_HOUR // 2] *= 3
    wanted = following(load)
    late = np.array([wanted[max(0, at - 6) : at].max(initial=1.0) for at in range(len(wanted))])
    assert spend_seen(load, late).episode.score < 1


@settings(deadline=None, max_examples=5)
@given(st.integers(7 * A_DAY, DAYS * A_DAY - 1), st.floats(0, 1e4), st.booleans())
def test_what_is_paid_later_changes_nothing(at: int, later: float, gone: bool) -> None:
    load, spend = ordinary(), following(ordinary())
    altered = [values.copy() for values in (load, spend)]
    for values in altered:
        values[at:] = np.nan if gone else later
    day = midnight(MONDAY + at * FIVE_MINUTES)
    one = spend_watch(history(load), history(spend), day)
    other = spend_watch(history(altered[0]), history(altered[1]), day)
    assert isinstance(one, Watched)
    assert isinstance(other, Watched)
    until = at - (day - MONDAY) // FIVE_MINUTES
    assert np.array_equal(one.score[:until], other.score[:until], equal_nan=True)


def test_gaps_of_spend_and_of_load_are_no_zeros() -> None:
    load, spend = ordinary(), following(ordinary())
    spend[NOON : NOON + AN_HOUR] = np.nan
    assert isinstance(spend_seen(load, spend, NOON + AN_HOUR).now, Unknown)
    load[9 * A_DAY : 11 * A_DAY] = np.nan
    spend[NOON - 3 * AN_HOUR : NOON] *= 1.5
    assert spend_seen(load, spend, NOON).episode.score > 1


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0, 50)), min_size=10, max_size=300))
def test_a_curve_rises_and_keeps_its_order(pairs: list[tuple[float, float]]) -> None:
    load, spend = np.array(pairs).T
    known = curve(load, spend)
    assert known is not None
    low, path, high = known.at(np.linspace(0, 80, 40))
    assert (low <= path + 1e-9).all()
    assert (path <= high + 1e-9).all()
    assert (np.diff(np.stack([low, path, high]), axis=1) >= -1e-9).all()
    assert curve(load[:9], spend[:9]) is None


def test_steps_of_one_and_the_same_load_are_one_block_whenever_they_were() -> None:
    load, spend = (
        np.repeat([0.0, 5.0], 100),
        np.concatenate([np.repeat([1.0, 3.0, 1.0], [40, 20, 40]), np.full(100, 9.0)]),
    )
    known = curve(load, spend)
    assert known is not None
    assert known.at(np.array([0.0, 5.0])).tolist() == [[1.0, 9.0], [1.0, 9.0], [3.0, 9.0]]


def test_spend_beyond_the_largest_load_is_explained_in_proportion() -> None:
    load = np.arange(1.0, 101.0)
    known = curve(load, 2 * load)
    assert known is not None
    assert known.at(np.array([1000.0, np.nan]))[1] == pytest.approx([2000.0, np.nan], nan_ok=True)


def test_the_load_of_the_minutes_that_fit_best_explains_the_spend() -> None:
    load = np.random.default_rng(4).uniform(1, 40, 10 * A_DAY)
    spend = np.array([load[max(0, at - 5) : at + 1].max() for at in range(len(load))])  # of half an hour
    nothing = np.full((3, 5 * A_DAY), np.nan)
    _, path, _ = explained(load, spend, nothing, FIVE_MINUTES, 9 * A_DAY)
    assert np.nanquantile(np.abs(path - spend[-5 * A_DAY :]), 0.9) < 1


def test_a_serverless_bill_follows_its_requests() -> None:
    load = ordinary()
    serverless = replace(BILL, mode=ServingMode.SERVERLESS, usd_per_month=730.0)
    spent = spend_of(paid(load, following(load)), serverless)
    assert isinstance(spent, LoadHistory)
    assert spent.values.mean() == pytest.approx(1.0)


def test_spend_that_is_not_known_says_why() -> None:
    seen_so = paid(ordinary(), following(ordinary()))
    unseen = replace(seen_so, replicas=Unknown("nobody counts them"))
    for facts, bill, why in (
        (seen_so, Unknown("no price"), "no price"),
        (unseen, BILL, "nobody counts them"),
        (seen_so, replace(BILL, mean_replicas=0.0), "nothing was paid for"),
        (replace(seen_so, load=Unknown("away")), BILL, "away"),
    ):
        found = spend_reading(facts, bill)
        assert isinstance(found, Unknown)
        assert why in found.reason


def test_the_evidence_has_both_readings_or_their_reasons() -> None:
    load = ordinary()
    load[NOON] *= 3
    body = json.loads(json.dumps(dict(anomalies_of(paid(load, following(ordinary())), BILL)), allow_nan=False))
    assert body["load"]["now"]["score"] > 1
    assert body["load"]["episode"]["sign"] == "spike"
    assert body["spend"]["now"]["score"] < 1
    assert anomalies_of(replace(paid(load, load), load=Unknown("away")), BILL) == {}
    unpriced = anomalies_of(paid(load, load), Unknown("no price"))
    assert unpriced["spend"] == {"unknown": "what runs costs is not known: no price"}
    later = paid(load, following(load), until=NOON + 1)
    cut = replace(later, observed_at=later.observed_at - FIVE_MINUTES)
    before = anomalies_of(cut, BILL)["load"]
    assert isinstance(before, dict)
    assert before["now"]["score"] < 1
