"""Yesterday's folds given back cost one origin only and tell the same story; foreign ones are ignored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from domain.load import LoadHistory
from domain.unknown import Unknown
from optimizer.folds import FOLDS_KEPT
from optimizer.forecast import Forecasting, forecast

START = datetime(2024, 1, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HOURS = np.arange(40 * 24)
WHOLE = LoadHistory(
    start=START,
    step=HOUR,
    values=(30 + 20 * np.sin(HOURS * 2 * np.pi / 24)) * np.random.default_rng(2).gamma(30, 1 / 30, len(HOURS)),
)


def at(days: float, before: Forecasting | None = None, model: str | None = None) -> Forecasting:
    past = WHOLE.until(START + days * DAY)
    made = forecast(past, steps=24, model=model, memory=before.memory if before else None)
    assert not isinstance(made, Unknown)
    return made


def test_memory_gives_nearly_the_forecast_of_a_full_fit() -> None:
    full, kept = at(21), at(21, at(20))
    assert np.abs(full.forecast.quantiles - kept.forecast.quantiles).max() < 0.1 * full.forecast.mean.mean()
    assert [fold.origin for fold in full.memory.folds] == [fold.origin for fold in kept.memory.folds]


def test_memory_of_another_question_or_another_time_of_day_is_ignored() -> None:
    plain = at(21).forecast.quantiles
    assert np.array_equal(at(21, at(20, model="yesterday")).forecast.quantiles, plain)
    assert np.array_equal(at(21, at(20.5)).forecast.quantiles, plain)


def test_memory_of_the_future_is_ignored() -> None:
    assert np.array_equal(at(21, at(25)).forecast.quantiles, at(21).forecast.quantiles)


def test_nights_that_were_missed_are_made_up_for() -> None:
    late = at(25, at(20))
    assert [fold.origin for fold in late.memory.folds] == [START + (25 - age) * DAY for age in range(24)]


def test_memory_stays_bounded() -> None:
    before = at(34)
    for day in (35, 36, 37):
        before = at(day, before)
    assert len(before.memory.folds) == FOLDS_KEPT
