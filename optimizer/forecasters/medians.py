"""Medians over past days, each with its own idea of which days are alike."""

from __future__ import annotations

import numpy as np

from domain.load import Floats
from optimizer.forecasters.last_week import same_weekday
from optimizer.forecasters.yesterday import newest_known
from optimizer.grid import WEEK_DAYS
from optimizer.past import Past
from optimizer.weighted import Weights, weighted_mean, weighted_median

DAYS = 28


def recent_median(past: Past) -> Floats:
    """The median at each time of day, each day three quarters of the weight of the day after it."""
    return _every_day(past, weighted_median(*_days_first(past.newest(DAYS), 0.75 ** np.arange(DAYS))))


def weekday_median(past: Past) -> Floats:
    """The median of the same weekdays, each week four fifths of the weight of the week after it."""
    days = []
    for day in range(past.days_ahead):
        weeks = np.moveaxis(same_weekday(past.values, day), 1, 0)
        days.append(weighted_median(weeks, 0.8 ** np.arange(len(weeks))[:, None, None]))
    return np.stack(days, axis=1)


def blended_median(past: Past) -> Floats:
    """The median of all days, in which one on the same weekday counts three times."""
    days = []
    for day in range(past.days_ahead):
        same = (np.arange(DAYS) + 1 + day) % WEEK_DAYS == 0
        weights = 0.93 ** np.arange(DAYS) * np.where(same, 3.0, 1.0)
        days.append(weighted_median(*_days_first(past.newest(DAYS), weights)))
    return np.stack(days, axis=1)


def alike_median(past: Past) -> Floats:
    """The median of the days of the same kind (working day or rest day); the other kind hardly counts."""
    return _alike(past, median=True)


def alike_mean(past: Past) -> Floats:
    """The fading mean of the days of the same kind (working day or rest day)."""
    return _alike(past, median=False)


def alike_newest(past: Past) -> Floats:
    """The newest known value at each time of day on a day of the same kind (working day or rest day)."""
    newest = past.newest(DAYS)
    return np.stack(
        [
            newest_known(np.where(newest.rest == past.rest_ahead[:, None, day], newest.values, np.nan))
            for day in range(past.days_ahead)
        ],
        axis=1,
    )


def overall_median(past: Past) -> Floats:
    """The median of the last seven days, the same for every step: right where bursts keep to no clock."""
    week = past.values[:, :WEEK_DAYS].reshape(past.origins, -1).T
    flat = weighted_median(week, np.ones((len(week), 1)))
    return np.asarray(np.broadcast_to(flat[:, None, None], (past.origins, past.days_ahead, past.per_day)))


def _alike(past: Past, *, median: bool) -> Floats:
    newest = past.newest(DAYS)
    fade = 0.85 ** np.arange(newest.values.shape[1])[:, None, None]
    rows = np.moveaxis(newest.values, 1, 0)
    kinds = np.moveaxis(newest.rest, 1, 0)
    days = []
    for day in range(past.days_ahead):
        weights = fade * np.where(kinds == past.rest_ahead[None, :, day], 30.0, 1.0)
        days.append(weighted_median(rows, weights) if median else weighted_mean(rows, weights))
    return np.stack(days, axis=1)


def _days_first(past: Past, weights: Weights) -> tuple[Floats, Weights]:
    """Values with the days as first axis, and the weights of as many days in that shape."""
    rows = np.moveaxis(past.values, 1, 0)
    return rows, weights[: len(rows), None, None]


def _every_day(past: Past, day: Floats) -> Floats:
    return np.repeat(day[:, None, :], past.days_ahead, axis=1)
