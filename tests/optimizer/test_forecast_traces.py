"""On recorded traces: nothing after an origin is used, and the forecast beats the naive ones."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from benchmarks.forecast_scores import Score
from benchmarks.forecasts import causality_breaks, judged
from domain.load import LoadHistory
from monitor.recorded import read_trace
from optimizer.rolling import backtest

TRACES = Path(__file__).resolve().parents[2] / "examples" / "traces"
TEN_MINUTES = ("servegen_large_c48", "servegen_small_c36")


def load(name: str) -> LoadHistory:
    return read_trace(TRACES / f"{name}.csv.gz").requests


@pytest.mark.parametrize("name", TEN_MINUTES)
def test_altering_or_cutting_off_the_future_of_a_recorded_trace_changes_no_forecast(name: str) -> None:
    assert load(name).step == timedelta(minutes=10)
    assert causality_breaks(load(name), 3, seed=11) == 0


@pytest.mark.parametrize("name, at_most", [("elb_requests", 0.85), ("servegen_large_c48", 0.95)])
def test_recorded_days_are_forecast_better_than_by_the_naive_ones_in_hindsight(name: str, at_most: float) -> None:
    found = judged(load(name), backtest(load(name)))
    assert isinstance(found, Score)
    assert found.vs_naive < at_most
    assert found.pinball_p95 < 0.9


def test_an_origin_names_the_start_of_the_last_interval_seen() -> None:
    trace = load("elb_requests")  # begins four minutes past the hour, every five minutes
    first = backtest(trace, folds=1).folds[0]
    assert first.origin + trace.step <= first.forecast.origin < first.origin + 2 * trace.step
    assert np.isfinite(first.forecast.quantiles).all()
