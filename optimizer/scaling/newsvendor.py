"""A target that knows when the tail is fat: newsvendor regression on error profiles by phase.

q = w.f with w >= 0 minimises sum( q + price * (load - q)+ ): the cost of what is held plus the price of
what is missed, which is convex in w. The features are in replicas: the mean, the spread, recent and
same-time maxima, conformal tails, and the mean positive error at the same phase of the half-hour, hour and day, which
is where clock-driven spikes show. Fitted by projected AdaGrad (Duchi et al. 2011) on samples drawn
from the last fourteen days with a fixed seed, one step at a time, iterates averaged. AdaGrad's first steps are
as long as its rate whatever the slope, and at a high price the first miss comes late: the sums of squares
therefore begin at what some misses would have made them, or the weights would have run to zero by then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optimizer.compiled import compiled
from optimizer.physics import Floats
from optimizer.scaling.features import (
    DAY_S,
    HOUR_S,
    WEEK_S,
    Clock,
    Seasons,
    carried,
    centred_max,
    centred_mean,
    decayed_mean,
    recurring,
    recurring_peak,
    shifted,
    trailing_max,
)

Matrix = NDArray[np.float64]

AVERAGING = 0.002
RATE = 0.1
CALM_ROWS, CALM = 200, 2.5  # each of the first rows counts as if it had been missed CALM / price times before


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outlook:
    """What is already said about step t + d: the mean, its spread, and targets at some tails (tails, steps)."""

    mean: Floats
    spread: Floats
    tails: Matrix


def profile_features(load: Floats, outlook: Outlook, past: Seasons, clock: Clock) -> Matrix:
    """(steps, features), each a load in replicas that step t + d might reach, or by how much above its mean."""
    mean, lead = outlook.mean, clock.lead
    known, sharp = carried(load), centred_max(load, 2)
    before = shifted(mean, lead)
    error = np.maximum(load - before, 0.0)
    day, week = clock.steps(DAY_S), clock.steps(WEEK_S)
    columns = [np.ones(len(load)), mean, outlook.spread, np.sqrt(mean), *outlook.tails]
    columns += [trailing_max(known, clock.steps(seconds)) for seconds in (600, HOUR_S, 6 * HOUR_S, DAY_S)]
    columns += [past.day_peak, past.week_peak, past.day_half_hour, past.week_half_hour]
    columns += [recurring_peak(sharp, day, 5, lead, reach=2), recurring_peak(load, day, 5, lead)]
    columns += [recurring(sharp, week, 2, lead, reach=2)]
    columns += _phases(error, error / (before + 0.5), mean, clock)
    columns += [np.nan_to_num(trailing_max(error, clock.steps(seconds))) for seconds in (HOUR_S, DAY_S)]
    columns += [np.maximum(known - decayed_mean(load, max(0.5, 240 / clock.step_s)), 0.0)]
    return np.ascontiguousarray(np.nan_to_num(np.column_stack(columns)))


def _phases(error: Floats, relative: Floats, mean: Floats, clock: Clock) -> list[Floats]:
    """Mean positive error at the same phase of the day, the half-hour and the hour, sharp and dilated by two steps.

    The clock's short cycles are left out where the steps are too coarse to show them.
    """
    wide, day, hour, lead = int(900 / clock.step_s), clock.steps(DAY_S), clock.steps(HOUR_S), clock.lead
    dilated = centred_max(error, 2)
    columns = [recurring(error, day, 5, lead), recurring(dilated, day, 5, lead, reach=2)]
    columns += [recurring(centred_mean(error, wide), day, 5, lead, reach=wide)]
    if clock.step_s <= 1200:
        columns += [recurring(error, clock.steps(1800), 48, lead)]
    if clock.step_s <= 1800:
        stretched = recurring(centred_max(relative, 2), hour, 120, lead, reach=2)
        columns += [recurring(error, hour, 24, lead), recurring(dilated, hour, 120, lead, reach=2)]
        columns += [stretched * (mean + 0.5)]
    return columns


class Sampling(NamedTuple):
    """Lead and window of the past in steps, and samples drawn a step."""

    lead: int
    window: int
    draws: int


@compiled
def _descend(w: Matrix, squares: Matrix, row: Floats, load: float, prices: Floats) -> None:
    """One projected AdaGrad step on one sample, for every price.

    `np.divide` and no branch: nothing here can divide by zero, and a loop that need not ask is worked off several at a time.
    """
    for k in range(len(prices)):
        slope = 1.0 - prices[k] if load > np.dot(w[k], row) else 1.0
        for j in range(len(row)):
            g = slope * row[j]
            squares[k, j] += g * g
            w[k, j] = max(0.0, w[k, j] - np.divide(RATE * g, np.sqrt(squares[k, j])))


@compiled
def newsvendor(load: Floats, rows: Matrix, prices: Floats, how: Sampling) -> Matrix:
    """Targets (prices, steps) for step t + lead; row t may be learned from once step t + lead is seen."""
    n, m = rows.shape[1], len(prices)
    w = np.zeros((m, n))
    w[:, 1:3] = 1.0  # the mean plus one spread, until there is something to learn from
    squares = np.full((m, n), 1e-8)
    average = w.copy()
    targets = np.empty((m, len(load)))
    state = 20240101
    for t in range(len(load)):
        seen = t - how.lead + 1
        if 0 < seen <= CALM_ROWS:
            for k in range(m):
                for j in range(n):
                    squares[k, j] += CALM * (prices[k] * rows[seen - 1, j] ** 2)
        for draw in range(how.draws if seen > 0 else 0):
            state = (state * 1103515245 + 12345) % 2147483648  # a fixed linear congruential sequence
            back = 0 if draw == 0 else (state * min(seen, how.window)) // 2147483648
            at = seen - 1 - back
            if not np.isnan(load[at + how.lead]):
                _descend(w, squares, rows[at], load[at + how.lead], prices)
        average += AVERAGING * (w - average)
        for k in range(m):
            targets[k, t] = np.dot(average[k], rows[t])
    return targets
