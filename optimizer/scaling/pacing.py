"""The price of a miss, paced by the error budget: which of the priced mixtures decides now.

Each hour: what may be missed of the coming traffic so that the budget holds with a margin (`aim`); the
cheapest mixture whose replayed misses stay within it; and a bound on sanity, so that a budget lost
in one incident is not chased at any price: never past the mixture that is cheapest when a miss costs
`CAP` budget prices, unless a fixed number of replicas that would have met the budget costs clearly more.
A young predictor's misses count less: their weight grows with the square of its age up to a week.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optimizer.compiled import compiled
from optimizer.physics import Counts, Floats, StartUp, first_ready
from optimizer.scaling.features import DAY_S, HOUR_S, WEEK_S, Clock
from optimizer.scaling.problem import ScalingProblem
from optimizer.scaling.shadow import BEGIN_S, HALF_LIFE_S

Matrix = NDArray[np.float64]
Wishes = NDArray[np.int64]

MARGIN = 0.85
LEAST, MOST = 0.7, 2.0
CAP = 3.0
FIXED_SHARE = 0.75


class Pace(NamedTuple):
    """What the loop is told; times in steps, `budget` a share of requests, `fixed_price` a position or -1."""

    budget: float
    begin: int
    learning: int
    week: float
    every: int
    horizon: float
    keep: float
    start: int
    whole: int
    part: float
    fixed: float


@compiled
def fixed_so_far(load: Floats, budget: float, every: int) -> Floats:
    """The smallest fixed number of replicas that would have met the budget on all seen up to each step."""
    top = 2
    for t in range(len(load)):
        if not np.isnan(load[t]):
            top = max(top, int(np.ceil(load[t])) + 2)
    counts, sums = np.zeros(top), np.zeros(top)
    numbers = np.zeros(len(load))
    total, number, highest = 0.0, 0.0, 0
    for t in range(len(load)):
        if not np.isnan(load[t]):
            at = int(np.ceil(load[t]))
            counts[at] += 1.0
            sums[at] += load[t]
            total += load[t]
            highest = max(highest, at)
        if t % every == 0:
            above, excess, number = 0.0, 0.0, 0.0
            for k in range(highest, 0, -1):
                above += counts[k]
                excess += sums[k]
                if excess - (k - 1) * above > budget * total:
                    number = float(k)
                    break
        numbers[t] = number
    return numbers


@compiled
def _aim(pace: Pace, arrived: float, lost: float, ahead: float) -> float:
    """Share of the coming traffic that may be missed, within bounds around the budget."""
    ahead = max(ahead, arrived)
    wanted = (MARGIN * pace.budget * (arrived + ahead) - lost) / max(ahead, 1e-12)
    return min(max(wanted, LEAST * pace.budget), MOST * pace.budget)


@compiled
def _position(shares: Floats, aim: float, budget: float) -> float:
    """Where on the row of mixtures (falling misses) the aim is met, between two of them on a log scale."""
    for j in range(len(shares)):
        if shares[j] <= aim:
            if j == 0:
                return 0.0
            above, below = np.log(max(shares[j - 1], 1e-9)), np.log(max(shares[j], 0.02 * budget))
            return float(j - 1 + min(1.0, max(0.0, (above - np.log(aim)) / max(above - below, 1e-9))))
    return len(shares) - 1.0


@compiled
def _sane(cost: Floats, missed: Floats, budget: float, affordable: float) -> float:
    """The last mixture worth its price: cheapest at CAP budget prices, or still well under a fixed number."""
    best, at = np.inf, 0
    for j in range(len(cost)):
        total = cost[j] + CAP / budget * missed[j]
        if total < best:
            best, at = total, j
    while at + 1 < len(cost) and cost[at + 1] <= affordable:
        at += 1
    return float(at)


@compiled
def _ready(own: Counts, t: int, pace: Pace) -> float:
    """Replicas of ours that serve in step t."""
    ready = pace.start if t - pace.whole - 1 < 0 else own[t - pace.whole - 1]
    for j in range(max(0, t - pace.whole), t):
        ready = min(ready, own[j])
    before = pace.start if t - pace.whole - 2 < 0 else own[t - pace.whole - 2]
    return float(ready - pace.part * (ready - min(ready, before)))


@compiled
def _weighed(cost: Floats, misses: Floats, seen: float, shares: Floats) -> None:
    """Missed shares of the row of mixtures, made to fall with the price."""
    least = np.inf
    for j in range(len(cost)):
        least = min(least, misses[j] / seen)
        shares[j] = least


@compiled
def _between(row: Counts, position: float, load: float) -> int:
    """The mixture at a position on the row, to the nearest whole; never below what the present load needs."""
    low = int(position)
    high = min(low + 1, len(row) - 1)
    number = np.ceil(row[low] + (position - low) * (row[high] - row[low]) - 0.5)
    return int(number if np.isnan(load) else max(number, np.ceil(load - 1e-9)))


@compiled
def paced(load: Floats, mixed: Wishes, missed: Matrix, fixed: Floats, pace: Pace) -> tuple[Counts, Floats, Floats]:
    """Decisions, the position on the row of prices, and the aim, step by step.

    `mixed` and `missed` are (steps, prices).
    """
    steps, prices = mixed.shape
    own = np.empty(steps, dtype=np.int64)
    positions, aims = np.empty(steps), np.empty(steps)
    cost, misses, shares = np.zeros(prices), np.zeros(prices), np.zeros(prices)
    arrived = lost = seen = weight = 0.0
    aim, position = pace.budget, pace.fixed if pace.fixed >= 0.0 else prices - 1.0
    for t in range(steps):
        known = not np.isnan(load[t])
        if known and t >= pace.learning:
            arrived += load[t]
            lost += max(0.0, load[t] - _ready(own, t, pace))
        if known and t >= pace.begin and t > 0:
            age = min(1.0, t / pace.week) ** 2
            seen = seen * pace.keep + age * load[t]
            weight = weight * pace.keep + age
            cost = cost * pace.keep + age * mixed[t - 1]
            misses = misses * pace.keep + age * missed[t]
        if pace.fixed < 0.0 and t % pace.every == 0 and seen > 0.0:
            aim = _aim(pace, arrived, lost, seen / weight * pace.horizon)
            _weighed(cost, misses, seen, shares)
            sane = _sane(cost, shares * seen, pace.budget, FIXED_SHARE * fixed[t] * weight)
            position = min(_position(shares, aim, pace.budget), sane)
        own[t] = _between(mixed[t], position, load[t])
        positions[t], aims[t] = position, aim
    return own, positions, aims


def pace_of(problem: ScalingProblem, clock: Clock, startup: StartUp, load: Floats, fixed: float) -> Pace:
    """The loop's numbers for one problem; `fixed` is the position of a price that the user gave, or -1."""
    return Pace(
        budget=problem.budget,
        begin=clock.steps(BEGIN_S),
        learning=int(problem.learning.total_seconds() / clock.step_s),
        week=float(clock.steps(WEEK_S)),
        every=clock.steps(HOUR_S),
        horizon=float(clock.steps(2 * DAY_S)),
        keep=0.5 ** (clock.step_s / HALF_LIFE_S),
        start=first_ready(load),
        whole=startup.whole,
        part=startup.part,
        fixed=fixed,
    )
