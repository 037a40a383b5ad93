"""What is out of the ordinary: found soon and named, quiet on ordinary days and on gaps, and never by what comes later."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.load import Floats, LoadHistory
from domain.unknown import Unknown
from optimizer.anomalies.bound import bound
from optimizer.anomalies.expected import expected
from optimizer.anomalies.judging import Watched
from optimizer.anomalies.reading import Reading, Strange, reading
from optimizer.anomalies.watch import midnight, seen_in_steps, watch
from tests.optimizer.cases import FIVE_MINUTES, MONDAY
from tests.optimizer.days import A_DAY, AN_HOUR, DAYS, NOON, TODAY, history, ordinary


def seen(values: Floats, until: int) -> Reading:
    found = reading(history(values, until))
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
    longer = np.concatenate([values, ordinary(seed=2)[:A_DAY]])
    after = seen(longer, NOON + A_DAY)
    assert isinstance(after.now, Strange)
    assert after.now.score < 1 < after.episode.score
    assert seen(longer, NOON + A_DAY + 10 * AN_HOUR).episode.score < 1


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
    values[NOON - 23 * AN_HOUR : NOON + AN_HOUR] = np.nan
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


def test_a_history_of_less_than_a_week_is_judged_more_sternly_and_goes_on_beyond_the_plain_bound() -> None:
    """Of the same hours but fewer: the first sign has to be larger, what follows within a day has not."""
    values = ordinary(7)
    at = 6 * A_DAY + 6 * AN_HOUR
    factors = np.linspace(1.2, 2.5, 27)

    def beyond(factor: float, before: float) -> bool:
        spiked = values.copy()
        spiked[at - 3 * AN_HOUR] *= before
        spiked[at] *= factor
        look = watch(history(spiked), MONDAY + timedelta(days=6))
        assert isinstance(look, Watched)
        return bool(look.score[at - 6 * A_DAY] > 1)

    alone = next(factor for factor in factors if beyond(factor, 1.0))
    following_another = next(factor for factor in factors if beyond(factor, 3.0))
    assert 1.2 < following_another < alone
