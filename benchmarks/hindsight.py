"""What spot could have saved to one who knew its availability: a dynamic programme over what is held.

Unit by unit (unit k can be had where more than k machines could be held) the state is how long its
spot and its on-demand machine have been held, up to ready; each step asks for either, both or none.
What is minimised is cost + penalty * missed; the penalty is bisected until the misses fit the budget.
For any penalty, cost + penalty * (missed - budget) is no more than what a plan within the budget
costs (Lagrangian duality), so with the best one the saving is the most that anyone could have had, unit by unit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.load import LoadHistory
from optimizer.compiled import compiled
from optimizer.physics import Floats
from optimizer.spot import SpotProblem
from optimizer.spot.fleet import Delay, known_counts

BISECTIONS = 24
BOTH_WAYS = 4  # bit 1: ask for spot, bit 2: for on-demand


class Unit(NamedTuple):
    """One unit's problem: where a spot machine could be had, which steps are known, and what things cost."""

    free: NDArray[np.bool_]
    known: Floats
    delay: Delay
    price: float
    penalty: float


class Outcome(NamedTuple):
    """One step: how long spot and on-demand have been held at its end, what it cost and what it missed."""

    spot: int
    on_demand: int
    cost: float
    missed: float


def bound(available: LoadHistory, units: int, problem: SpotProblem) -> float:
    """The least cost over all on demand, for constantly `units` wanted, that misses at most the budget."""
    delay = problem.delay(available.step)
    counts, known = known_counts(available)
    total = units * float(known.sum())
    low, high, best = 1.0, 4.0 * len(counts), -np.inf
    for _ in range(BISECTIONS):
        penalty = float(np.sqrt(low * high))
        each = [least(Unit(counts > k, known.astype(np.float64), delay, problem.price, penalty)) for k in range(units)]
        cost, over = sum(cost for cost, _ in each), sum(missed for _, missed in each) - problem.budget * total
        best = max(best, cost + penalty * over)
        low, high = (penalty, high) if over > 0 else (low, penalty)
    return float(best) / total


@compiled
def _serves(held: int, delay: Delay) -> float:
    """What a machine held for so many steps (this one included) serves."""
    if held <= delay.whole:
        return 0.0
    return 1.0 - delay.part if held == delay.whole + 1 else 1.0


@compiled
def _step(unit: Unit, t: int, spot: int, on_demand: int, wish: int) -> Outcome:
    """Step t after so many steps held of either, as wished for at the end of the one before."""
    delay, most = unit.delay, unit.delay.whole + 2
    i = min(spot + 1, most) if wish & 1 and unit.free[t] else 0
    j = min(on_demand + 1, most) if wish & 2 else 0
    notice = delay.notice if wish & 1 and not unit.free[t] and spot >= max(1, delay.ready) else 0.0
    cost = unit.price * ((i > 0) + notice) + (j > 0)
    missed = max(0.0, 1.0 - _serves(i, delay) - _serves(j, delay) - notice)
    return Outcome(i, j, unit.known[t] * cost, unit.known[t] * missed)


@compiled
def least(unit: Unit) -> tuple[float, float]:
    """Least cost + penalty * missed from the first step on, all on demand before it; as (cost, missed)."""
    steps, size = len(unit.free), unit.delay.whole + 3
    ahead, choice = np.zeros((size, size)), np.zeros((steps, size, size), np.int8)
    for t in range(steps - 1, 0, -1):
        now = np.full((size, size), np.inf)
        for spot in range(size):
            for on_demand in range(size):
                for wish in range(BOTH_WAYS):
                    then = _step(unit, t, spot, on_demand, wish)
                    total = then.cost + unit.penalty * then.missed + ahead[then.spot, then.on_demand]
                    if total < now[spot, on_demand]:
                        now[spot, on_demand], choice[t, spot, on_demand] = total, wish
        ahead = now
    spot, on_demand = 0, size - 1
    cost, missed = unit.known[0], 0.0
    for t in range(1, steps):
        then = _step(unit, t, spot, on_demand, choice[t, spot, on_demand])
        spot, on_demand = then.spot, then.on_demand
        cost += then.cost
        missed += then.missed
    return cost, missed
