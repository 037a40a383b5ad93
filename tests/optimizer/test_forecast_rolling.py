"""The rolling-origin back-test: where its origins lie, and that none sees what came after it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from domain.load import LoadHistory
from optimizer.rolling import backtest, origins, rows

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START = datetime(2024, 1, 1, tzinfo=UTC)


def trace(days: float, step: timedelta, start: datetime = START) -> LoadHistory:
    steps = int(days * DAY / step)
    values = 10 + 5 * np.sin(np.arange(steps) * 2 * np.pi * (step / DAY))
    return LoadHistory(start=start, step=step, values=values + np.random.default_rng(3).random(steps))


def test_the_first_origin_is_the_last_whole_hour_up_to_the_midpoint_then_daily() -> None:
    moments = origins(trace(14, timedelta(minutes=10)), step=HOUR, every=DAY)
    assert moments == [START + (7 + day) * DAY for day in range(7)]


def test_an_offset_grid_starts_at_the_whole_hour_and_names_the_last_interval_seen() -> None:
    offset = trace(10, timedelta(minutes=5), start=START + timedelta(minutes=42, seconds=53))
    result = backtest(offset, horizon=DAY, step=HOUR, every=DAY, folds=None, model="yesterday")
    first = result.folds[0]
    assert first.forecast.origin == START + 5 * DAY
    assert first.origin == START + 5 * DAY - timedelta(minutes=7, seconds=7)


def test_rows_carry_every_step_of_every_fold() -> None:
    result = backtest(trace(10, timedelta(minutes=10)), horizon=timedelta(hours=6), folds=2)
    lines = list(rows(result))
    assert len(lines) == 12
    assert lines[0].origin == START + 8 * DAY - timedelta(minutes=10)
    assert lines[0].timestamp == START + 8 * DAY
    assert all(0 <= row.p50 <= row.p90 <= row.p95 <= row.p99 for row in lines)


@pytest.mark.parametrize("step", [timedelta(minutes=10), HOUR])
def test_altering_or_removing_the_future_changes_nothing(step: timedelta) -> None:
    whole = trace(12, timedelta(minutes=10))
    result = backtest(whole, horizon=DAY, step=step)
    for fold in result.folds[1::2]:
        seen = len(whole.until(fold.forecast.origin))
        wild = whole.values.copy()
        wild[seen:] = 1e6
        altered = backtest(LoadHistory(start=whole.start, step=whole.step, values=wild), horizon=DAY, step=step)
        (same,) = [f for f in altered.folds if f.origin == fold.origin]
        assert np.array_equal(same.forecast.quantiles, fold.forecast.quantiles)


def test_an_origin_without_any_known_load_is_held_with_its_reason() -> None:
    values = np.full(1440, np.nan)
    values[1200:] = 5.0
    result = backtest(LoadHistory(start=START, step=timedelta(minutes=10), values=values))
    assert result.held
    assert "known" in result.held[0].reason


def test_steps_that_do_not_fit_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="step"):
        backtest(trace(3, timedelta(minutes=10)), step=timedelta(minutes=25))
    with pytest.raises(ValueError, match="step must divide an hour or a day"):
        backtest(trace(3, timedelta(minutes=5)), step=timedelta(minutes=45))
    with pytest.raises(ValueError, match="horizon"):
        backtest(trace(3, timedelta(minutes=10)), horizon=timedelta(minutes=90))
    with pytest.raises(ValueError, match="every"):
        backtest(trace(3, timedelta(minutes=10)), every=timedelta(minutes=90))
