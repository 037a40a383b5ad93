"""The curve of dollars against misses is what each priced policy would really have cost and missed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest

from domain.load import LoadHistory
from optimizer.frontier import Frontier, frontier, quantile_of, wanted_at
from optimizer.physics import StartUp, run
from optimizer.scaling import Decisions, ScalingProblem, decide
from tests.optimizer.cases import MONDAY, daily, history

USD = 0.25
PROBLEM = ScalingProblem(capacity_rps=0.25, attainment=0.999, learning=timedelta(days=7))
LOAD = daily(14)
FIRST = len(LOAD) // 2


@pytest.fixture(scope="module")
def decisions() -> Decisions:
    return decide(LOAD, PROBLEM)


@pytest.fixture(scope="module")
def curve(decisions: Decisions) -> Frontier:
    return made(LOAD, PROBLEM, decisions)


def made(load: LoadHistory, problem: ScalingProblem, decisions: Decisions) -> Frontier:
    drawn = frontier(load, problem, decisions, first=len(load) // 2, usd_per_replica_hour=USD)
    assert drawn is not None
    return drawn


def test_each_point_is_its_policy_replayed(decisions: Decisions, curve: Frontier) -> None:
    row = decisions.row
    assert row is not None
    load, startup = LOAD.values / PROBLEM.capacity_rps, StartUp.of(PROBLEM.startup, LOAD.step)
    for column, point in enumerate(curve.points):
        done = run(load, wanted_at(row, column, len(LOAD), PROBLEM), startup)
        assert point.replica_hours == pytest.approx(done.cost(FIRST) / 12.0)
        assert point.usd == pytest.approx(point.replica_hours * USD)
        assert point.missed_share == pytest.approx(done.missed[FIRST:].sum() / load[FIRST:].sum())


def test_the_live_point_is_the_policy_as_it_decided(decisions: Decisions, curve: Frontier) -> None:
    done = run(LOAD.values / PROBLEM.capacity_rps, decisions.desired, StartUp.of(PROBLEM.startup, LOAD.step))
    assert curve.live.replica_hours == pytest.approx(done.cost(FIRST) / 12.0)
    assert curve.why
    assert not curve.given


def test_a_price_of_a_miss_is_a_quantile_and_dollars_per_request(curve: Frontier) -> None:
    """A replica-hour of missed load is 900 requests here (0.25 requests/s)."""
    for point in curve.points:
        assert point.quantile == pytest.approx(1.0 - 1.0 / point.price)
        assert point.usd_per_missed_request == pytest.approx(point.price * USD / 900.0)
    assert quantile_of(0.5) == 0.0


@pytest.mark.parametrize("most", [None, 30])
def test_a_price_read_off_the_curve_and_given_back_buys_what_the_curve_said(most: int | None) -> None:
    """Each point is the policy as it decides at that price, the floor of the present load and the bounds included."""
    problem = replace(PROBLEM, attainment=0.99, max_replicas=most)
    for point in made(LOAD, problem, decide(LOAD, problem)).points[:12:3]:
        given = replace(problem, replica_hours_per_miss=point.price / 900.0)
        live = made(LOAD, given, decide(LOAD, given)).live
        assert live.price == pytest.approx(point.price)
        assert live.replica_hours == pytest.approx(point.replica_hours)
        assert live.missed_share == pytest.approx(point.missed_share)


def test_no_priced_policy_lets_go_of_what_the_present_load_needs(decisions: Decisions) -> None:
    row = decisions.row
    assert row is not None
    needed = np.ceil(LOAD.values / PROBLEM.capacity_rps - 1e-9)
    for column in range(len(row.prices)):
        assert (wanted_at(row, column, len(LOAD), PROBLEM) >= needed).all()


def test_misses_fall_to_their_price() -> None:
    """On load without any pattern the mixture of price p is exceeded about once in p steps, the newsvendor's fractile."""
    noise = np.random.default_rng(7).gamma(20.0, 2.0, 288 * 21)
    load = history(noise)
    problem = ScalingProblem(capacity_rps=1.0, attainment=0.99, startup=timedelta(0))
    row = decide(load, problem).row
    assert row is not None
    for column, price in enumerate(row.prices):
        if 4.0 < price < 60.0:
            capacity = np.concatenate([[0], row.wanted[:-1, column]])
            exceeded = float((noise > capacity)[2016:].mean())
            assert 0.5 / price < exceeded < 2.0 / price


