"""The grid that forecasting thinks on: one value an hour, counted back from the end of the history.

Means over an hour are quiet enough to learn a daily and a weekly shape from; finer steps are
derived from the hourly path. Counting back from the origin keeps every hour whole, whatever minute
the clock shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from domain.load import Floats, LoadHistory
from domain.unknown import Unknown

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEEK_DAYS = 7


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """`values[-1]` is the mean over the step that ends at `end`; NaN where nothing is known."""

    end: datetime
    step: timedelta
    values: Floats

    @property
    def per_day(self) -> int:
        """Steps in a day."""
        return DAY // self.step

    @property
    def known_days(self) -> float:
        """How many days' worth of steps are known."""
        return float(np.isfinite(self.values).sum()) / self.per_day


def working_step(step: timedelta) -> timedelta | Unknown:
    """An hour for all that divides one, or the history's own step where that is longer and divides a day."""
    if step <= HOUR and HOUR % step == timedelta(0):
        return HOUR
    if step <= HOUR:
        return Unknown(f"a step of {step} does not divide an hour; resample the history to whole minutes")
    if DAY % step:
        return Unknown(f"a step of {step} does not divide a day, so no daily shape can be read from it")
    return step


def means_before(history: LoadHistory, end: datetime, step: timedelta) -> Floats:
    """Means over the whole steps that end at `end`, `end - step`, ...; the last value ends at `end`.

    A fine step belongs where it begins; one that had not ended at `end` is left out. A coarse step
    is the mean of its known fine steps, NaN where it has none.
    """
    seen = history.until(end)
    micro = timedelta(microseconds=1)
    begins = (seen.start - end) // micro + (seen.step // micro) * np.arange(len(seen), dtype=np.int64)
    places = begins // (step // micro)
    size = -int(places[0]) if len(places) else 0
    known = np.isfinite(seen.values)
    at = places[known] + size
    sums = np.bincount(at, seen.values[known], minlength=size)
    counts = np.bincount(at, minlength=size)
    return np.asarray(np.divide(sums, counts, out=np.full(size, np.nan), where=counts > 0))


def to_grid(history: LoadHistory, step: timedelta) -> Grid:
    """The history as means over `step`, counted back from its end; gaps stay NaN."""
    return Grid(end=history.end, step=step, values=means_before(history, history.end, step))
