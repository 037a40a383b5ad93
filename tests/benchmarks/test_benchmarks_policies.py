"""The policy benchmark names what it cannot judge, and goes on."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from benchmarks.policies import capacity_of, usable
from benchmarks.policies_wide import Answer, added, answered, cases, parts, summary, table
from domain.load import LoadHistory

START = datetime(2024, 1, 1, tzinfo=UTC)


def test_traces_without_load_or_days_enough_are_named_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, days, count in (("busy", 12, 360), ("still", 12, 0), ("brief", 3, 360)):
        rows = [f"{(START + timedelta(hours=hour)).isoformat()},{count}" for hour in range(days * 24)]
        (tmp_path / f"{name}.csv.gz").write_bytes(gzip.compress("\n".join(["timestamp,requests", *rows]).encode()))
    ((path, history, warmup),) = usable(tmp_path)
    assert path.name == "busy.csv.gz"
    assert capacity_of(history) == pytest.approx(0.01)
    assert warmup == timedelta(days=7)
    said = capsys.readouterr().out
    assert "still.csv.gz: hardly a request came" in said
    assert "brief.csv.gz: 3 days, 0:00:00 is too short" in said


def hourly(days: int, level: float = 1.0) -> LoadHistory:
    values = level * (2.0 + np.sin(np.arange(days * 24) / 24 * 2 * np.pi))
    return LoadHistory(start=START, step=timedelta(hours=1), values=values)


def test_each_trace_is_asked_again_in_parts_with_other_replicas_and_with_a_neighbour() -> None:
    traces = [(Path(f"{name}.csv.gz"), hourly(14, level), timedelta(days=7)) for name, level in (("a", 1), ("b", 9))]
    made = list(cases(traces))
    groups = [case.group for case in made]
    assert [groups.count(name) for name in dict.fromkeys(groups)] == [2, 2, 2, 2, 2, 4, 1]
    assert {case.startup_s for case in made if case.group == "ready after 60 s"} == {60.0}
    assert made[-1].history.values == pytest.approx(hourly(14).values)  # each in units of its mean of two
    assert answered(made[0]).slo_met


def test_long_traces_are_cut_in_three_and_short_ones_overlap() -> None:
    assert [len(part) for part in parts(hourly(30))] == [240, 240, 240]
    first, last = parts(hourly(10))
    assert (len(first), len(last)) == (168, 168)
    assert last.end == hourly(10).end
    assert added(hourly(10), hourly(12)).end == hourly(10).end


def test_cost_is_averaged_only_where_the_slo_was_met_and_a_baseline_met_it_too() -> None:
    answers = [
        Answer(group="parts", trace="a", slo_met=met, missed=0.0, at_budget=cost)
        for met, cost in ((True, 0.5), (True, 2.0), (True, float("nan")), (False, 0.1))
    ]
    row = summary(answers)
    assert row == {"cases": 4, "slo_met": 3, "at_budget_where_met": pytest.approx(1.0), "at_budget_most": 2.0}
    assert table({"parts": row}).splitlines()[-1] == "| parts | 4 | 3 | 1.000 | 2.00 |"
