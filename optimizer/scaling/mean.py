"""The expected load at t + d and the size of the error to expect: two regressions with forgetting.

Ridge regression, exponentially forgotten (half-life seven days), pulled towards a plain prior
combination rather than to zero. A second one learns log|error|, so that "how wrong can it be" follows
the level, recent errors and the hour of day. A spread learned so beats one tail for all times.
"""

from __future__ import annotations

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
    centred_mean,
    decayed_mean,
    first_known,
    recurring,
    shifted,
    trailing_max,
)

Matrix = NDArray[np.float64]

HALF_LIFE_S = 7 * DAY_S
REFIT_S = 3 * HOUR_S
RIDGE = 0.02
FLOOR_ERROR = 0.05
SAFETY = 1.5


@compiled
def _solved(gram: Matrix, right: Floats) -> Floats:
    """Solution of a symmetric positive definite system, by Cholesky."""
    n = len(right)
    low = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            total = gram[i, j]
            for k in range(j):
                total -= low[i, k] * low[j, k]
            low[i, j] = np.sqrt(max(total, 1e-12)) if i == j else total / low[j, j]
    x = right.copy()
    for i in range(n):
        for k in range(i):
            x[i] -= low[i, k] * x[k]
        x[i] /= low[i, i]
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            x[i] -= low[k, i] * x[k]
        x[i] /= low[i, i]
    return x


class Forgetting(NamedTuple):
    """How a regression learns: lead and refits in steps, `keep` of the past per step, `ridge` a share of the diagonal."""

    lead: int
    keep: float
    every: int
    ridge: float


@compiled
def _learn(gram: Matrix, right: Floats, row: Floats, left: float, weight: float) -> None:
    """One more observation; `left` is what the prior leaves unexplained. The lower triangle is kept."""
    for i in range(len(row)):
        right[i] += weight * left * row[i]
        for j in range(i + 1):
            gram[i, j] += weight * row[i] * row[j]


@compiled
def _refit(gram: Matrix, right: Floats, ridge: float) -> Floats:
    """Coefficients beyond the prior."""
    n = len(right)
    full = gram.copy()
    trace = 0.0
    for i in range(n):
        trace += gram[i, i]
        for j in range(i):
            full[j, i] = full[i, j]
    for i in range(n):
        full[i, i] += ridge * gram[i, i] + 1e-4 * trace / n + 1e-9
    return _solved(full, right)


@compiled
def forgetting_ridge(rows: Matrix, targets: Floats, weights: Floats, prior: Floats, how: Forgetting) -> Floats:
    """Predictions for step t + lead from row t, with coefficients learned from steps up to t only.

    `targets[t]` is what row t - lead spoke about; NaN teaches nothing. Coefficients shrink towards `prior`.
    """
    n = rows.shape[1]
    gram, right = np.zeros((n, n)), np.zeros(n)
    w = prior.copy()
    predictions = np.empty(len(rows))
    for t in range(len(rows)):
        if t >= how.lead and not np.isnan(targets[t]):
            row = rows[t - how.lead]
            gram *= how.keep
            right *= how.keep
            _learn(gram, right, row, targets[t] - np.dot(prior, row), weights[t])
        if t % how.every == 0 and t >= 2 * how.every:
            w = prior + _refit(gram, right, how.ridge)
        predictions[t] = np.dot(w, rows[t])
    return predictions


def expected(load: Floats, clock: Clock, past: Seasons) -> Floats:
    """Mean load at t + d in replicas, never negative."""
    known = carried(load)
    averages = [decayed_mean(load, max(0.5, seconds / clock.step_s)) for seconds in (60.0, 240.0, 900.0, 3600.0)]
    peak = trailing_max(known, clock.steps(600))
    level, quick = averages[3], averages[1]
    columns = [known, *averages, peak]
    for season in (past.day, past.week, past.fortnight, past.days):
        now = _as_of_now(season, clock.lead)
        columns += [season, quick * np.clip((season + 0.2) / (now + 0.2), 0.2, 5.0), quick + season - now]
    residual = load - level
    for seconds in (300.0, 600.0, 900.0, 1800.0, 3600.0):
        if seconds >= 2 * clock.step_s:
            columns.append(np.nan_to_num(recurring(residual, clock.steps(seconds), 24, clock.lead)))
    columns += [past.day_peak, past.week_peak, np.ones(len(load))]
    prior = np.zeros(len(columns))
    prior[2], prior[7], prior[15], prior[16] = 0.3, 0.2, 0.3, 0.2
    return np.maximum(_regressed(load, np.column_stack(columns), prior, clock, 1.0 / (level + 1.0) ** 1.5), 0.0)


def _as_of_now(season: Floats, lead: int) -> Floats:
    """What the same season said about step t itself (said d steps ago)."""
    return first_known(shifted(season, lead), season)


def _regressed(targets: Floats, rows: Matrix, prior: Floats, clock: Clock, weights: Floats) -> Floats:
    how = Forgetting(lead=clock.lead, keep=0.5 ** (clock.step_s / HALF_LIFE_S), every=clock.steps(REFIT_S), ridge=RIDGE)
    return forgetting_ridge(np.ascontiguousarray(rows), targets, weights, prior, how)


def spread(load: Floats, mean: Floats, clock: Clock) -> Floats:
    """Typical size of load - mean at t + d, in replicas; `mean[t]` speaks about t + d."""
    error = np.abs(load - shifted(mean, clock.lead))
    log_error = np.log(error + FLOOR_ERROR)
    typical = np.sqrt(np.maximum(mean, 0.0) + 0.25) * 0.5

    def logged(values: Floats) -> Floats:
        return np.log(first_known(values, typical) + FLOOR_ERROR)

    wide = int(900 / clock.step_s)
    near = centred_mean(error, wide)
    day, week = clock.steps(DAY_S), clock.steps(WEEK_S)
    daily = recurring(near, day, 5, clock.lead, reach=wide)
    weekly = first_known(recurring(near, week, 1, clock.lead, reach=wide), daily)
    quick, slow = decayed_mean(load, max(0.5, 240 / clock.step_s)), decayed_mean(load, clock.steps(HOUR_S))
    columns = [
        np.log(mean + 0.2),
        *(logged(decayed_mean(error, max(0.5, seconds / clock.step_s))) for seconds in (1200.0, 3 * HOUR_S, DAY_S)),
        logged(daily),
        logged(weekly),
        np.abs(np.log((quick + 0.2) / (slow + 0.2))),
        np.ones(len(load)),
    ]
    prior = np.array([0.0, 0.2, 0.3, 0.3, 0.1, 0.1, 0.0, 0.0])
    learned = _regressed(log_error, np.column_stack(columns), prior, clock, np.ones(len(load)))
    return SAFETY * np.exp(np.clip(learned, -4.0, 12.0))
