"""What is out of the ordinary: found soon and named, quiet on ordinary days and on gaps, and never by what comes later."""

from __future__ import annotations

import json
import math
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
from optimizer.anomalies.bound import bound
from optimizer.anomalies.expected import expected
from optimizer.anomalies.reading import Reading, Strange, reading
from optimizer.anomalies.spend import spend_of, spend_reading
from optimizer.anomalies.watch import Watched, midnight, seen_in_steps, watch
from tests.optimizer.cases import FIVE_MINUTES, MONDAY, observation

DAYS, A_DAY, AN_HOUR = 28, 288, 12
NOON = (DAYS - 1) * A_DAY + 12 * AN_HOUR  # the step that begins at noon of the last day
TODAY = MONDAY + timedelta(days=DAYS - 1)


def ordinary(days: int = DAYS, seed: int = 1) -> Floats:
    """Requests/s: a daily wave about 20, less at weekends, with noise."""
    at = np.arange(days * A_DAY)
    wave = 20 + 10 * np.sin(2 * np.pi * at / A_DAY) - 5 * ((at // A_DAY) % 7 >= 5)
    return np.asarray(wave * np.exp(np.random.default_rng(seed).normal(0, 0.05, len(at))))


def history(values: Floats, until: int | None = None) -> LoadHistory:
    return LoadHistory(start=MONDAY, step=FIVE_MINUTES, values=values[:until])


def seen(values: Floats, until: int, *, less: bool = True) -> Reading:
    found = reading(history(values, until), less=less)
    assert isinstance(found, Reading)
    return found


def last_hour(values: Floats, until: int) -> Strange:
    now = seen(values, until).now
    assert isinstance(now, Strange)
    return now


def test_ordinary_days_are_quiet() -> None:
    looks = [watch(history(ordinary(seed=seed)), TODAY) for seed in range(10)]
    assert all(isinstance(look, Watched) for look in looks)
    exceeded = sum(bool((look.score > 1).any()) for look in looks if isinstance(look, Watched))
    assert exceeded <= 1  # of ten days: half a page a week is what the bounds aim at


def test_a_spike_is_told_at_its_first_step_with_what_was_expected() -> None:
    values = ordinary()
    values[NOON] *= 3
    assert last_hour(values, NOON).score < 1
    told = last_hour(values, NOON + 1)
    assert (told.sign, told.at, told.window) == ("spike", TODAY + timedelta(hours=12, minutes=5), FIVE_MINUTES)
    assert told.score > 1
    assert told.came == pytest.approx(values[NOON])
    assert told.low < told.path < told.high < told.came
    assert told.excess == pytest.approx((told.came - told.path) * 300)


def test_a_shift_is_told_within_three_hours_and_is_one_episode() -> None:
    values = ordinary()
    ramp = np.minimum(np.arange(len(values)) - NOON, 4 * AN_HOUR) / (4 * AN_HOUR)
    values *= np.where(ramp > 0, 1 + 0.8 * ramp, 1.0)  # no step of it is a jump
    told = last_hour(values, NOON + 5 * AN_HOUR)
    assert (told.sign, told.window) == ("shift", timedelta(hours=3))
    assert told.score > 1
    values[NOON + 5 * AN_HOUR :] = ordinary()[NOON + 5 * AN_HOUR :]
    after = seen(values, NOON + 10 * AN_HOUR)
    assert isinstance(after.now, Strange)
    assert after.now.score < 1 < after.episode.score
    assert seen(values, NOON + 12 * AN_HOUR - 1).episode.score < after.episode.score


def test_load_that_drains_away_is_a_lack_and_load_that_is_cut_off_is_lost_telemetry() -> None:
    drained, cut = ordinary(), ordinary()
    share = np.clip((np.arange(len(drained)) - NOON + 12 * AN_HOUR) / (6 * AN_HOUR), 0, 1)
    drained *= 1 - 0.7 * share
    cut[NOON - 12 * AN_HOUR :] *= 0.3
    told = last_hour(drained, NOON + 10 * AN_HOUR)
    assert (told.sign, told.window) == ("lack", timedelta(hours=12))
    assert told.score > 1
    assert told.excess < 0
    assert all(last_hour(cut, NOON + hours * AN_HOUR).score < 1 for hours in range(-11, 12))


def test_the_end_of_a_partial_capture_is_no_spike() -> None:
    values = ordinary()
    values[NOON : NOON + 6 * AN_HOUR] *= 0.3
    assert last_hour(values, NOON + 7 * AN_HOUR).score < 1


def test_nothing_is_said_of_an_hour_of_which_nothing_is_known() -> None:
    values = ordinary()
    values[NOON : NOON + AN_HOUR] = np.nan
    found = seen(values, NOON + AN_HOUR)
    assert isinstance(found.now, Unknown)
    values[NOON - 6 * AN_HOUR : NOON + AN_HOUR] = np.nan
    assert isinstance(reading(history(values, NOON + AN_HOUR)), Unknown)


def test_a_gap_in_the_past_changes_little_and_is_no_zero() -> None:
    values = ordinary()
    values[NOON] *= 3
    gapped = values.copy()
    gapped[9 * A_DAY : 11 * A_DAY + 50] = np.nan
    assert last_hour(gapped, NOON + 1).score == pytest.approx(last_hour(values, NOON + 1).score, rel=0.2)


@pytest.mark.parametrize("days,enough", [(1.5, False), (3.5, False), (5.5, True)])
def test_few_days_say_that_they_are_few(days: float, enough: bool) -> None:
    found = reading(history(ordinary(6), int(days * A_DAY)))
    assert isinstance(found, Reading) == enough
    if isinstance(found, Unknown):
        assert "needed: 60" in found.reason


@pytest.mark.parametrize("minutes", [7, 45, 120])
def test_steps_that_make_no_hour_are_refused_by_name(minutes: int) -> None:
    found = seen_in_steps(LoadHistory(start=MONDAY, step=timedelta(minutes=minutes), values=np.ones(50)))
    assert isinstance(found, Unknown)
    assert "do not divide" in found.reason


def test_minutes_are_looked_at_by_five() -> None:
    coarse = seen_in_steps(LoadHistory(start=MONDAY, step=timedelta(minutes=1), values=np.arange(10.0)))
    assert isinstance(coarse, LoadHistory)
    assert coarse.values.tolist() == [2.0, 7.0]


@settings(deadline=None, max_examples=10)
@given(st.integers(6 * A_DAY, DAYS * A_DAY - 1), st.floats(0, 1e6), st.booleans())
def test_what_comes_later_changes_nothing(at: int, later: float, gone: bool) -> None:
    values = ordinary()
    altered = values.copy()
    altered[at:] = np.nan if gone else later
    day = midnight(MONDAY + at * FIVE_MINUTES)
    one, other = (watch(history(each), day) for each in (values, altered))
    assert isinstance(one, Watched)
    assert isinstance(other, Watched)
    until = at - (day - MONDAY) // FIVE_MINUTES
    assert np.array_equal(one.score[:until], other.score[:until], equal_nan=True)


def test_a_look_in_the_middle_of_a_day_is_what_a_replay_of_the_whole_day_says() -> None:
    values = ordinary()
    values[NOON] *= 3
    whole = watch(history(values), TODAY)
    assert isinstance(whole, Watched)
    place = NOON - (DAYS - 1) * A_DAY
    assert last_hour(values, NOON + 1).score == whole.score[place - AN_HOUR + 1 : place + 1].max()


@given(
    st.lists(st.floats(0.1, 100), min_size=60, max_size=200),
    st.floats(1e-5, 1e-2),
    st.floats(1.1, 10),
    st.floats(1.1, 9),
)
def test_a_bound_is_above_the_tail_rises_as_the_probability_falls_and_scales(
    hours: list[float], probability: float, rarer: float, factor: float
) -> None:
    known = np.array(hours)
    here = bound(known, probability)
    assert here > np.sort(known)[::-1][round(0.1 * len(known))]
    assert bound(known, probability / rarer) > here
    assert bound(factor * known, probability) == pytest.approx(factor * here)


def test_a_bound_says_what_it_cannot_know() -> None:
    assert math.isnan(bound(np.ones(59), 0.01))
    assert math.isinf(bound(np.zeros(60), 0.01))


def test_a_few_extraordinary_hours_hardly_lift_the_bound() -> None:
    random = np.random.default_rng(5)
    hours = random.exponential(1.0, 600)
    dirty = hours.copy()
    dirty[random.choice(600, 18, replace=False)] *= 50
    assert bound(dirty, 0.006) < 2 * bound(hours, 0.006)


def test_each_day_is_expected_from_the_days_before_it() -> None:
    values = ordinary()
    rows = expected(history(values))
    shorter = expected(history(values, 20 * A_DAY))
    assert rows.past_days == DAYS - 2
    assert np.array_equal(rows.path[: len(shorter.path)], shorter.path, equal_nan=True)
    assert np.array_equal(rows.high[: len(shorter.high)], shorter.high, equal_nan=True)
    assert np.nanmax(np.abs(rows.path[-1] - history(values).values[-A_DAY:].reshape(24, 12).mean(axis=1))) < 8


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


def test_replicas_without_load_are_a_spend_anomaly_in_dollars() -> None:
    load = ordinary()
    leak = following(load)
    leak[NOON - 3 * AN_HOUR :] *= 3
    found = spend_reading(paid(load, leak), BILL)
    assert isinstance(found, Reading)
    assert isinstance(found.now, Strange)
    assert found.now.score > 1
    assert found.now.came == pytest.approx(leak[NOON - 2 * AN_HOUR : NOON].mean(), rel=0.2)
    assert found.now.path == pytest.approx(following(load)[NOON - 2 * AN_HOUR : NOON].mean(), rel=0.35)


def test_spend_that_follows_its_load_is_none_and_nor_are_savings() -> None:
    load = ordinary()
    saved = following(load)
    saved[NOON - 12 * AN_HOUR :] = 1
    for replicas in (following(load), saved):
        found = spend_reading(paid(load, replicas), BILL)
        assert isinstance(found, Reading)
        assert found.episode.score < 1


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
