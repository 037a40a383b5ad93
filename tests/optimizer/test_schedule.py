"""A schedule serves alone: drawn up from history, few changes, nothing later seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.load import LoadHistory
from optimizer.calendar import CalendarOptions
from optimizer.replay import ReplayReport, replay
from optimizer.scaling import ScalingProblem
from optimizer.schedule import schedule, scheduled
from tests.optimizer.cases import MONDAY, daily, history
from tests.optimizer.replay_traces import history_of, tenth_of_mean

OPTIONS = CalendarOptions()
PROBLEM = ScalingProblem(capacity_rps=0.25, attainment=0.999)
WEEK = 7 * 288


def office() -> LoadHistory:
    """Four weeks: 8 requests/s from 8 to 18 on five days, 1 else."""
    hours = np.arange(28 * 288) / 12.0
    busy = (hours % 24 >= 8) & (hours % 24 < 18) & (hours // 24 % 7 < 5)
    return history(np.where(busy, 8.0, 1.0))


@pytest.fixture(scope="module")
def report() -> ReplayReport:
    return replay(
        office(),
        PROBLEM,
        warmup=timedelta(days=14),
        usd_per_replica_hour=1.0,
        policies=("trimtab", "schedule", "fixed", "perfect"),
    )


def test_a_pattern_that_repeats_is_served_without_a_miss(report: ReplayReport) -> None:
    row = report.row("schedule")
    assert row.missed_share == 0.0
    assert row.slo_met
    assert row.cost_x is not None
    assert row.cost_x < 1.3
    assert "no controller" in row.detail


def test_it_is_charged_by_the_same_physics_as_everybody(report: ReplayReport) -> None:
    [series] = [each for each in report.series if each.policy == "schedule"]
    row = report.row("schedule")
    assert row.usd == row.replica_hours
    assert row.missed_requests == pytest.approx(series.missed_rps.sum() * 300.0)


@pytest.mark.parametrize("cut", [15 * 288 + 7, 20 * 288, 24 * 288 + 100])
def test_what_comes_later_changes_nothing_before_it(cut: int) -> None:
    load = daily(28)
    altered = load.values.copy()
    altered[cut:] = np.random.default_rng(2).uniform(0.0, 90.0, len(altered) - cut)
    first = 14 * 288
    before = scheduled(load, PROBLEM, OPTIONS, first=first).wanted
    after = scheduled(history(altered), PROBLEM, OPTIONS, first=first).wanted
    assert (before[:cut] == after[:cut]).all()
    assert (before != after).any() == (cut < 21 * 288)  # the last one is drawn up after three weeks


def test_what_was_cut_off_changes_nothing_before_it() -> None:
    load, cut = daily(28), 24 * 288 + 5
    short = LoadHistory(start=load.start, step=load.step, values=load.values[:cut])
    whole = scheduled(load, PROBLEM, OPTIONS, first=14 * 288).wanted
    assert (scheduled(short, PROBLEM, OPTIONS, first=14 * 288).wanted == whole[:cut]).all()


def test_it_is_drawn_up_anew_each_week_and_changes_seldom() -> None:
    past = scheduled(daily(28), PROBLEM, OPTIONS, first=14 * 288)
    assert len(past.drawn) == 2
    for week in past.drawn:
        assert len(week.steps) <= OPTIONS.changes + 1
        assert all(a.at < b.at for a, b in pairwise(week.steps))
        assert week.steps[0].at == week.start


def test_the_way_it_is_drawn_up_held_the_slo_on_the_past() -> None:
    week = schedule(daily(21), PROBLEM, OPTIONS)
    assert week is not None
    assert week.within
    assert week.missed_share is not None
    assert week.missed_share <= 1.0 - PROBLEM.attainment


def test_a_looser_slo_costs_less() -> None:
    costs = []
    for attainment in (0.9, 0.999):
        past = scheduled(daily(28), replace(PROBLEM, attainment=attainment), OPTIONS, first=14 * 288)
        costs.append(past.wanted[14 * 288 :].sum())
    assert costs[0] < costs[1]


def test_bounds_hold() -> None:
    bounded = replace(PROBLEM, min_replicas=12, max_replicas=20)
    week = schedule(daily(21), bounded, OPTIONS)
    assert week is not None
    counts = [step.replicas for step in week.steps]
    assert min(counts) >= 12
    assert max(counts) <= 20


def test_what_the_greatest_number_misses_on_the_past_is_told() -> None:
    """Thirty-two replicas' worth of load ten hours a day, and sixteen allowed: half of it is missed, whatever is drawn up."""
    week = schedule(office(), replace(PROBLEM, max_replicas=16), OPTIONS)
    assert week is not None
    assert not week.within
    assert week.missed_share is not None
    assert week.missed_share > 0.3


