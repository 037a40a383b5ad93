"""The spot policy: blind to the future, within its budget, covered by on-demand, and no dearer for trying."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.load import LoadHistory
from monitor.availability_file import read_availability
from optimizer.spot import SpotProblem, SpotRun, hold
from tests.optimizer.spot_cases import RECORDED, availability, constantly, flapping, joined, mostly, stretches_of

PROBLEM = SpotProblem(startup=timedelta(minutes=5), price=0.3, budget=0.005)


def held(available: LoadHistory, units: int = 1, problem: SpotProblem = PROBLEM) -> SpotRun:
    return hold(available, constantly(units, len(available)), problem)


def recorded() -> Iterator[Path]:
    return iter(sorted(RECORDED.glob("*.csv.gz")))


@settings(deadline=None, max_examples=40)
@given(stretches_of, st.data())
def test_nothing_that_comes_later_changes_what_was_held(stretches: list[tuple[int, int]], data: st.DataObject) -> None:
    """Availability and demand differ from `moment` on: every number held up to and with that step's is the same."""
    values = joined(stretches)
    wanted = np.array(
        data.draw(st.lists(st.integers(0, 4), min_size=len(values), max_size=len(values))), dtype=np.int64
    )
    moment = data.draw(st.integers(1, len(values)))
    one = hold(availability(values), wanted, PROBLEM)
    other = np.concatenate([values[:moment], 4.0 - values[moment:]])
    else_wanted = np.concatenate([wanted[:moment], 3 * wanted[moment:] + 1])
    two = hold(availability(other), else_wanted, PROBLEM)
    for name in ("spot", "on_demand", "missed", "waits"):
        np.testing.assert_array_equal(getattr(one, name)[:moment], getattr(two, name)[:moment])
    if moment < len(values):
        assert one.on_demand[moment] == two.on_demand[moment]  # decided before


@settings(deadline=None)
@given(stretches_of, st.integers(1, 4))
def test_what_is_wanted_is_held_wherever_nothing_was_taken_back(stretches: list[tuple[int, int]], units: int) -> None:
    values = joined(stretches)
    run = held(availability(values), units, replace(PROBLEM, budget=0.05))
    assert (run.spot <= np.floor(values)).all()
    steady = np.concatenate([[True], run.spot[1:] >= run.spot[:-1]])
    assert (run.spot + run.on_demand >= units)[steady].all()
    assert (run.spot <= units).all()
    assert (run.on_demand <= units).all()


@settings(deadline=None)
@given(stretches_of, st.integers(1, 3), st.sampled_from([0.0005, 0.005, 0.05]))
def test_losses_stay_within_the_budget_of_which_one_is_advanced(
    stretches: list[tuple[int, int]], units: int, budget: float
) -> None:
    run = held(availability(joined(stretches)), units, replace(PROBLEM, budget=budget))
    loss = PROBLEM.delay(timedelta(minutes=5)).loss
    assert run.missed.sum() <= max(budget * run.served_on_demand.sum(), loss) + 1e-9


def test_costs_add_up() -> None:
    run = held(mostly())
    assert run.saving(0.3) == pytest.approx(1 - (run.on_demand.sum() + 0.3 * run.spot.sum()) / len(run.spot))
    assert (run.paid_on_demand == 1).all()
    assert 0 < run.spot.sum() < len(run.spot)


def test_a_machine_that_is_always_there_is_taken_and_on_demand_let_go() -> None:
    run = held(availability(np.ones(40 * 288)))
    assert run.missed_share == 0
    assert run.saving(0.3) == pytest.approx(0.7, abs=0.01)
    assert run.on_demand[-1] == 0


@pytest.mark.parametrize("available", [availability(np.zeros(4000)), flapping()], ids=["never there", "flapping"])
def test_where_spot_does_not_last_everything_stays_on_demand(available: LoadHistory) -> None:
    run = held(available)
    assert run.spot.sum() == 0
    assert run.saving(0.3) == 0
    assert run.missed_share == 0


def test_what_has_lasted_is_trusted_and_what_flaps_is_not() -> None:
    """Ten minutes come and go all day, and once a day there are six hours: only these are used, after a wait."""
    day = np.concatenate([np.tile([1.0, 1.0, 0.0, 0.0], 54), np.ones(72)])
    values = np.tile(day, 60)
    run = held(availability(values), problem=replace(PROBLEM, budget=0.02))
    begun = np.flatnonzero(np.diff(run.spot) > 0) + 1
    assert len(begun) > 20
    assert (begun % 288 > 216).all()
    assert np.nanmin(run.waits[len(values) // 2 :]) > 1


def test_a_gap_is_not_trusted_and_counts_nothing() -> None:
    """What was on spot before the gap is taken to be gone: on-demand is asked for, and serves a start-up later."""
    values = np.ones(40 * 288)
    values[9000] = np.nan
    run = held(availability(values))
    for series in (run.spot, run.on_demand, run.missed, run.paid_on_demand, run.served_on_demand):
        assert series[9000] == 0
    assert run.on_demand[9001:9003].tolist() == [1, 1]
    assert run.missed[9001:9003].tolist() == [1, 0]


def test_a_larger_budget_saves_more_and_loses_more() -> None:
    zone = mostly(up_h=12.0)
    little, much = (held(zone, problem=replace(PROBLEM, budget=budget)) for budget in (0.002, 0.05))
    assert little.saving(0.3) < much.saving(0.3)
    assert little.missed_share < much.missed_share


@pytest.mark.parametrize(
    "wrong", [{"price": 0.0}, {"budget": 1.0}, {"budget": -0.1}, {"startup": timedelta(seconds=-1)}]
)
def test_a_problem_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"not|negative"):
        replace(PROBLEM, **wrong)  # type: ignore[arg-type]


def test_numbers_wanted_must_match_the_history() -> None:
    with pytest.raises(ValueError, match="3 wanted numbers for 4 steps"):
        hold(availability([1.0] * 4), constantly(1, 3), PROBLEM)


@pytest.mark.skipif(not any(recorded()), reason="no recorded spot availability stands beside the checkout")
def test_on_recorded_availability_it_is_never_dearer_and_keeps_the_budget() -> None:
    for path in recorded():
        zone = read_availability(path)
        run = held(zone, problem=replace(PROBLEM, price=0.33))
        assert run.saving(0.33) >= 0, path.name
        assert run.missed_share <= 0.005, path.name
