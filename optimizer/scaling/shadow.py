"""Every expert runs in shadow: arrivals do not depend on us, so each one's cost and misses are known.

At each price of a miss (replica-steps per replica-step of missed load) the experts are mixed with
weights that fall exponentially in what each would have cost, cost + price * missed, over the recent
past. How sharply follows from how much the experts in use disagree (second-order regret bounds;
Cesa-Bianchi, Mansour and Stoltz 2007), within bounds: where all is smooth a clear winner leads soon.
Misses are convex in the number of replicas, so a mixture misses no more than its parts on average;
how much less is not guessed: each mixture is itself replayed, and pacing goes by what that shows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optimizer.compiled import compiled
from optimizer.physics import Floats, StartUp, first_ready, missed_within, serving
from optimizer.scaling.experts import YOUNG, Experts
from optimizer.scaling.features import DAY_S, HOUR_S, Clock, means

Matrix = NDArray[np.float64]
Wishes = NDArray[np.int64]
Wanted = NDArray[np.int32]

HALF_LIFE_S = 14 * DAY_S
BEGIN_S = 2 * DAY_S  # younger predictors would only frighten the choice
REWEIGH_S = 3 * HOUR_S
SECOND_ORDER = 4.0
COOLEST, WARMEST = 0.02, 0.15


class Mixing(NamedTuple):
    """`keep` of the past per step, first step counted, steps between new weights."""

    keep: float
    begin: int
    every: int


@compiled
def _reweigh(weights: Floats, totals: Floats, temperature: float) -> None:
    """Weights that fall exponentially in the totals, by one e-fold per `temperature`."""
    best, total = totals.min(), 0.0
    for k in range(len(totals)):
        weights[k] = np.exp((best - totals[k]) / temperature)
        total += weights[k]
    for k in range(len(totals)):
        weights[k] /= total


@compiled
def _disagreement(weights: Floats, losses: Floats) -> float:
    """Variance of the losses under the weights."""
    mean, square = 0.0, 0.0
    for k in range(len(losses)):
        mean += weights[k] * losses[k]
        square += weights[k] * losses[k] ** 2
    return float(max(0.0, square - mean * mean))


@compiled
def mixtures(wanted: Wanted, missed: Matrix, prices: Floats, weights: Matrix, how: Mixing) -> Wishes:
    """Mixed decisions (steps, prices) to the nearest whole; `weights` (prices, experts) is left as last used.

    `wanted` and `missed` are (steps, experts); a missing step's misses are NaN and count for nothing.
    """
    steps, experts = wanted.shape
    mixed = np.empty((steps, len(prices)), dtype=np.int64)
    cost, misses = np.zeros(experts), np.zeros(experts)
    new_cost, new_misses, variance = np.zeros(experts), np.zeros(experts), np.zeros(len(prices))
    fade = how.keep**how.every
    for t in range(steps):
        if t >= how.begin and t > 0 and not np.isnan(missed[t, 0]):
            for k in range(experts):
                new_cost[k] += wanted[t - 1, k]
                new_misses[k] += missed[t, k]
        if t >= how.begin and t % how.every == 0:
            cost, misses = cost * fade + new_cost, misses * fade + new_misses
            for j in range(len(prices)):
                totals = cost + prices[j] * misses
                losses = new_cost + prices[j] * new_misses
                variance[j] = variance[j] * fade + _disagreement(weights[j], losses)
                spread = np.sqrt(SECOND_ORDER * variance[j] / np.log(experts))
                best = totals.min() + 1e-9
                _reweigh(weights[j], totals, min(max(spread, COOLEST * best), WARMEST * best))
            new_cost[:] = 0.0
            new_misses[:] = 0.0
        for j in range(len(prices)):
            total = 0.0
            for k in range(experts):
                total += weights[j, k] * wanted[t, k]
            mixed[t, j] = int(np.ceil(total - 0.5))
    return mixed


@compiled
def _missed(fine: Matrix, capacity: Floats) -> Floats:
    missed = np.empty(len(fine))
    for t in range(len(fine)):
        missed[t] = missed_within(fine[t], capacity[t])
    return missed


def missed_by(fine: Matrix, wanted: Wishes | Wanted, startup: StartUp) -> Matrix:
    """Load in replicas that each column of `wanted` (steps, policies) would have missed; NaN in a gap.

    `fine` is (steps, finer steps in each): a mean over them would hide what is missed at their highest.
    """
    start = first_ready(means(fine))
    missed = np.empty(wanted.shape)
    for k in range(wanted.shape[1]):
        missed[:, k] = _missed(fine, serving(wanted[:, k].astype(np.int64), start, startup.whole, startup.part))
    return missed


def mixed_at(fine: Matrix, experts: Experts, prices: Floats, clock: Clock, startup: StartUp) -> tuple[Wishes, Matrix]:
    """A mixed policy for each price (steps, prices), and its experts' last weights (prices, experts).

    None goes past what the highest load ever seen is worth (`Experts.most`).
    """
    weights = np.zeros((len(prices), len(experts.names)))
    weights[:, experts.names.index(YOUNG)] = 1.0
    how = Mixing(
        keep=0.5 ** (clock.step_s / HALF_LIFE_S),
        begin=clock.steps(BEGIN_S),
        every=clock.steps(REWEIGH_S),
    )
    mixed = mixtures(experts.wanted, missed_by(fine, experts.wanted, startup), prices, weights, how)
    return np.minimum(mixed, experts.most[:, None]), weights
