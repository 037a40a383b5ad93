"""The price of a miss, paced by the error budget: which of the priced mixtures decides now.

Each hour: what may be missed of the coming week, or of a time as long as the one already judged, so that 85 %
of the budget is used in the end (`_aim`); the cheapest mixture whose misses, by replay and with care
(`optimizer.scaling.evidence`), stay within it (`_position`). A budget lost in one incident is not chased at any
price, for the incident does not come back: the price never exceeds DEARER times what an unspent
budget would ask, nor goes past the mixture that is cheapest when a miss costs CAP budget prices, or than
1.35 times a fixed number of replicas that would have met the budget so far, whichever is more (`_sane`).
Young predictors miss more than they will later, so what was seen counts with the square of its age,
and the day after the mixing began, when it has hardly learned, not at all.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optimizer.compiled import compiled
from optimizer.physics import Counts, Floats, StartUp, first_ready, missed_within
from optimizer.scaling.evidence import careful_shares
from optimizer.scaling.features import DAY_S, HOUR_S, Clock
from optimizer.scaling.problem import ScalingProblem

Matrix = NDArray[np.float64]
Wishes = NDArray[np.int64]

USED = 0.85
AHEAD_DAYS = 7.0
DEARER = 1.9
CAP = 3.0
FIXED_SHARE = 1.35
AGEING = 2
BEGIN_S = 3 * DAY_S
NEARLY = 1e-9  # replicas over a whole number that are none


class Pace(NamedTuple):
    """What the loop is told; times in steps, `budget` a share of requests.

    `most` is the number of replicas that may run: what is asked for beyond it is neither paid nor saves a miss.
    `between` is the log ratio of neighbouring prices, `fixed` the position of a price that the user gave, or -1.
    """

    budget: float
    begin: int
    learning: int
    every: int
    day: float
    start: int
    most: int
    whole: int
    part: float
    between: float
    fixed: float


@compiled
def fixed_so_far(fine: Matrix, pace: Pace) -> Floats:
    """The smallest fixed number of replicas that would have met the budget on all seen up to each step.

    `fine` is (steps, finer steps in each). A calm time as long as the one already judged is counted in, as pacing does.
    """
    top = 2
    for load in fine.ravel():
        if not np.isnan(load):
            top = max(top, int(np.ceil(load)) + 2)
    counts, sums = np.zeros(top), np.zeros(top)
    numbers = np.zeros(len(fine))
    total, number, highest = 0.0, 0.0, 0
    for t in range(len(fine)):
        for load in fine[t]:
            if not np.isnan(load):
                at = int(np.ceil(load))
                counts[at] += 1.0
                sums[at] += load
                total += load
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
def _aim(pace: Pace, arrived: float, lost: float, ahead: float) -> float:
    """Share of the coming traffic that may be missed, where `arrived` has come and `lost` was missed of it."""
    ahead = max(ahead, arrived)
    return max(0.0, USED * pace.budget * (arrived + ahead) - lost) / ahead


@compiled
def _position(shares: Floats, aim: float, budget: float) -> float:
    """Where on the row of mixtures (falling misses) the aim is met, between two of them on a log scale."""
    for j in range(len(shares)):
        if shares[j] <= aim:
            if j == 0:
                return 0.0
            above, below = np.log(shares[j - 1]), np.log(max(shares[j], 0.02 * budget))
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
def _mean(fine: Floats) -> float:
    """Mean of the known finer steps; NaN where none is known."""
    total, known = 0.0, 0
    for load in fine:
        if not np.isnan(load):
            total += load
            known += 1
    return total / known if known else np.nan


@compiled
def _ready(own: Counts, t: int, pace: Pace) -> float:
    """Replicas of ours that serve in step t."""
    ready = pace.start if t - pace.whole - 1 < 0 else own[t - pace.whole - 1]
    for j in range(max(0, t - pace.whole), t):
        ready = min(ready, own[j])
    before = pace.start if t - pace.whole - 2 < 0 else own[t - pace.whole - 2]
    ready, before = min(ready, pace.most), min(before, pace.most)
    return float(ready - pace.part * (ready - min(ready, before)))


@compiled
def _paced_position(pace: Pace, shares: Floats, wish: float) -> float:
    """Where the aim is met (`wish`), or DEARER times the price of an unspent budget if that is less."""
    unspent = _position(shares, USED * pace.budget, pace.budget)
    dearest = min(unspent + np.log(DEARER) / pace.between, len(shares) - 1.0)
    return float(min(wish, dearest))


@compiled
def _share_at(shares: Floats, position: float) -> float:
    """The share missed at a position on the row, between two of them on a log scale."""
    low = int(position)
    high = min(low + 1, len(shares) - 1)
    return float(shares[low] * (shares[high] / shares[low]) ** (position - low))


@compiled
def _between(row: Counts, position: float, load: float) -> int:
    """The mixture at a position on the row, to the nearest whole; never below what the present load needs."""
    low = int(position)
    high = min(low + 1, len(row) - 1)
    number = np.ceil(row[low] + (position - low) * (row[high] - row[low]) - 0.5)
    return int(number if np.isnan(load) else max(number, np.ceil(load - NEARLY)))


@compiled
def _fold(evidence: Matrix, hour: Matrix, age: float) -> None:
    """An hour's (cost, misses) join the weighted sums (cost, misses, misses squared); the hour begins anew."""
    for j in range(hour.shape[1]):
        evidence[0, j] += age * hour[0, j]
        evidence[1, j] += age * hour[1, j]
        evidence[2, j] += (age * hour[1, j]) ** 2
        hour[0, j] = hour[1, j] = 0.0


