"""Every policy of a replay is there, in the same money, and means what its row says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from domain.load import LoadHistory
from optimizer.replay import POLICIES, ReplayReport, replay
from optimizer.replay.baselines import best_fixed
from optimizer.replay.threshold import threshold
from optimizer.scaling import ScalingProblem, decide
from tests.optimizer.replay_traces import history_of, tenth_of_mean


@pytest.fixture(scope="module")
def report() -> ReplayReport:
    history = history_of("servegen_large_c48")
    problem = ScalingProblem(capacity_rps=tenth_of_mean(history), attainment=0.997)
    ran = np.full(len(history), 31.0)
    return replay(history, problem, warmup=timedelta(days=7), usd_per_replica_hour=2.0, recorded_replicas=ran)


def test_every_policy_has_a_row_and_a_series(report: ReplayReport) -> None:
    assert tuple(row.policy for row in report.rows) == POLICIES
    assert {len(series.ready) for series in report.series} == {len(report.load_rps)}


def test_dollars_are_replica_hours_times_the_price(report: ReplayReport) -> None:
    for row in report.rows:
        assert row.replica_hours is not None
        assert row.usd == pytest.approx(2.0 * row.replica_hours)


def test_missed_requests_are_the_series_summed(report: ReplayReport) -> None:
    for row, series in zip(report.rows, report.series, strict=True):
        if row.policy in {"trimtab", "recorded", "fixed", "threshold"}:
            assert row.missed_requests == pytest.approx(series.missed_rps.sum() * report.step.total_seconds())


@pytest.mark.parametrize("load_rps", [0.0, 0.33])
def test_no_misses_are_told_that_no_policy_had(load_rps: float) -> None:
    """One replica carries it all: a setting that misses the budget would not be cheaper."""
    history = LoadHistory(
        start=datetime(2024, 1, 1, tzinfo=UTC), step=timedelta(hours=1), values=np.full(300, load_rps)
    )
    told = replay(history, ScalingProblem(capacity_rps=1.0), warmup=timedelta(days=7), usd_per_replica_hour=1.0)
    for row, series in zip(told.rows, told.series, strict=True):
        assert (row.missed_requests, row.missed_share, series.missed_rps.sum()) == (0.0, 0.0, 0.0), row.policy
        assert row.slo_met, row.policy


def test_nothing_is_cheaper_than_perfect_foresight_within_the_budget(report: ReplayReport) -> None:
    cheapest = report.row("perfect").usd
    assert cheapest is not None
    assert all(row.usd is not None and row.usd >= 0.98 * cheapest for row in report.rows if row.slo_met)


def test_what_ran_is_charged_as_recorded(report: ReplayReport) -> None:
    assert report.row("recorded").mean_replicas == pytest.approx(31.0)


def recorded(replicas: list[float]) -> ReplayReport:
    """Replayed over a constant load of one replica's worth, each number for a day from the first on."""
    history = LoadHistory(start=datetime(2024, 1, 1, tzinfo=UTC), step=timedelta(hours=1), values=np.full(240, 1.0))
    return replay(
        history,
        ScalingProblem(capacity_rps=1.0),
        warmup=timedelta(days=7),
        usd_per_replica_hour=1.0,
        recorded_replicas=np.repeat(replicas, 24),
        policies=("recorded",),
    )


def test_recorded_replicas_that_begin_too_late_are_unknown_and_not_zero() -> None:
    unknown = float("nan")
    for days, why in (([unknown] * 8 + [3.0, 3.0], "begin after the warm-up"), ([unknown] * 10, "none is known")):
        told = recorded(days)
        assert told.row("recorded").usd is None
        assert why in told.row("recorded").detail
        assert np.isnan(told.series[0].ready[:24]).all()
        assert np.isnan(told.series[0].missed_rps).all()


def test_the_last_recorded_number_stands_in_gaps_and_the_row_says_in_how_many() -> None:
    told = recorded([3.0] * 8 + [float("nan"), 4.0])
    assert told.row("recorded").mean_replicas == pytest.approx((3 + 3 + 4) / 3)
    assert "in 33.33% of the steps unknown" in told.row("recorded").detail


def test_what_costs_nothing_is_no_measure_for_what_others_cost() -> None:
    """An idle workload that may go to zero: neither perfect foresight nor any baseline pays, so no ratio to them is told."""
    history = LoadHistory(start=datetime(2024, 1, 1, tzinfo=UTC), step=timedelta(hours=1), values=np.zeros(240))
    ran = np.full(240, 2.0)
    problem = ScalingProblem(capacity_rps=1.0, min_replicas=0)
    told = replay(history, problem, warmup=timedelta(days=7), usd_per_replica_hour=1.0, recorded_replicas=ran)
    for row in told.rows:
        assert (row.cost_x, row.at_budget, row.vs_hpa, row.vs_week, row.vs_best) == (None,) * 5, row.policy
    assert [told.row(name).usd for name in ("trimtab", "recorded")] == [0.0, 144.0]


def test_without_recorded_replicas_there_is_no_such_row() -> None:
    history = history_of("servegen_large_c48")
    problem = ScalingProblem(capacity_rps=tenth_of_mean(history))
    report = replay(
        history, problem, warmup=timedelta(days=7), usd_per_replica_hour=1.0, policies=("recorded", "perfect")
    )
    assert [row.policy for row in report.rows] == ["perfect"]


def test_ours_is_the_very_function_that_recommends(report: ReplayReport) -> None:
    history = history_of("servegen_large_c48")
    problem = ScalingProblem(capacity_rps=tenth_of_mean(history), attainment=0.997)
    wanted = decide(history, problem).desired
    assert report.row("trimtab").mean_replicas == pytest.approx(wanted[1007:-1].mean())


def test_an_unknown_policy_is_named() -> None:
    history = LoadHistory(start=datetime(2024, 1, 1, tzinfo=UTC), step=timedelta(hours=1), values=np.ones(300))
    with pytest.raises(ValueError, match="unknown policy 'magic'"):
        replay(
            history,
            ScalingProblem(capacity_rps=1.0),
            warmup=timedelta(days=7),
            usd_per_replica_hour=1.0,
            policies=("magic",),
        )


def test_the_best_fixed_number_is_the_smallest_within_the_budget() -> None:
    assert best_fixed(np.array([1.0, 2.0, 7.0]), 0.0, 1) == 7
    assert best_fixed(np.array([1.0, 2.0, 7.0]), 0.1, 1) == 6


def test_thresholds_scale_by_their_factors_and_rest() -> None:
    """Half more above 70 % use, then five minutes' rest; seven tenths below 30 %, then ten."""
    load = np.array([1.0] * 10 + [8.0] * 12 + [0.5] * 30)
    wanted = threshold(load, step_s=60.0, floor=1)
    changes = np.flatnonzero(np.diff(wanted))
    assert (np.diff(changes) >= 5).all()
    assert wanted.max() >= 12
    assert wanted[-1] < wanted.max()


def test_where_no_week_was_warmed_up_the_row_says_that_yesterday_stands_in_for_it() -> None:
    history = LoadHistory(start=datetime(2024, 1, 1, tzinfo=UTC), step=timedelta(hours=1), values=np.ones(240))
    for days, said in ((7, False), (4, True)):
        told = replay(
            history,
            ScalingProblem(capacity_rps=1.0),
            warmup=timedelta(days=days),
            usd_per_replica_hour=1.0,
            policies=("week",),
        )
        assert ("yesterday's peak" in told.row("week").detail) == said
