"""Whatever a replay reckons itself keeps the replicas that the user allows; what cannot be had within them is unknown."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import timedelta
from itertools import product

import numpy as np
import pytest

from domain.load import LoadHistory
from domain.workload import MOST_REPLICAS
from optimizer.replay import POLICIES, ReplayReport, replay
from optimizer.replay.baselines import best_fixed, coming_peak, hpa
from optimizer.replay.threshold import threshold
from optimizer.scaling import ScalingProblem
from tests.optimizer.cases import daily, history
from tests.optimizer.replay_traces import history_of, tenth_of_mean

COMPUTED = tuple(name for name in POLICIES if name != "recorded")
TUNED = ("hpa", "week", "fixed")
LOAD = daily(12)  # two to ten replicas a day, and a little noise
PROBLEM = ScalingProblem(capacity_rps=1.0, attainment=0.999, min_replicas=3)


def replayed(most: int | None, load: LoadHistory = LOAD, problem: ScalingProblem = PROBLEM) -> ReplayReport:
    return replay(
        load,
        replace(problem, max_replicas=most),
        warmup=timedelta(days=7),
        usd_per_replica_hour=1.0,
        recorded_replicas=np.full(len(load), 14.0),
    )


@pytest.fixture(scope="module")
def unlimited() -> ReplayReport:
    return replayed(None)


@pytest.fixture(scope="module")
def tight() -> ReplayReport:
    """Six replicas, where the day's peak needs ten."""
    return replayed(6)


@pytest.mark.parametrize("policy", COMPUTED)
def test_no_policy_keeps_more_replicas_than_are_allowed_nor_fewer(tight: ReplayReport, policy: str) -> None:
    [series] = [each for each in tight.series if each.policy == policy]
    assert series.ready.max() == 6.0
    assert series.ready.min() >= 3.0


def test_what_ran_is_not_bent_to_a_limit_it_did_not_have(unlimited: ReplayReport, tight: ReplayReport) -> None:
    ran, limited = unlimited.row("recorded"), tight.row("recorded")
    facts = ("mean_replicas", "usd", "missed_requests", "missed_share", "slo_met")
    assert [getattr(limited, name) for name in facts] == [getattr(ran, name) for name in facts]


def test_a_limit_that_nobody_reaches_changes_no_number(unlimited: ReplayReport) -> None:
    far = replayed(MOST_REPLICAS)
    assert [asdict(row) for row in far.rows] == [asdict(row) for row in unlimited.rows]
    for a, b in zip(far.series, unlimited.series, strict=True):
        assert (a.ready == b.ready).all()
        assert (a.missed_rps == b.missed_rps).all()


@pytest.mark.parametrize("policy", TUNED)
def test_a_baseline_that_cannot_keep_the_budget_under_the_limit_is_unknown_and_says_why(
    tight: ReplayReport, policy: str
) -> None:
    row = tight.row(policy)
    told = (row.usd, row.replica_hours, row.mean_replicas, row.missed_requests, row.missed_share, row.slo_met)
    assert told == (None,) * 6
    over = np.maximum(0.0, LOAD.values[-5 * 288 :] - 6.0).sum() / LOAD.values[-5 * 288 :].sum()
    assert f"at most 6 replicas may run, with which at least {over:.3%} of requests are missed" in row.detail
    assert "the budget is 0.100%" in row.detail


def test_what_a_policy_costs_against_baselines_that_there_are_none_of_is_unknown(tight: ReplayReport) -> None:
    """Not 0, and not the ratio to a baseline that may run more replicas than ours."""
    for policy in ("trimtab", "schedule", "recorded", "threshold", "perfect"):
        assert tight.row(policy).usd is not None
        assert tight.row(policy).at_budget is None, policy


