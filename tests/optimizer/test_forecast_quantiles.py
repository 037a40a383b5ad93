"""Quantiles cover what they say, follow the time of day, widen with the horizon and never cross."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.load import Floats, LoadHistory
from domain.unknown import Unknown
from optimizer.bands import LEVELS, at_levels
from optimizer.forecast import Forecasting, forecast
from optimizer.rolling import backtest

MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def noisy(days: int, seed: int = 1) -> Floats:
    """A daily rhythm whose noise is large by day and small by night."""
    hours = np.arange(days * 24)
    mean = 20 + 15 * np.sin((hours - 9) * 2 * np.pi / 24)
    return np.asarray(mean * np.random.default_rng(seed).gamma(25, 1 / 25, len(hours)))


def history(values: Floats, step: timedelta = HOUR) -> LoadHistory:
    return LoadHistory(start=MONDAY, step=step, values=values)


def made(past: LoadHistory, steps: int, **asked: float | tuple[float, ...]) -> Forecasting:
    answer = forecast(past, steps=steps, **asked)  # type: ignore[arg-type]  # keywords by name
    assert not isinstance(answer, Unknown)
    return answer


def test_on_even_noise_quantiles_cover_what_they_say() -> None:
    whole = history(noisy(60))
    folds = backtest(whole).folds
    came = np.array([whole.since(fold.forecast.origin).values[:24] for fold in folds])
    for row, level in enumerate(folds[0].forecast.levels):
        share = np.mean([fold.forecast.quantiles[row] >= day for fold, day in zip(folds, came, strict=True)])
        assert share == pytest.approx(level, abs=0.06)


def test_margins_follow_the_time_of_day() -> None:
    rows = made(history(noisy(28)), 24).forecast.quantiles
    margin = rows[2] - rows[0]
    assert margin[12:18].mean() > 2 * margin[0:6].mean()


def test_margins_do_not_shrink_with_the_days_ahead() -> None:
    rows = made(history(noisy(40)), 168).forecast.quantiles
    daily = (rows[2] - rows[0]).reshape(7, 24).mean(axis=1)
    assert daily[6] >= 0.95 * daily[0]


def test_levels_outside_the_inner_ones_go_on_as_a_normal_tail() -> None:
    normal = at_levels(np.asarray(at_levels(np.arange(11.0), LEVELS)), LEVELS)
    assert np.allclose(normal, np.arange(11.0))
    assert made(history(noisy(28)), 24, levels=(0.5, 0.995, 0.9999)).forecast.quantiles[2].max() < 150


def test_the_mean_is_the_expectation_and_the_median_the_path() -> None:
    values = np.zeros(28 * 24)
    values[np.random.default_rng(4).random(len(values)) < 0.2] = 10.0
    ahead = made(history(values), 24).forecast
    assert ahead.at(0.5).mean() < 1.0
    assert 1.0 < ahead.mean.mean() < 4.0


def test_finer_steps_keep_the_pattern_within_the_hour() -> None:
    values = np.tile([60.0, 1.0, 1.0, 1.0, 1.0, 1.0], 28 * 24)
    rows = made(history(values, timedelta(minutes=10)), 144).forecast.quantiles
    assert rows[0].reshape(24, 6)[:, 0].min() > 40
    assert rows[0].reshape(24, 6)[:, 1:].max() < 5


def test_finer_steps_are_less_certain_than_their_hour() -> None:
    values = np.random.default_rng(5).gamma(2, 5, 28 * 288)
    fine = history(values, timedelta(minutes=5))
    by_step = made(fine, 288).forecast.quantiles[2]
    by_hour = made(fine.coarser(HOUR), 24).forecast.quantiles[2]
    assert by_step.mean() > 1.3 * by_hour.mean()
    assert np.mean(values <= by_step.mean()) == pytest.approx(0.95, abs=0.03)


def test_a_signal_that_may_be_negative_is_not_cut_at_zero() -> None:
    assert made(history(noisy(28) - 20), 24).forecast.at(0.5).min() < -5


@settings(max_examples=15, deadline=None)
@given(
    days=st.integers(1, 16),
    zeros=st.floats(0, 1),
    missing=st.floats(0, 0.9),
    scale=st.sampled_from([1e-6, 1.0, 1e6]),
    seed=st.integers(0, 1000),
)
def test_whatever_the_history_quantiles_are_finite_rising_and_not_negative(
    days: int, zeros: float, missing: float, scale: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    values = scale * random.pareto(1.5, days * 24)
    values[random.random(len(values)) < zeros] = 0.0
    values[random.random(len(values)) < missing] = np.nan
    answer = forecast(history(values), steps=30)
    if isinstance(answer, Unknown):
        assert np.isfinite(values).sum() < 3
        return
    rows = answer.forecast.quantiles
    assert np.isfinite(rows).all()
    assert np.isfinite(answer.forecast.mean).all()
    assert rows.min() >= 0
    assert (np.diff(rows, axis=0) >= 0).all()


def test_half_a_day_of_history_admits_how_little_it_knows() -> None:
    rows = made(history(noisy(1)[:12]), 6).forecast.quantiles
    assert (rows[2] > 1.2 * rows[0]).all()
