"""What is expected of each hour of a day: a path and a band, made at the day's beginning from the days before it.

The path is the weighted median of the forecasters that need no fitting, weighed as the forecast weighs its own; it costs
a few hundredths of a second, so that it can be made anew whenever a workload is looked at. The band is what the
path's errors at about that hour were on the days before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.load import Floats, LoadHistory
from optimizer.forecasters import CANDIDATES, NAIVE
from optimizer.grid import HOUR, to_grid
from optimizer.hygiene import clean
from optimizer.past import before
from optimizer.weighing import combine, losses, weights

SHAPES = (
    *NAIVE,
    "week_at_level",
    "recent_median",
    "weekday_median",
    "blended_median",
    "alike_median",
    "alike_mean",
)
DAYS_BACK = 28
LEAST_DAYS = 2  # before a day of which something is to be expected
BAND = (0.05, 0.95)
HOURS = 24


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Expected:
    """Oldest day first, the last one the day to come: (days, hours). NaN where nothing could be expected."""

    low: Floats
    path: Floats
    high: Floats

    @property
    def past_days(self) -> int:
        """How many days before the one to come."""
        return len(self.path) - 1

    def within_hours(self, per_hour: int) -> tuple[Floats, Floats, Floats]:
        """Low, path and high of each step: straight lines between the middles of a day's hours.

        Each day by itself, as it was expected by itself.
        """
        steps, middles = (np.arange(HOURS * per_hour) + 0.5) / per_hour, np.arange(HOURS) + 0.5

        def drawn(days: Floats) -> Floats:
            return np.concatenate([np.interp(steps, middles, day) for day in days])

        return drawn(self.low), drawn(self.path), drawn(self.high)


def expected(seen: LoadHistory) -> Expected:
    """Of every day before the end of `seen` that has two before it, and of the one that begins there.

    Days are counted back from the end. Outages that `hygiene` finds teach nothing.
    """
    grid = to_grid(clean(seen).history, HOUR)
    size = len(grid.values)
    ages = list(range(max(0, size // HOURS - LEAST_DAYS), -1, -1))
    past = before(grid, [size - age * HOURS for age in ages], days_back=DAYS_BACK, days_ahead=1, country=None)
    paths = np.stack([CANDIDATES[name](past)[:, 0] for name in SHAPES])
    paths = np.where(np.isfinite(paths), paths, _means(past.values)[:, None])
    came = grid.values[size - ages[0] * HOURS :].reshape(-1, HOURS) if ages[0] else np.empty((0, HOURS))
    path = _combined(paths, came)
    low, high = _band(path, came)
    return Expected(low=low, path=path, high=high)


def _means(values: Floats) -> Floats:
    """The mean of all that each origin knows; NaN where that is nothing."""
    known = np.isfinite(values)
    count = known.sum(axis=(1, 2))
    sums = np.where(known, values, 0.0).sum(axis=(1, 2))
    return np.asarray(np.divide(sums, count, out=np.full(len(values), np.nan), where=count > 0))


def _combined(paths: Floats, came: Floats) -> Floats:
    """The combination on each day, the candidates weighed by the days before it."""
    loss = losses(paths[:, : len(came)], came)
    naive = tuple(SHAPES.index(name) for name in NAIVE)
    return np.concatenate(
        [combine(paths[:, day][:, None], weights(loss[:, :day][:, ::-1], naive)) for day in range(paths.shape[1])]
    )


def _band(path: Floats, came: Floats) -> tuple[Floats, Floats]:
    """The path with the quantiles of its errors of the days before each, an hour to each side pooled."""
    off = came - path[: len(came)]
    near = np.stack([np.roll(off, shift, axis=1) for shift in (-1, 0, 1)], axis=1)
    rows = np.full((2, *path.shape), np.nan)
    for day in range(1, len(path)):
        rows[:, day] = _quantiles(near[:day].reshape(-1, HOURS))
    return path + np.minimum(rows[0], 0.0), path + np.maximum(rows[1], 0.0)


def _quantiles(values: Floats) -> Floats:
    """Those of `BAND` along axis 0, each a value that occurred: (2, ...); NaN where nothing is known."""
    count = np.isfinite(values).sum(axis=0)
    places = np.rint(np.array(BAND)[:, None] * np.maximum(count - 1, 0)).astype(np.intp)
    return np.take_along_axis(np.sort(values, axis=0), places, axis=0)  # NaN come last