def test_replicas_are_ready_when_the_hour_begins() -> None:
    """Rises are asked for a start-up early: at 07:50 for eight o'clock."""
    week = schedule(office(), replace(PROBLEM, startup=timedelta(minutes=10)), OPTIONS)
    assert week is not None
    rises = [b.at for a, b in pairwise(week.steps) if b.replicas > a.replicas]
    assert rises
    assert {(at.hour, at.minute) for at in rises} == {(7, 50)}


def test_a_start_between_two_steps_is_paid_from_the_step_it_falls_in() -> None:
    """Ten-minute steps and a start-up of five: the rise at 07:55 runs from 07:50 on, and eight o'clock is served."""
    fine = office()
    coarse = LoadHistory(start=MONDAY, step=timedelta(minutes=10), values=fine.values[::2])
    done = replay(
        coarse, PROBLEM, warmup=timedelta(days=14), usd_per_replica_hour=1.0, policies=("schedule", "perfect")
    )
    assert done.row("schedule").missed_share == 0.0


def test_without_a_past_to_try_it_on_it_says_so() -> None:
    week = schedule(daily(1), PROBLEM, OPTIONS)
    assert week is not None
    assert week.missed_share is None
    assert not week.within


@given(
    steps=st.integers(1, 700),
    minutes=st.sampled_from([1, 5, 7, 30, 60, 90]),
    late=st.integers(0, 100),
    gap=st.integers(0, 50),
    first=st.integers(0, 400),
)
@settings(max_examples=40, deadline=None)
def test_any_length_and_step_gives_a_week_that_begins_now(
    steps: int, minutes: int, late: int, gap: int, first: int
) -> None:
    values = np.random.default_rng(steps).gamma(2.0, 2.0, steps)
    values[: min(gap, steps - 1)] = np.nan
    load = LoadHistory(start=MONDAY + timedelta(minutes=late), step=timedelta(minutes=minutes), values=values)
    week = schedule(load, PROBLEM, OPTIONS)
    assert week is not None
    assert week.steps[0].at == load.end
    assert all(a.at < b.at for a, b in pairwise(week.steps))
    assert week.steps[-1].at <= load.end + timedelta(days=7, hours=2)
    past = scheduled(load, PROBLEM, OPTIONS, first=min(first, steps - 1))
    assert len(past.wanted) == steps
    assert past.wanted.min() >= 1


def test_without_load_there_is_none() -> None:
    assert schedule(history(np.full(300, np.nan)), PROBLEM, OPTIONS) is None


def test_gaps_teach_nothing() -> None:
    """A day without data is no day without load."""
    holed = office().values.copy()
    holed[22 * 288 : 23 * 288] = np.nan
    whole, gappy = (schedule(load, PROBLEM, OPTIONS) for load in (office(), history(holed)))
    assert whole is not None
    assert gappy is not None
    assert [step.replicas for step in gappy.steps] == [step.replicas for step in whole.steps]


def test_on_recorded_load_it_holds_the_slo_and_costs_more_than_the_policy() -> None:
    load = history_of("servegen_large_c48")
    problem = ScalingProblem(capacity_rps=tenth_of_mean(load), attainment=0.997)
    done = replay(
        load, problem, warmup=timedelta(days=7), usd_per_replica_hour=1.0, policies=("trimtab", "schedule", "perfect")
    )
    alone, live = done.row("schedule"), done.row("trimtab")
    assert alone.slo_met
    assert alone.usd is not None
    assert live.usd is not None
    assert alone.usd > live.usd