@compiled
def paced(
    fine: Matrix, mixed: Wishes, missed: Matrix, fixed: Floats, pace: Pace
) -> tuple[Counts, Floats, Floats, Floats]:
    """Decisions, the position on the row of prices, the one that the budget alone asks for, and the share missed there.

    All step by step; the share is what is thought to be missed at the position taken, NaN until replay has shown any.

    `fine` is (steps, finer steps in each), `mixed` and `missed` are (steps, prices), `fixed` is what `fixed_so_far` says.
    """
    steps, prices = mixed.shape
    own = np.empty(steps, dtype=np.int64)
    positions, asked, expected = np.empty(steps), np.empty(steps), np.empty(steps)
    evidence, hour, shares = np.zeros((3, prices)), np.zeros((2, prices)), np.zeros(prices)
    arrived = lost = seen = weight = 0.0
    share, position = np.nan, pace.fixed if pace.fixed >= 0.0 else prices - 1.0
    wish = position
    for t in range(steps):
        load = _mean(fine[t])
        known = not np.isnan(load)
        age = (t / pace.day) ** AGEING
        if known and t >= pace.learning:
            arrived += load
            lost += missed_within(fine[t], _ready(own, t, pace))
        if known and t >= pace.begin and t > 0:
            seen += age * load
            weight += age
            for j in range(prices):
                hour[0, j] += min(mixed[t - 1, j], pace.most)
                hour[1, j] += missed[t, j]
        if pace.fixed < 0.0 and t % pace.every == 0 and seen > 0.0:
            _fold(evidence, hour, age)
            careful_shares(evidence[1], evidence[2], seen, pace.between, shares)
            aim = _aim(pace, arrived, lost, AHEAD_DAYS * pace.day * seen / weight)
            sane = _sane(evidence[0], shares * seen, pace.budget, FIXED_SHARE * fixed[t] * weight)
            wish = _position(shares, aim, pace.budget)
            position = min(_paced_position(pace, shares, wish), sane)
            share = _share_at(shares, position)
        own[t] = _between(mixed[t], position, load)
        positions[t], asked[t], expected[t] = position, wish, share
    return own, positions, asked, expected


def pace_of(problem: ScalingProblem, clock: Clock, startup: StartUp, load: Floats, prices: Floats) -> Pace:
    """The loop's numbers for one problem and its row of `prices`."""
    return Pace(
        budget=problem.budget,
        begin=clock.steps(BEGIN_S),
        learning=int(problem.learning.total_seconds() / clock.step_s),
        every=clock.steps(HOUR_S),
        day=float(clock.steps(DAY_S)),
        start=first_ready(load, problem.max_replicas),
        most=problem.most,
        whole=startup.whole,
        part=startup.part,
        between=float(np.log(prices[1] / prices[0])),
        fixed=_given_position(problem, prices),
    )


def _given_position(problem: ScalingProblem, prices: Floats) -> float:
    """Where a price given by the user lies among the prices; -1 where the budget sets the price."""
    given = problem.price_of_miss
    if given is None:
        return -1.0
    return float(np.interp(np.log(max(given, 1e-9)), np.log(prices), np.arange(len(prices))))
