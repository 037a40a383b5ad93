"""Every expert runs in shadow: arrivals do not depend on us, so each one's cost and misses are known.

At each price of a miss (replica-steps per replica-step of missed load) the experts are mixed with
weights that fall exponentially in what each would have cost, cost + price * missed, over the recent
past (exponentially weighted forecasters with full information; Cesa-Bianchi and Lugosi 2006, ch. 2).
Misses are convex in the number of replicas, so a mixture misses no more than its parts on average;
how much less is not guessed: each mixture is itself replayed, and pacing goes by what that shows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optimizer.compiled import compiled
from optimizer.physics import Floats, StartUp, first_ready, serving
from optimizer.scaling.experts import YOUNG, Experts
from optimizer.scaling.features import DAY_S, HOUR_S, Clock

Matrix = NDArray[np.float64]
Wishes = NDArray[np.int64]

HALF_LIFE_S = 14 * DAY_S
BEGIN_S = 2 * DAY_S  # younger predictors would only frighten the choice
REWEIGH_S = 3 * HOUR_S
TEMPERATURE = 0.06


@compiled
def weights_at(cost: Floats, missed: Floats, price: float, temperature: float) -> Floats:
    """Weights of the experts at one price; `temperature` is a share of the best one's total."""
    totals = cost + price * missed
    best = totals.min()
    raw: Floats = np.exp(-(totals - best) / (temperature * best + 1e-12))
    shares: Floats = raw / raw.sum()
    return shares


class Mixing(NamedTuple):
    """`keep` of the past per step, first step counted, steps between new weights, and the temperature."""

    keep: float
    begin: int
    every: int
    temperature: float


@compiled
def mixtures(wanted: Wishes, missed: Matrix, prices: Floats, weights: Matrix, how: Mixing) -> Wishes:
    """Mixed decisions (steps, prices) to the nearest whole; `weights` (prices, experts) is left as last used.

    `wanted` and `missed` are (steps, experts); a missing step's misses are NaN and count for nothing.
    """
    steps, experts = wanted.shape
    mixed = np.empty((steps, len(prices)), dtype=np.int64)
    cost, misses = np.zeros(experts), np.zeros(experts)
    for t in range(steps):
        if t >= how.begin and t > 0 and not np.isnan(missed[t, 0]):
            cost = cost * how.keep + wanted[t - 1]
            misses = misses * how.keep + missed[t]
            if t % how.every == 0:
                for j in range(len(prices)):
                    weights[j] = weights_at(cost, misses, prices[j], how.temperature)
        blend = np.dot(weights, wanted[t].astype(np.float64))
        mixed[t] = np.ceil(blend - 0.5).astype(np.int64)
    return mixed


def missed_by(load: Floats, wanted: Wishes, startup: StartUp) -> Matrix:
    """Load in replicas that each column of `wanted` (steps, policies) would have missed; NaN in a gap."""
    start = first_ready(load)
    missed = np.empty(wanted.shape)
    for k in range(wanted.shape[1]):
        capacity = serving(np.ascontiguousarray(wanted[:, k]), start, startup.whole, startup.part)
        missed[:, k] = np.maximum(0.0, load - capacity)
    return missed


def mixed_at(load: Floats, experts: Experts, prices: Floats, clock: Clock, startup: StartUp) -> tuple[Wishes, Matrix]:
    """A mixed policy for each price (steps, prices), and its experts' last weights (prices, experts)."""
    weights = np.zeros((len(prices), len(experts.names)))
    weights[:, experts.names.index(YOUNG)] = 1.0
    how = Mixing(
        keep=0.5 ** (clock.step_s / HALF_LIFE_S),
        begin=clock.steps(BEGIN_S),
        every=clock.steps(REWEIGH_S),
        temperature=TEMPERATURE,
    )
    return mixtures(experts.wanted, missed_by(load, experts.wanted, startup), prices, weights, how), weights
