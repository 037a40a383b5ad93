"""Replay has the physics of the judge: pinned figures, and the judge itself where it is present."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from domain.load import LoadHistory
from optimizer.physics import StartUp, run
from optimizer.replay import ReplayRow, prepare, rated
from optimizer.scaling import ScalingProblem
from tests.optimizer.replay_traces import TRACES, history_of, plain_decisions, scorer, tenth_of_mean

# trace, startup s, warm-up days, attainment -> cost_x, missed share, at_budget, vs_hpa, vs_week of the plain rule
PINNED = {
    ("azfn_bd33", 300, 7, 0.999): (1.32989, 0.00051, 1.20142, 1.09867, 1.16752),
    ("azfn_bd33", 45, 4, 0.99): (1.32831, 0.00006, 1.29888, 1.12115, 1.02117),
    ("servegen_large_c48", 300, 7, 0.997): (1.67718, 0.01400, 0.75783, 1.04798, 1.02959),
    ("elb_requests", 600, 7, 0.99): (2.77475, 0.07816, 0.70313, 1.24646, 1.24646),
    ("elb_requests", 100, 4, 0.95): (2.74587, 0.06128, 1.10268, 1.14679, 1.14679),
}
FIELDS = ("cost_x", "missed_share", "at_budget", "vs_hpa", "vs_week")
CASES = pytest.mark.parametrize("case", PINNED, ids=lambda case: f"{case[0]}-{case[1]}s")


def rated_plainly(case: tuple[str, int, int, float]) -> ReplayRow:
    name, startup, days, attainment = case
    history = history_of(name)
    capacity = tenth_of_mean(history)
    problem = ScalingProblem(capacity_rps=capacity, startup=timedelta(seconds=startup), attainment=attainment)
    bench = prepare(history, problem, warmup=timedelta(days=days))
    row, _ = rated(bench, "plain", plain_decisions(history, capacity).astype(np.int64), 1.0)
    return row


@CASES
def test_figures_are_those_pinned_from_the_judge(case: tuple[str, int, int, float]) -> None:
    row = rated_plainly(case)
    assert [getattr(row, field) for field in FIELDS] == pytest.approx(PINNED[case], rel=1e-3, abs=6e-6)


@CASES
def test_figures_agree_with_the_judge_to_one_percent(case: tuple[str, int, int, float], tmp_path: Path) -> None:
    """Compared afresh with the judge where it stands beside the checkout; the pinned figures stand in elsewhere."""
    judge = scorer()
    name, startup, days, attainment = case
    history = history_of(name)
    capacity = tenth_of_mean(history)
    wanted = plain_decisions(history, capacity)
    expected = dict(zip(("cost_x", "miss", "at_budget", "vs_hpa", "vs_week"), PINNED[case], strict=True))
    if judge is not None:
        lines = [f"{(history.start + i * history.step).isoformat()},{number:g}\n" for i, number in enumerate(wanted)]
        (tmp_path / "decisions.csv").write_text("timestamp,desired_replicas\n" + "".join(lines), encoding="utf-8")
        trace = str(TRACES / f"{name}.csv.gz")
        expected = judge.score(trace, str(tmp_path / "decisions.csv"), capacity, startup, days, attainment)
    row = rated_plainly(case)
    ours = {
        "cost_x": row.cost_x,
        "miss": row.missed_share,
        "at_budget": row.at_budget,
        "vs_hpa": row.vs_hpa,
        "vs_week": row.vs_week,
    }
    assert ours == pytest.approx({key: expected[key] for key in ours}, rel=0.01, abs=1e-5)


def test_a_replica_serves_a_startup_after_the_end_of_the_step_that_asked() -> None:
    load = np.array([1.0, 1.0, 4.0, 4.0, 4.0, 4.0])
    done = run(load, np.array([1, 4, 4, 4, 4, 4]), StartUp.of(timedelta(minutes=2), timedelta(minutes=1)))
    assert done.capacity.tolist() == [1, 1, 1, 1, 4, 4]
    assert done.paid.tolist() == [1, 1, 4, 4, 4, 4]


def test_the_part_of_a_step_that_is_left_counts_in_part() -> None:
    done = run(np.array([1.0, 1.0, 1.0]), np.array([5, 5, 5]), StartUp.of(timedelta(minutes=15), timedelta(minutes=60)))
    assert done.capacity.tolist() == [1, 4, 5]


def test_letting_go_stops_the_youngest_pending_first() -> None:
    two_steps = StartUp.of(timedelta(minutes=2), timedelta(minutes=1))
    done = run(np.array([2.0] * 7), np.array([2, 6, 3, 3, 3, 3, 3]), two_steps)
    assert done.capacity.tolist() == [2, 2, 2, 2, 3, 3, 3]


def test_a_gap_is_neither_paid_nor_missed() -> None:
    done = run(np.array([1.0, np.nan, 9.0]), np.array([1, 1, 1]), StartUp.of(timedelta(0), timedelta(minutes=1)))
    assert done.paid.tolist() == [1, 0, 1]
    assert done.missed.tolist() == [0, 0, 8]


def test_a_warm_up_that_leaves_nothing_is_refused() -> None:
    history = LoadHistory(start=datetime(2024, 1, 1, tzinfo=UTC), step=timedelta(minutes=5), values=np.ones(100))
    with pytest.raises(ValueError, match="leaves nothing to score"):
        prepare(history, ScalingProblem(capacity_rps=1.0), warmup=timedelta(days=7))