def test_the_efficient_points_fall_in_misses_as_they_rise_in_cost(curve: Frontier) -> None:
    kept = curve.efficient()
    assert len(kept) > 3
    assert all(a.usd < b.usd and a.missed_share > b.missed_share for a, b in pairwise(kept))
    for point in curve.points:
        assert any(k.usd <= point.usd and k.missed_share <= point.missed_share for k in kept)


def test_the_compact_curve_keeps_both_ends(curve: Frontier) -> None:
    kept, few = curve.efficient(), curve.compact(5)
    assert len(few) == 5
    assert (few[0], few[-1]) == (kept[0], kept[-1])
    assert len(curve.compact()) <= 12


def test_the_cost_of_an_attainment_lies_between_its_neighbours(curve: Frontier) -> None:
    low, high = curve.efficient()[1:3]
    between = curve.usd_at((low.attainment + high.attainment) / 2)
    assert between == pytest.approx((low.usd + high.usd) / 2)
    assert curve.usd_at(low.attainment) == pytest.approx(low.usd)


def test_an_attainment_beyond_the_curve_has_no_cost() -> None:
    """A single spike that nothing announces is missed at every price."""
    values = LOAD.values.copy()
    values[FIRST + 500] = 5_000.0
    spiked = history(values)
    drawn = made(spiked, PROBLEM, decide(spiked, PROBLEM))
    assert drawn.usd_at(0.999) is None
    assert drawn.usd_at(0.5) is not None


def test_dollars_per_miss_choose_the_point() -> None:
    """Given a price, every decision lies at that price on the row, and a dearer miss is missed less often."""
    answers = []
    for price in (5.0, 500.0):
        problem = replace(PROBLEM, replica_hours_per_miss=price / 900.0)
        drawn = made(LOAD, problem, decide(LOAD, problem))
        assert drawn.given
        assert drawn.price_now == pytest.approx(price, rel=1e-6)
        assert drawn.live.price == pytest.approx(price, rel=1e-6)
        assert "dollars per missed request" in drawn.why
        answers.append(drawn.live)
    assert answers[0].missed_share > answers[1].missed_share
    assert answers[0].usd < answers[1].usd


def test_policies_of_one_price_see_nothing_later(decisions: Decisions) -> None:
    """The future is altered after a moment; no priced policy wants another number before it."""
    cut = 3_000
    values = LOAD.values.copy()
    values[cut:] = np.random.default_rng(1).uniform(0.0, 60.0, len(values) - cut)
    other = decide(history(values), PROBLEM)
    assert decisions.row is not None
    assert other.row is not None
    assert (decisions.row.wanted[:cut] == other.row.wanted[:cut]).all()
    assert (decisions.row.positions[:cut] == other.row.positions[:cut]).all()


def test_coarser_decisions_stand_for_their_steps() -> None:
    fine = LoadHistory(start=MONDAY, step=timedelta(seconds=20), values=np.repeat(daily(4).values, 15))
    problem = replace(PROBLEM, learning=timedelta(days=2))
    done = decide(fine, problem)
    assert done.row is not None
    assert done.row.ratio == 3
    drawn = made(fine, problem, done)
    assert drawn.hours == pytest.approx(48.0)


def test_without_load_there_is_no_curve(decisions: Decisions) -> None:
    silent = LoadHistory(start=LOAD.start, step=LOAD.step, values=np.full(len(LOAD), np.nan))
    assert frontier(silent, PROBLEM, decisions, first=FIRST, usd_per_replica_hour=USD) is None
    assert frontier(LOAD, PROBLEM, replace(decisions, row=None), first=FIRST, usd_per_replica_hour=USD) is None
