"""The forecasting benchmark uses every trace of ten days or more and keeps gauges out of its headline."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from benchmarks.forecast_scores import Hours, Score, score
from benchmarks.forecasts import means_table, usable
from domain.unknown import Unknown

START = datetime(2024, 1, 1, tzinfo=UTC)


def write(file: Path, column: str, days: int) -> None:
    rows = [f"{(START + timedelta(hours=hour)).isoformat()},{hour % 24}" for hour in range(days * 24)]
    file.write_bytes(gzip.compress("\n".join([f"timestamp,{column}", *rows]).encode()))


def test_requests_and_gauges_of_ten_days_are_used_and_the_others_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, column, days in (
        ("calls", "requests", 10),
        ("cpu", "value", 12),
        ("brief", "value", 9),
        ("odd", "x", 12),
    ):
        write(tmp_path / f"{name}.csv.gz", column, days)
    traces = usable(tmp_path)
    assert [(trace.name, trace.gauge) for trace in traces] == [("calls", False), ("cpu", True)]
    assert traces[0].history.values.max() == 23 / 3600
    assert traces[1].history.values.max() == 23
    said = capsys.readouterr().out
    assert "skipped brief.csv.gz: 9 days, 0:00:00 is under 10 days" in said
    assert "odd.csv.gz" in said
    assert "has no column 'requests'" in said


def test_a_gauge_may_be_negative_and_its_clock_may_drift(tmp_path: Path) -> None:
    moments = [START + timedelta(minutes=5 * step + (step > 2000)) for step in range(12 * 288)]
    rows = [f"{moment.isoformat()},{-step}" for step, moment in enumerate(moments)]
    (tmp_path / "kpi.csv.gz").write_bytes(gzip.compress("\n".join(["timestamp,value", *rows]).encode()))
    history = usable(tmp_path)[0].history
    assert history.step == timedelta(minutes=5)
    assert history.values.tolist() == [-float(step) for step in range(12 * 288)]


def test_each_set_of_traces_has_a_column_of_means() -> None:
    good, bad = (
        Score(vs_naive=x, vs_week=x, pinball_p95=x, cover_p90=0.9, cover_p95=0.95, cover_p99=0.99, origins=7)
        for x in (0.5, 2.0)
    )
    lines = means_table({"requests": [good], "all": [good, bad]}).splitlines()
    assert lines[0] == "| figure | requests (1) | all (2) |"
    assert "| vs_naive | 0.500 | 1.000 |" in lines
    assert "| vs_naive_most | 0.500 | 2.000 |" in lines


def test_a_trace_that_repeats_itself_exactly_is_compared_with_nothing() -> None:
    hours = Hours(first=START, values=np.tile(np.arange(24.0), 20))
    found = score(hours, [START + timedelta(days=15)], np.ones((1, 24)), np.ones((3, 1, 24)))
    assert found == Unknown("a forecast to compare with makes no error at all")
    early = score(hours, [START + timedelta(days=6)], np.ones((1, 24)), np.ones((3, 1, 24)))
    assert isinstance(early, Unknown)
    assert "a week before" in early.reason
