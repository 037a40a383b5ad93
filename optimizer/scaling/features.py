"""What the past says about the step that a replica asked for now would first serve.

Every column is causal: row t uses the load up to and including step t, and speaks about step t + d,
where d is the lead (steps from asking to serving). Load is in replicas; a gap is NaN and teaches
nothing. Where a day or a week ago is not known yet, the next shorter memory stands in for it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.compiled import compiled
from optimizer.physics import Floats

Matrix = NDArray[np.float64]

DAY_S, WEEK_S, HOUR_S = 86400.0, 604800.0, 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Lengths of time in whole steps of the decision grid; `lead` is d."""

    step_s: float
    lead: int

    def steps(self, seconds: float) -> int:
        """At least one step."""
        return max(1, round(seconds / self.step_s))


def means(fine: Matrix) -> Floats:
    """Means of the known finer steps in each step of `fine` (steps, finer steps); NaN where none is known."""
    known = np.isfinite(fine).sum(axis=1)
    sums = np.nansum(fine, axis=1)
    found: Floats = np.divide(sums, known, out=np.full(len(fine), np.nan), where=known > 0)
    return found


def peaks(fine: Matrix) -> Floats:
    """The highest known finer step in each step of `fine` (steps, finer steps); NaN where none is known."""
    highest = np.where(np.isfinite(fine), fine, -np.inf).max(axis=1)
    return np.where(np.isfinite(highest), highest, np.nan)


def carried(load: Floats) -> Floats:
    """Gaps filled with the last known value; 0 before any."""
    latest = np.maximum.accumulate(np.where(np.isfinite(load), np.arange(len(load)), -1))
    return np.where(latest >= 0, load[np.maximum(latest, 0)], 0.0)


def shifted(values: Floats, lag: int) -> Floats:
    """`values` as they were `lag` >= 0 steps ago; NaN before the start."""
    moved = np.full(len(values), np.nan)
    if lag < len(values):
        moved[lag:] = values[: len(values) - lag]
    return moved


def centred_mean(values: Floats, half: int) -> Floats:
    """Mean of the known values within `half` steps either side; NaN where none is known."""
    known = np.isfinite(values)
    sums = np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0))])
    counts = np.concatenate([[0], np.cumsum(known)])
    index = np.arange(len(values))
    low, high = np.maximum(index - half, 0), np.minimum(index + half + 1, len(values))
    n = counts[high] - counts[low]
    means: Floats = np.divide(sums[high] - sums[low], n, out=np.full(len(values), np.nan), where=n > 0)
    return means


@compiled
def trailing_max(values: Floats, window: int) -> Floats:
    """Maximum of the known values among the last `window` steps; NaN where none is known."""
    peaks = np.full(len(values), np.nan)
    at = -1
    for t in range(len(values)):
        if not np.isnan(values[t]) and (at < 0 or values[t] >= values[at]):
            at = t
        elif at >= 0 and t - at >= window:
            at = -1
            for j in range(t - window + 1, t + 1):
                if not np.isnan(values[j]) and (at < 0 or values[j] >= values[at]):
                    at = j
        if at >= 0:
            peaks[t] = values[at]
    return peaks


def centred_max(values: Floats, half: int) -> Floats:
    """Maximum of the known values within `half` steps either side; NaN where none is known."""
    padded = np.concatenate([values, np.full(half, np.nan)])
    return trailing_max(padded, 2 * half + 1)[half:]


@compiled
def decayed_mean(values: Floats, span: float) -> Floats:
    """Exponentially weighted mean of the known values, `span` steps of memory; 0 before any."""
    means = np.zeros(len(values))
    total = 0.0
    weight = 0.0
    keep = np.exp(-1.0 / max(span, 1e-9))
    for t in range(len(values)):
        if not np.isnan(values[t]):
            total = total * keep + values[t]
            weight = weight * keep + 1.0
        means[t] = total / weight if weight > 0 else 0.0
    return means


def first_known(*choices: Floats) -> Floats:
    """Element by element the first that is known."""
    chosen = choices[0].copy()
    for other in choices[1:]:
        gap = np.isnan(chosen)
        chosen[gap] = other[gap]
    return chosen


def recurring(values: Floats, period: int, count: int, lead: int, *, reach: int = 0, fade: float = 1.0) -> Floats:
    """Mean of `values` at the same phase of the last `count` periods as step t + lead; NaN if none known.

    `reach`: how many steps beyond its own each value has seen (a centred window's half).
    """
    total, weights = np.zeros(len(values)), np.zeros(len(values))
    begin = -(-(lead + reach) // period)
    for j in range(begin, begin + count):
        if j * period - lead >= len(values):
            break
        past = shifted(values, j * period - lead)
        known = np.isfinite(past)
        share = fade ** (j - begin)
        total[known] += share * past[known]
        weights[known] += share
    means: Floats = np.divide(total, weights, out=np.full(len(values), np.nan), where=weights > 0)
    return means


def recurring_peak(values: Floats, period: int, count: int, lead: int, *, reach: int = 0) -> Floats:
    """Maximum of `values` at the same phase of the last `count` periods as step t + lead; NaN if none known."""
    peak = np.full(len(values), np.nan)
    begin = -(-(lead + reach) // period)
    for j in range(begin, begin + count):
        if j * period - lead < len(values):
            peak = np.fmax(peak, shifted(values, j * period - lead))
    return peak


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seasons:
    """The same time yesterday, last week, two weeks ago, and over the last seven days, for step t + d."""

    day: Floats
    week: Floats
    fortnight: Floats
    days: Floats
    day_peak: Floats
    week_peak: Floats
    day_half_hour: Floats
    week_half_hour: Floats


def seasons(load: Floats, clock: Clock) -> Seasons:
    """Means within ten minutes (30 for the seven days) and maxima within two steps and within half an hour."""
    level = decayed_mean(load, clock.steps(HOUR_S))
    day, week = clock.steps(DAY_S), clock.steps(WEEK_S)
    near, wide = int(600 / clock.step_s), int(1800 / clock.step_s)
    ten, thirty = centred_mean(load, near), centred_mean(load, wide)
    sharp, broad = centred_max(load, 2), centred_max(load, wide)

    def ago(values: Floats, lag: int) -> Floats:
        return shifted(values, max(lag - clock.lead, wide + 2))

    yesterday = first_known(ago(ten, day), level)
    last_week = first_known(ago(ten, week), yesterday)
    return Seasons(
        day=yesterday,
        week=last_week,
        fortnight=first_known(ago(ten, 2 * week), last_week),
        days=first_known(recurring(thirty, day, 7, clock.lead, reach=wide, fade=0.8), level),
        day_peak=first_known(ago(sharp, day), level),
        week_peak=first_known(ago(sharp, week), ago(sharp, day), level),
        day_half_hour=first_known(ago(broad, day), level),
        week_half_hour=first_known(ago(broad, week), ago(broad, day), level),
    )
