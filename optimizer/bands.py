"""How far load strays from what was foretold: weighted quantiles of errors, in units of a spread.

The spread depends on the load, and errors count by time of day: hours nearby count more.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from domain.load import Floats

LEVELS = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995)
FEW_DAYS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """One idea of the spread: hours nearby, growth with load, memory in days, likeness of days.

    `near_h` None pools the whole day; `power` 0 is a spread that does not depend on the load, 0.5
    one that grows with its root; `alike` is how often a day of the same kind (working day, rest day)
    counts; `own` the share of the band's own profile in its middle. With `shrink`, errors are also
    measured by what is usual at their time of day; so many days of the overall size are mixed in.
    """

    near_h: float | None = 1.5
    power: float = 0.5
    profile_fade: float = 0.95
    fade: float = 0.95
    alike: float = 6.0
    own: float = 0.0
    shrink: float | None = None


def spread(load: Floats, scale: Floats, band: Band) -> Floats:
    """The unit that errors around `load` are counted in; `scale` is the usual load."""
    return np.asarray((np.maximum(load, 0.0) / scale + 0.05) ** band.power * scale)


def error_quantiles(errors: Floats, band: Band) -> Floats:
    """Quantiles of the errors (series, days, steps), newest day first, at each time of day: (series, levels, steps).

    Zero where no error is known. Under four known days hours further away count too, so that a
    quantile never rests on a handful of errors. With `near_h` None, one step for all times of day.
    """
    count, days, per_day = errors.shape
    pools = errors.reshape(count, -1)
    order = np.argsort(pools, axis=1, kind="stable")  # NaN last; the order of ties must not depend on the machine
    ranked = np.take_along_axis(pools, order, axis=1)
    known = np.isfinite(ranked).sum(axis=1)
    nearness = _nearness(days, per_day, band.near_h, band.fade)
    if band.near_h is None:
        weights = nearness[0][order] * (np.arange(days * per_day) < known[:, None])
        return _quantiles(ranked, weights, known)[:, :, None]
    made = np.empty((count, len(LEVELS), per_day))
    for series, size in enumerate(known):
        few = FEW_DAYS * per_day / max(size, 1)
        near = nearness if few <= 1 else _nearness(days, per_day, band.near_h * few, band.fade)
        made[series] = _quantiles(ranked[series : series + 1, :size], near[:, order[series, :size]], size).T
    return made


def at_levels(rows: Floats, levels: tuple[float, ...]) -> Floats:
    """Quantiles at any `levels` from rows at `LEVELS` (first axis), linear in the normal score.

    Beyond the outermost levels the outermost slope goes on, as the tail of a normal law would.
    """
    from scipy.special import ndtri  # noqa: PLC0415  a second that only a fit should pay

    known, wanted = ndtri(np.asarray(LEVELS)), ndtri(np.asarray(levels))
    right = np.clip(np.searchsorted(known, wanted), 1, len(known) - 1)
    share = (wanted - known[right - 1]) / (known[right] - known[right - 1])
    share = share.reshape(-1, *([1] * (rows.ndim - 1)))
    return np.asarray(rows[right - 1] + share * (rows[right] - rows[right - 1]))


def _quantiles(ranked: Floats, weights: Floats, known: NDArray[np.int64] | int) -> Floats:
    """Weighted quantiles of rising values at `LEVELS`, linear between the middles of the weights: (rows, levels).

    `ranked` has a row for each of `weights` (rows, values), or one for all. Of each row the first `known` count, the
    weight of the others is 0; the quantiles are 0 where there are none.
    """
    rows, size = weights.shape
    if not size:
        return np.zeros((rows, len(LEVELS)))
    share = np.cumsum(weights.ravel())  # one rising line through all rows, so that one search serves them all
    ends = share[size - 1 :: size]
    begins = np.concatenate([[0.0], ends[:-1]])
    wanted = begins[:, None] + np.asarray(LEVELS) * (ends - begins)[:, None]
    middles = share - 0.5 * weights.ravel()
    first = size * np.arange(rows)[:, None]
    last = first + np.maximum(np.broadcast_to(known, rows)[:, None] - 1, 0)
    right = np.clip(np.searchsorted(middles, wanted.ravel()).reshape(wanted.shape), first, last)
    left = np.maximum(right - 1, first)
    gap = middles[right] - middles[left]
    way = np.clip(np.divide(wanted - middles[left], gap, out=np.ones_like(gap), where=gap > 0), 0.0, 1.0)
    values, shift = np.where(np.isfinite(ranked), ranked, 0.0).ravel(), 0 if len(ranked) == rows else first
    low, high = values[left - shift], values[right - shift]
    return np.asarray(low + way * (high - low))


@lru_cache(maxsize=64)
def _nearness(days: int, per_day: int, near_h: float | None, fading: float) -> Floats:
    """Weight of each past step (days, newest first, times steps) for each time of day, which are the rows.

    One row where the whole day is pooled.
    """
    fade = np.repeat(fading ** np.arange(days), per_day)
    if near_h is None:
        return fade[None, :]
    hours = np.arange(per_day) * 24 / per_day
    apart = np.abs(hours[:, None] - hours[None, :])
    near = np.exp(-0.5 * (np.minimum(apart, 24 - apart) / near_h) ** 2) + 1e-12
    return np.asarray(np.tile(near, (1, days)) * fade)