def test_foresight_under_a_limit_misses_what_exceeds_it(tight: ReplayReport) -> None:
    row, scored = tight.row("perfect"), LOAD.values[-5 * 288 :]
    assert row.missed_share == pytest.approx(np.maximum(0.0, scored - 6.0).sum() / scored.sum())
    assert row.slo_met is False
    assert row.mean_replicas == pytest.approx(np.clip(np.ceil(scored), 3, 6).mean())
    [series] = [each for each in tight.series if each.policy == "perfect"]
    assert series.missed_rps.sum() * 300.0 == pytest.approx(row.missed_requests)


def test_nothing_misses_less_than_foresight_under_the_same_limit() -> None:
    """However loose the limit and the budget are, every share that is told is at least what exceeds the limit."""
    for most, attainment in product((3, 5, 9, 12), (0.8, 0.99)):
        told = replayed(most, problem=replace(PROBLEM, attainment=attainment, min_replicas=1))
        least = told.row("perfect").missed_share
        assert least is not None
        for row in told.rows:
            if row.policy != "recorded" and row.missed_share is not None:
                assert row.missed_share >= least - 1e-12, (row.policy, most)


def test_a_wide_budget_is_kept_under_a_limit_and_compared(tight: ReplayReport) -> None:
    """A quarter may be missed: there the tuned baselines exist under the limit, and ours is measured against them."""
    told = replayed(6, problem=replace(PROBLEM, attainment=0.75))
    for policy in TUNED:
        assert told.row(policy).slo_met
        assert told.row(policy).usd is not None
    ours = told.row("trimtab")
    assert ours.slo_met
    assert ours.at_budget is not None
    assert ours.at_budget > 0.0


def test_ours_knows_what_its_limit_already_misses() -> None:
    """Twenty replicas alone miss 0.09 % of a budget of 0.1 %: pacing that took the limit for served would lose the SLO."""
    load = history_of("azfn_bd33")
    problem = ScalingProblem(capacity_rps=tenth_of_mean(load), attainment=0.999, max_replicas=20)
    told = replay(load, problem, warmup=timedelta(days=7), usd_per_replica_hour=1.0, policies=("trimtab", "perfect"))
    least, ours = told.row("perfect").missed_share, told.row("trimtab")
    assert least == pytest.approx(0.0008, abs=0.0002)
    assert ours.slo_met
    assert ours.mean_replicas is not None
    assert ours.mean_replicas < 14.0


def test_a_setting_that_is_too_slow_within_the_limit_is_told_as_that() -> None:
    """A week of silence, then load at once: the limit would carry it, but whoever follows the load comes too late."""
    load = history(np.where(np.arange(10 * 288) < 8 * 288, 0.0, 5.5))
    told = replayed(6, load, replace(PROBLEM, min_replicas=1))
    assert told.row("hpa").detail == "no setting within 6 replicas misses as little as 0.100% of requests"
    assert told.row("fixed").slo_met


def test_the_first_replicas_too_are_no_more_than_allowed() -> None:
    """Without a warm-up the first steps are served by what ran before the first decision."""
    load = history(np.full(600, 50.0))
    told = replay(load, ScalingProblem(capacity_rps=1.0, max_replicas=7), warmup=timedelta(0), usd_per_replica_hour=1.0)
    for series in told.series:
        assert series.ready.max() <= 7.0, series.policy


def test_the_best_fixed_number_under_a_limit() -> None:
    seen = np.array([1.0, 2.0, 7.0])
    assert best_fixed(seen, 0.1, 1, most=6) == 6
    assert best_fixed(seen, 0.1, 1, most=5) is None


def test_a_limited_autoscaler_comes_down_from_the_limit_when_the_load_does() -> None:
    """What the formula asked for beyond the limit is no number that it keeps to while it waits to scale down."""
    load = np.array([2.0] * 5 + [40.0] * 5 + [2.0] * 20)
    wanted = hpa(load, 0.5, 3, 1, 8)
    assert wanted.max() == 8
    assert wanted[-1] == 4
    assert (threshold(load, step_s=60.0, floor=1, most=8) <= 8).all()
    assert coming_peak(load, 10, 2).max() == 40.0
