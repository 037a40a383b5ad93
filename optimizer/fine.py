"""From hourly quantiles to those of finer steps: what an hour's mean hides.

A step's load is the hour's mean, split by the usual pattern within the hour, plus a deviation. The
quantiles are those of the sum of the hour's own uncertainty and the deviations seen around known
hourly means, in units of a spread that grows with the root of the load.
"""

from __future__ import annotations

import numpy as np

from domain.load import Floats, LoadHistory
from optimizer.bands import LEVELS
from optimizer.grid import DAY, Grid

DAYS = 14
SHRINK_HOURS = 12.0  # hours of evidence that weigh as much as the belief in an even hour


def within_hours(history: LoadHistory, grid: Grid, path: Floats, rows: Floats) -> Floats:
    """The quantile rows at the history's own step.

    `path` is (steps,) on the grid, `rows` (levels, steps) at `bands.LEVELS`; the result has
    `grid.step / history.step` times as many steps. Gaps are left out.
    """
    ratio = grid.step // history.step
    if ratio == 1:
        return rows
    recent = min(DAYS * grid.per_day, len(history) // ratio, len(grid.values))
    hours = history.values[len(history) - recent * ratio :].reshape(recent, ratio)
    means = grid.values[len(grid.values) - recent :]
    pattern = _pattern(hours, means)
    fine_path = _split(path, pattern)
    deviations = _deviations(hours, means, pattern)
    scale = max(float(np.nanmean(np.abs(means))), 1e-9) if np.isfinite(means).any() else 1e-9
    sums = _sums(rows, deviations * _spread(path, scale)[None, :])
    above = np.repeat(sums - path[None, :], ratio, axis=1)
    return np.asarray(np.maximum.accumulate(fine_path[None, :] + above, axis=0))


def _pattern(hours: Floats, means: Floats) -> Floats:
    """The share of an hour's load that each of its steps usually has, 1 on average, shrunk to even."""
    known = np.isfinite(hours).all(axis=1) & (means > 0)
    if not known.any():
        return np.ones(hours.shape[1])
    total = means[known].sum()
    shrink = SHRINK_HOURS * total / known.sum()
    return np.asarray((hours[known].sum(axis=0) + shrink) / (total + shrink))


def _split(path: Floats, pattern: Floats) -> Floats:
    """The path within each hour: straight lines between the hours' middles, then the pattern; hourly means kept."""
    ratio = len(pattern)
    middles = np.arange(len(path)) + 0.5
    steps = (np.arange(len(path) * ratio) + 0.5) / ratio
    lines = np.interp(steps, middles, path).reshape(-1, ratio) * pattern
    means = lines.mean(axis=1, keepdims=True)
    even = np.repeat(path[:, None], ratio, axis=1) * pattern
    scaled = np.divide(lines * path[:, None], means, out=even, where=np.abs(means) > 1e-12)
    return np.asarray(scaled.ravel())


def _deviations(hours: Floats, means: Floats, pattern: Floats) -> Floats:
    """Quantiles (at `LEVELS`) of a step around its hour's mean, in units of the spread: (levels, 1)."""
    foretold = means[:, None] * pattern[None, :]
    scale = max(float(np.nanmean(np.abs(means))), 1e-9) if np.isfinite(means).any() else 1e-9
    off = ((hours - foretold) / _spread(foretold, scale)).ravel()
    off = off[np.isfinite(off)]
    if not len(off):
        return np.zeros((len(LEVELS), 1))
    return np.asarray(np.quantile(off, LEVELS)[:, None])


def _spread(load: Floats, scale: float) -> Floats:
    return np.asarray(np.sqrt(np.maximum(load, 0.0) * scale + 0.05 * scale**2))


def _sums(rows: Floats, deviations: Floats) -> Floats:
    """Quantiles (at `LEVELS`) of the sum of two independent amounts given by theirs: (levels, steps)."""
    mass = np.diff(np.concatenate([[0.0], (np.array(LEVELS[1:]) + np.array(LEVELS[:-1])) / 2, [1.0]]))
    both = (mass[:, None] * mass[None, :]).ravel()
    sums = (rows[:, None, :] + deviations[None, :, :]).reshape(len(both), -1)
    order = np.argsort(sums, axis=0)
    ranked = np.take_along_axis(sums, order, axis=0)
    share = np.cumsum(both[order], axis=0) - 0.5 * both[order]
    rows_at = [np.minimum((share < level).sum(axis=0), len(both) - 1) for level in LEVELS]
    return np.stack([np.take_along_axis(ranked, at[None, :], axis=0)[0] for at in rows_at])


def whole_days(step_count: int, history: LoadHistory) -> int:
    """Days, rounded up, that so many steps of the history last."""
    return max(1, -(-(step_count * history.step) // DAY))
