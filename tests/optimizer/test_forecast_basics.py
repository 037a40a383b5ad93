"""What every forecast keeps: quantiles that rise, no NaN out, nothing under zero, no look-ahead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from domain.load import LoadHistory
from domain.unknown import Unknown
from optimizer.forecast import forecast

MONDAY = datetime(2024, 1, 1, tzinfo=UTC)


def history(days: float, step: timedelta = timedelta(minutes=10), *, seed: int = 7) -> LoadHistory:
    """A daily and weekly rhythm with noise, in requests/s."""
    hours = np.arange(0, days * 24, step / timedelta(hours=1))
    day = 1.5 + np.sin(2 * np.pi * (hours - 9) / 24)
    week = np.where(hours // 24 % 7 >= 5, 0.5, 1.0)
    noise = np.random.default_rng(seed).gamma(20, 1 / 20, len(hours))
    return LoadHistory(start=MONDAY, step=step, values=40 * day * week * noise)


@pytest.mark.parametrize("days", [0.1, 0.9, 1.5, 3.0, 8.0, 15.0])
@pytest.mark.parametrize("steps", [1, 144, 1008])
def test_a_forecast_is_finite_and_its_quantiles_rise(days: float, steps: int) -> None:
    made = forecast(history(days), steps=steps)
    assert not isinstance(made, Unknown)
    assert made.forecast.quantiles.shape == (4, steps)
    assert np.isfinite(made.forecast.quantiles).all()
    assert np.isfinite(made.forecast.mean).all()
    assert (np.diff(made.forecast.quantiles, axis=0) >= 0).all()
    assert (made.forecast.quantiles >= 0).all()
    assert made.forecast.origin == history(days).end


def test_weeks_of_zeros_are_forecast_as_zero() -> None:
    idle = LoadHistory(start=MONDAY, step=timedelta(minutes=5), values=np.zeros(28 * 288))
    made = forecast(idle, steps=288)
    assert not isinstance(made, Unknown)
    assert made.forecast.mean.max() == 0
    assert made.forecast.quantiles.max() < 1e-6


def test_nothing_known_is_unknown_with_its_reason() -> None:
    silent = LoadHistory(start=MONDAY, step=timedelta(minutes=5), values=np.full(4000, np.nan))
    made = forecast(silent, steps=12)
    assert isinstance(made, Unknown)
    assert "4000" in made.reason


@pytest.mark.parametrize(
    "days, lacking",
    [(1.0, "no daily shape"), (4.0, "weekdays are not told apart"), (10.0, "seen once"), (20.0, None)],
)
def test_a_short_history_says_what_it_lacks(days: float, lacking: str | None) -> None:
    made = forecast(history(days), steps=6)
    assert not isinstance(made, Unknown)
    assert [lacking in note for note in made.notes] == [True] if lacking else made.notes == ()


def test_wrong_questions_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="oracle"):
        forecast(history(3), steps=6, model="oracle")
    with pytest.raises(ValueError, match="levels"):
        forecast(history(3), steps=6, levels=(0.9, 0.5))
    with pytest.raises(ValueError, match="steps"):
        forecast(history(3), steps=0)
