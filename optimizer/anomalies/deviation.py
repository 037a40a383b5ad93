"""How far each step lies from what was expected of it, and the signs that a deviation can give.

A sign is a number for each step, made of that step and those before it. A spike shows in one step or two against
the hour so far; a shift shows over hours against the band. Whether a sign is large is for `bound` to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from domain.load import Floats

RECENT = 3  # steps that say what the deviation was just before
ABOVE = timedelta(hours=3)
BELOW = timedelta(hours=12)  # a lack hurts nobody in a hurry, and half a day outlasts most failures of telemetry
LEAST_BAND = 0.02  # of the mean load: no band is believed to be narrower


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Deviation:
    """What came at each step (NaN where unknown) beside the path and the band that were expected of it."""

    step: timedelta
    came: Floats
    low: Floats
    path: Floats
    high: Floats
    least_band: float

    @property
    def off(self) -> Floats:
        """What came beyond the path, in the units of the signal."""
        return self.came - self.path

    @property
    def in_bands(self) -> Floats:
        """The same in widths of the band on that side: beyond 1 or -1 it is outside."""
        off = self.off
        wide = np.where(off > 0, self.high - self.path, self.path - self.low)
        return np.asarray(off / np.maximum(wide, self.least_band))

    def steps(self, window: timedelta) -> int:
        """How many steps a window has."""
        return max(1, round(window / self.step))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sign:
    """One way to be out of the ordinary: its measure at each step, of so many steps.

    An hour in which it is below `least` says no more of what is ordinary than one in which it is that.
    """

    name: str
    measure: Floats
    steps: int
    least: float = 0.0


def jump(deviation: Deviation, *, more: bool = True) -> Floats:
    """By how much a step lies beyond the path and beyond what the deviation was just before it.

    A return to the path is no jump.
    """
    off = deviation.off if more else -deviation.off
    before = np.concatenate([[np.nan], _medians(off, RECENT)[:-1]])
    return np.asarray(off - np.maximum(before, 0.0))


def above(deviation: Deviation) -> Floats:
    """The mean of three hours, in widths of the band."""
    return means(deviation.in_bands, deviation.steps(ABOVE))


def below(deviation: Deviation, fallen: NDArray[np.bool_]) -> Floats:
    """What half of twelve hours lies below the path at least, in widths of the band, steps that `fallen` has left out."""
    return _medians(np.where(fallen, np.nan, -deviation.in_bands), deviation.steps(BELOW))


def fallen(deviation: Deviation, fall: float) -> NDArray[np.bool_]:
    """The steps from a sudden fall by more than `fall` until the load is back in its band.

    Load goes as it comes, with its users; what is gone from one step to the next was cut off, most likely from being seen.
    """
    at = np.arange(len(deviation.came))
    falls = jump(deviation, more=False) > fall
    back = deviation.in_bands > -1
    last_fall = np.maximum.accumulate(np.where(falls, at, -1))
    last_back = np.maximum.accumulate(np.where(back, at, -1))
    return np.asarray((last_fall >= 0) & (last_fall > last_back))


def means(values: Floats, width: int) -> Floats:
    """The mean of the last `width` values at each place; NaN where less than half of them are known."""
    known = np.isfinite(values)
    sums = np.cumsum(np.concatenate([[0.0], np.where(known, values, 0.0)]))
    counts = np.cumsum(np.concatenate([[0], known]))
    first = np.maximum(np.arange(1, len(values) + 1) - width, 0)
    count = counts[1:] - counts[first]
    enough = (count > 0) & (2 * count >= width)
    return np.asarray(np.divide(sums[1:] - sums[first], count, out=np.full(len(values), np.nan), where=enough))


def _medians(values: Floats, width: int) -> Floats:
    """The median of the last `width` values at each place; NaN where less than half of them are known."""
    padded = np.concatenate([np.full(width - 1, np.nan), values])
    rows = np.sort(np.lib.stride_tricks.sliding_window_view(padded, width), axis=1)  # NaN come last
    count = np.isfinite(rows).sum(axis=1)
    middle = np.stack([np.maximum(count - 1, 0) // 2, np.minimum(count // 2, width - 1)], axis=1)
    median = np.take_along_axis(rows, middle, axis=1).mean(axis=1)
    return np.asarray(np.where((count > 0) & (2 * count >= width), median, np.nan))
