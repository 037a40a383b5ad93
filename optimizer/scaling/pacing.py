"""The price of a miss, paced by the error budget: which of the priced mixtures decides now.

Each hour: what may be missed of the coming traffic so that the budget holds with a margin (`_aim`); the
cheapest mixture whose replayed misses stay within it (`_position`); and a bound on sanity (`_sane`), so
that a budget lost in one incident is not chased at any price: never past the mixture that is cheapest
when a miss costs CAP budget prices, or than 1.3 times a fixed number of replicas that would have met
the budget so far, whichever is more. The aim looks ahead for twice the time already judged, so a loss is won back slowly.
Young predictors miss more than they will later, so what was seen counts with the cube of its age; and
few days of evidence are little, so the margin is half the budget at first and a fifth of it in the end.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optimizer.compiled import compiled
from optimizer.physics import Counts, Floats, StartUp, first_ready
from optimizer.scaling.features import DAY_S, HOUR_S, Clock
from optimizer.scaling.problem import ScalingProblem
from optimizer.scaling.shadow import BEGIN_S

Matrix = NDArray[np.float64]
Wishes = NDArray[np.int64]

MARGIN, YOUNG_DAYS = 0.8, 3.0
LEAST = 0.55
AHEAD = 2.0
CAP = 3.0
FIXED_SHARE = 1.3
AGEING = 3


class Pace(NamedTuple):
    """What the loop is told; times in steps, `budget` a share of requests, `fixed_price` a position or -1."""

    budget: float
    begin: int
    learning: int
    every: int
    day: float
    start: int
    whole: int
    part: float
    fixed: float


@compiled
def fixed_so_far(load: Floats, pace: Pace) -> Floats:
    """The smallest fixed number of replicas that would have met the budget on all seen up to each step.

    A calm time as long as the one already judged is counted in, as pacing does.
    """
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
        if t % pace.every == 0:
            allowed = pace.budget * total * (1.0 + max(2.0 * pace.day, t - pace.learning) / (t + 1.0))
            above, excess, number = 0.0, 0.0, 0.0
            for k in range(highest, 0, -1):
                above += counts[k]
                excess += sums[k]
                if excess - (k - 1) * above > allowed:
                    number = float(k)
                    break
        numbers[t] = number
    return numbers


@compiled
def _aim(pace: Pace, t: int, arrived: float, lost: float, ahead: float) -> float:
    """Share of the coming traffic that may be missed; a lost budget is not chased below LEAST of it."""
    ahead = max(ahead, AHEAD * arrived)
    margin = MARGIN / (1.0 + YOUNG_DAYS * pace.day / (t + 1.0))
    wanted = (margin * pace.budget * (arrived + ahead) - lost) / max(ahead, 1e-12)
    return max(wanted, LEAST * pace.budget)


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
    """The last mixture worth its price: cheapest at CAP budget prices, or not much dearer than a fixed number."""
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
            age = float(t) ** AGEING
            seen += age * load[t]
            weight += age
            for j in range(prices):
                cost[j] += age * mixed[t - 1, j]
                misses[j] += age * missed[t, j]
        if pace.fixed < 0.0 and t % pace.every == 0 and seen > 0.0:
            aim = _aim(pace, t, arrived, lost, seen / weight * 2.0 * pace.day)
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
        every=clock.steps(HOUR_S),
        day=float(clock.steps(DAY_S)),
        start=first_ready(load),
        whole=startup.whole,
        part=startup.part,
        fixed=fixed,
    )
