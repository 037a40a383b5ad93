"""The physics of spot: that of the scaling replay where nothing is taken back, and machine by machine where it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from optimizer.physics import StartUp, run
from optimizer.spot.fleet import Delay, Fleet, Wish, new_fleet, settle

MINUTE = timedelta(minutes=1)
startups = st.integers(0, 400).map(lambda seconds: timedelta(seconds=seconds))
numbers = st.lists(st.integers(0, 5), min_size=2, max_size=40)


def moved(wishes: list[Wish], available: list[int], delay: Delay, start: int) -> Fleet:
    """A fleet that follows these wishes, each given at the end of the step before."""
    fleet = new_fleet(np.full(len(wishes), start, dtype=np.int64), delay)
    before = [Wish(start, 0, start), *wishes[:-1]]
    for t, wish in enumerate(before):
        settle(fleet, t, wish, available[t])
    return fleet


@dataclass(slots=True)
class Machine:
    """One machine and the step at whose beginning it was paid for first."""

    asked: float
    spot: bool


def by_machine(
    wishes: list[Wish], available: list[int], startup: timedelta, start: int
) -> tuple[list[float], list[int], list[int]]:
    """The slow way: every machine with the moment it was asked for; of too many the youngest go first."""
    lead = startup / MINUTE
    held = [Machine(asked=-1e9, spot=False) for _ in range(start)]
    capacity, spot, firm = [], [], []
    for t, wish in enumerate([Wish(start, 0, start), *wishes[:-1]]):
        for kind, number in ((True, min(wish.spot, available[t])), (False, wish.on_demand)):
            own = [machine for machine in held if machine.spot is kind]
            kept = own[:number] + [Machine(asked=float(t), spot=kind) for _ in range(number - len(own))]
            held = [machine for machine in held if machine.spot is not kind] + kept
        waited = [t + 1 - max(machine.asked, -1e6) for machine in held]
        capacity.append(sum(min(1.0, max(0.0, waiting - lead)) for waiting in waited))
        spot.append(sum(machine.spot for machine in held))
        firm.append(sum(not machine.spot for machine in held))
    return capacity, spot, firm


def served_by(fleet: Fleet) -> NDArray[np.float64]:
    """Capacity, where more than what was promised is not told apart."""
    return fleet.promised - fleet.missed


@settings(deadline=None)  # the first example pays for compiling
@given(numbers, startups)
def test_without_a_loss_it_is_the_physics_of_the_scaling_replay(wanted: list[int], startup: timedelta) -> None:
    """One fleet all on demand: what it pays and serves is what `optimizer.physics.run` says, for any load."""
    start = max(1, wanted[0])
    fleet = moved([Wish(n, 0, n) for n in wanted], [0] * len(wanted), Delay.of(startup, timedelta(0), MINUTE), start)
    load = np.concatenate([[float(start)], np.zeros(len(wanted) - 1)])
    done = run(load, np.array(wanted), StartUp.of(startup, MINUTE))
    np.testing.assert_allclose(fleet.promised, done.capacity)
    np.testing.assert_array_equal(fleet.on_demand, done.paid)
    assert fleet.missed.sum() == 0


@settings(deadline=None)  # the first example pays for compiling
@given(numbers, numbers, numbers, startups)
def test_it_is_what_one_sees_machine_by_machine(
    spot: list[int], firm: list[int], available: list[int], startup: timedelta
) -> None:
    steps = min(len(spot), len(firm), len(available))
    wishes = [Wish(9, spot[t], firm[t]) for t in range(steps)]
    fleet = moved(wishes, available, Delay.of(startup, timedelta(0), MINUTE), 9)
    capacity, held_spot, held_firm = by_machine(wishes, available, startup, 9)
    np.testing.assert_array_equal(fleet.spot, held_spot)
    np.testing.assert_array_equal(fleet.on_demand, held_firm)
    np.testing.assert_allclose(served_by(fleet), np.minimum(9.0, capacity), atol=1e-9)


def test_a_machine_taken_back_is_missed_for_the_step_and_a_start_up() -> None:
    """Spot serves alone from minute 3 on and is gone in minute 5; on-demand asked for then serves from minute 8."""
    delay = Delay.of(timedelta(minutes=2), timedelta(0), MINUTE)
    wishes = [Wish(1, 1, 1)] * 3 + [Wish(1, 1, 0)] * 2 + [Wish(1, 0, 1)] * 5
    fleet = moved(wishes, [1, 1, 1, 1, 1, 0, 0, 0, 0, 0], delay, 1)
    assert fleet.missed.tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 0, 0]
    assert fleet.missed.sum() == delay.loss
    assert fleet.spot.tolist() == [0, 1, 1, 1, 1, 0, 0, 0, 0, 0]


def test_a_notice_is_served_and_paid() -> None:
    """With twenty seconds of notice a third of the minute in which it is taken back is served, and paid for."""
    delay = Delay.of(timedelta(minutes=1), timedelta(seconds=20), MINUTE)
    wishes = [Wish(1, 1, 1)] * 2 + [Wish(1, 1, 0)] + [Wish(1, 0, 1)] * 3
    fleet = moved(wishes, [1, 1, 1, 0, 0, 0], delay, 1)
    assert fleet.missed.tolist() == pytest.approx([0, 0, 0, 2 / 3, 1, 0])
    assert fleet.paid_spot.tolist() == pytest.approx([0, 1, 1, 1 / 3, 0, 0])
    assert delay.loss == pytest.approx(fleet.missed.sum())


def test_a_notice_longer_than_the_start_up_helps_no_further() -> None:
    assert Delay.of(timedelta(seconds=30), timedelta(minutes=2), MINUTE).notice == 0.5
    assert Delay.of(timedelta(minutes=5), timedelta(minutes=2), MINUTE).notice == 1.0
