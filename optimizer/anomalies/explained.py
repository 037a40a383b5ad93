"""What is usually paid at a load: the spend that the load of just before, or else the hour of the day, explains.

Which of them does is read from the days before: whichever came nearest to what was paid. Autoscalers follow the largest load of some
minutes, and how many is tried out; what is scaled by the clock is explained by its hours. Where neither moves the
spend, both say the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from domain.load import Floats
from optimizer.anomalies.expected import BAND, HOURS

WINDOWS = tuple(timedelta(minutes=minutes) for minutes in (5, 10, 15, 30, 60, 120))
BLOCKS = 20  # of loads alike, each with as many steps
LEAST_IN_BLOCK = 5
LEAST_BAND = 0.1  # of the path: nobody is woken for a tenth more
LEAST_SHARE = 0.25  # of the mean spend: what hardly anything is paid for is not compared by its tenth


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """Spend by load, both rising: the median and the quantiles of `BAND` of blocks of alike load, (blocks,) each."""

    load: Floats
    low: Floats
    path: Floats
    high: Floats

    def at(self, load: Floats) -> Floats:
        """Low, path and high at each load: (3, steps). Beyond the highest block in proportion; NaN for an unknown load."""
        top = self.load[-1]
        beyond = np.maximum(load / top, 1.0) if top > 0 else np.ones(len(load))
        return np.stack([np.interp(load, self.load, row) * beyond for row in (self.low, self.path, self.high)])


def curve(load: Floats, spend: Floats) -> Curve | None:
    """The curve of the steps at which both are known; None for too few of them."""
    known = np.isfinite(load) & np.isfinite(spend)
    count = min(BLOCKS, int(known.sum()) // LEAST_IN_BLOCK)
    if count < 2:
        return None
    order = np.argsort(load[known], kind="stable")
    order = order[len(order) % count :]  # the lowest few are left over
    size = len(order) // count
    loads, firsts = np.unique(load[known][order].reshape(count, size)[:, size // 2], return_index=True)
    alike = np.split(spend[known][order], firsts[1:] * size)  # blocks of one and the same load are one
    low, path, high = np.maximum.accumulate([_quantiles(block) for block in alike], axis=0).T
    return Curve(load=loads, low=low, path=path, high=high)


def _quantiles(values: Floats) -> Floats:
    """The median between the quantiles of `BAND`, each a value that occurred."""
    places = [round(quantile * (len(values) - 1)) for quantile in (BAND[0], 0.5, BAND[1])]
    return np.asarray(np.sort(values)[places])


def explained(load: Floats, spend: Floats, by_hour: Floats, step: timedelta, first: int) -> Floats:
    """Low, path and high of what is usually paid, (3, steps): each day's made of the steps before it.

    `by_hour` is of the last steps of `spend`, what its hours of the day let expect: (3, steps). The
    steps up to `first` choose between both; `load` and `spend` are as long as each other.
    """
    per_day = HOURS * (timedelta(hours=1) // step)
    begin = len(spend) - by_hour.shape[1]
    by_load = np.full(by_hour.shape, np.nan)
    felt = _felt(load, spend[:first], step)
    for day in range(begin, len(spend), per_day):
        known = curve(felt[:day], spend[:day])
        if known is not None:
            by_load[:, day - begin : day - begin + per_day] = known.at(felt[day : day + per_day])
    off = [_off(spend[begin:first], rows[1, : first - begin]) for rows in (by_load, by_hour)]
    return by_load if off[0] <= off[1] else by_hour


def widened(rows: Floats, mean: float) -> Floats:
    """The rows with a band above the path that is worth a look: a tenth of the path, or of a quarter of the mean."""
    low, path, high = rows
    return np.stack([low, path, np.maximum(high, path + LEAST_BAND * np.maximum(path, LEAST_SHARE * mean))])


def _felt(load: Floats, spend: Floats, step: timedelta) -> Floats:
    """The largest load of the minutes that explain the spend best; the spend's steps, which are the first, say which."""

    def error(felt: Floats) -> float:
        known = curve(felt[: len(spend)], spend)
        return float("inf") if known is None else _off(spend, known.at(felt[: len(spend)])[1])

    widths = sorted({-(-window // step) for window in WINDOWS})
    return min((_largest(load, width) for width in widths), key=error)


def _largest(load: Floats, width: int) -> Floats:
    """The largest of the last `width` loads at each step that is known."""
    padded = np.concatenate([np.full(width - 1, np.nan), load])
    largest = np.fmax.reduce(np.lib.stride_tricks.sliding_window_view(padded, width), axis=1)
    return np.where(np.isfinite(load), largest, np.nan)


def _off(spend: Floats, path: Floats) -> float:
    """By how much the path misses the spend in the mean; infinite where nothing can be compared."""
    misses = np.abs(spend - path)
    known = np.isfinite(misses)
    return float(misses[known].mean()) if known.any() else float("inf")
