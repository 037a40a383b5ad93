"""Each candidate says what it is for: the pattern it was made for is forecast right, gaps and all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from domain.load import Floats
from optimizer.forecasters import CANDIDATES, NAIVE
from optimizer.forecasters.kriging import STEADY, _weights
from optimizer.grid import Grid
from optimizer.past import before, filled
from optimizer.unthreaded import on_one_thread

MONDAY = datetime(2024, 1, 29, tzinfo=UTC)  # four weeks after a Monday
HOUR = timedelta(hours=1)
STATISTICAL = ("fourier", "smoothing")


def daily(days: int = 28) -> Floats:
    return np.asarray(20 + 10 * np.sin(np.arange(days * 24) * 2 * np.pi / 24))


def weekly(days: int = 28) -> Floats:
    weekend = np.arange(days * 24) // 24 % 7 >= 5
    return np.where(weekend, 0.4, 1.0) * daily(days)


def path(name: str, values: Floats, days_ahead: int = 1) -> Floats:
    grid = Grid(end=MONDAY, step=HOUR, values=values)
    past = before(grid, [len(values)], days_back=56, days_ahead=days_ahead, country=None)
    return np.asarray(CANDIDATES[name](past)[0])


@pytest.mark.parametrize("name", CANDIDATES)
def test_every_candidate_answers_for_every_origin_day_and_hour(name: str) -> None:
    grid = Grid(end=MONDAY, step=HOUR, values=weekly())
    past = before(grid, [672, 648, 200, 60], days_back=56, days_ahead=3, country=None)
    assert CANDIDATES[name](past).shape == (4, 3, 24)


@pytest.mark.parametrize("name", sorted(set(CANDIDATES) - {"overall_median", "last_hours"}))
def test_a_steady_daily_rhythm_is_followed(name: str) -> None:
    assert np.abs(path(name, daily()) - daily(1)).mean() < 1.0


@pytest.mark.parametrize(
    "name",
    [
        "last_week",
        "week_at_level",
        "weekday_at_level",
        "shape_at_weekday",
        "weekday_median",
        "alike_median",
        "alike_newest",
        "kriging_weekly_log",
    ],
)
def test_those_that_know_weekdays_see_monday_coming_on_sunday(name: str) -> None:
    assert np.abs(path(name, weekly()) - daily(1)).mean() < 1.0
    assert np.abs(path("yesterday", weekly()) - daily(1)).mean() > 5.0


def test_last_week_at_the_recent_level_follows_growth() -> None:
    growing = weekly() * 1.02 ** (np.arange(28 * 24) // 24)
    ahead = daily(1) * 1.02**28
    assert np.abs(path("week_at_level", growing) - ahead).mean() < 0.5
    assert np.abs(path("last_week", growing) - ahead).mean() > 2.0


def test_the_median_of_a_weekday_takes_half_of_the_last_days_surprise() -> None:
    raised = weekly()
    raised[-24:] *= 4
    assert path("weekday_at_level", raised) == pytest.approx(2 * path("weekday_median", raised))


def test_the_shape_of_many_days_at_the_level_of_one_weekday_is_not_moved_by_its_noise() -> None:
    noisy = weekly()
    monday = slice(-7 * 24, -6 * 24)
    noisy[monday] += np.where(np.arange(24) % 2, 8.0, -8.0)
    assert np.abs(path("shape_at_weekday", noisy) - daily(1)).mean() < 0.5
    assert np.abs(path("last_week", noisy) - daily(1)).mean() == pytest.approx(8.0)


def test_the_last_hours_are_on_a_new_level_after_two_of_three_and_not_after_one() -> None:
    for hours, expected in ((1, 5.0), (2, 50.0)):
        shifted = np.full(240, 5.0)
        shifted[-hours:] = 50.0
        assert (path("last_hours", shifted) == expected).all()


@pytest.mark.parametrize("known, expected", [(0, np.nan), (1, 7.0)])
def test_the_last_hours_say_nothing_where_none_of_them_is_known(known: int, expected: float) -> None:
    values = np.full(48, 7.0)
    values[-3 : len(values) - known] = np.nan
    assert np.array_equal(path("last_hours", values), np.full((1, 24), expected), equal_nan=True)


@pytest.mark.parametrize("name", ["yesterday", "smoothing", "kriging_walk", "kriging_walk_log"])
def test_those_that_follow_the_level_are_on_the_new_one_after_a_day(name: str) -> None:
    shifted = daily()
    shifted[-48:] *= 2
    assert np.abs(path(name, shifted) - 2 * daily(1)).mean() < 9.0


@pytest.mark.parametrize("name", ["recent_median", "blended_median", "weekday_median", "overall_median"])
def test_one_huge_day_does_not_move_a_median(name: str) -> None:
    spiked = daily()
    spiked[-24:] *= 50
    assert path(name, spiked).max() < 40


@pytest.mark.parametrize("name", CANDIDATES)
def test_gaps_are_left_out_and_never_zero(name: str) -> None:
    values = daily()
    values[100:110] = values[-30:-20] = np.nan
    known = path(name, values)
    assert np.nanmin(known) > 5.0
    assert np.isfinite(known).all() or name in NAIVE


@pytest.mark.parametrize("name", CANDIDATES)
@pytest.mark.parametrize("values", [np.zeros(480), np.eye(1, 480, 470).ravel(), np.full(30, 3.0)])
def test_idle_sparse_and_short_histories_break_nothing(name: str, values: Floats) -> None:
    known = path(name, values, days_ahead=7)
    assert not np.isinf(known).any()
    assert np.nanmin(known, initial=0.0) >= 0


@pytest.mark.parametrize("name", STATISTICAL)
def test_the_statistical_models_leave_the_past_unchanged(name: str) -> None:
    values = weekly()
    kept = values.copy()
    path(name, values)
    assert np.array_equal(values, kept)


@pytest.mark.parametrize("step_h", [6, 24])
def test_no_harmonic_is_asked_of_steps_too_coarse_to_show_it(step_h: int) -> None:
    values = weekly().reshape(-1, step_h).mean(axis=1)
    grid = Grid(end=MONDAY, step=step_h * HOUR, values=values)
    past = before(grid, [len(values)], days_back=28, days_ahead=1, country=None)
    assert np.abs(CANDIDATES["fourier"](past)[0, 0] - values[: 24 // step_h]).mean() < 0.2 * values.mean()


def test_gaps_are_filled_from_the_same_time_of_other_days() -> None:
    values = daily(10)
    values[-24:-12] = np.nan
    past = before(Grid(end=MONDAY, step=HOUR, values=values), [240], days_back=10, days_ahead=1, country=None)
    assert np.allclose(filled(past)[0, 0], daily(1)[0:24])


def test_weights_of_the_past_are_the_same_however_many_threads_linear_algebra_may_take() -> None:
    """To the last bit: the same history is forecast alike on a machine with more cores."""
    with threadpool_limits(limits=4, user_api="blas"):
        many = _weights.__wrapped__(STEADY, 28, 7, 24)
    with threadpool_limits(limits=1, user_api="blas"):
        one = _weights.__wrapped__(STEADY, 28, 7, 24)
    assert np.array_equal(many, one)


def test_one_thread_is_asked_for_only_as_long_as_it_is_needed() -> None:
    with threadpool_limits(limits=3, user_api="blas"):
        with on_one_thread():
            assert max_threads() == 1
        assert max_threads() == 3


def max_threads() -> int:
    return max(int(each["num_threads"]) for each in threadpool_info() if each["user_api"] == "blas")
