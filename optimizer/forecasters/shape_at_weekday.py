"""The usual shape of such a day at the level of its weekday: one week tells a level better than it tells 24 hours."""

from __future__ import annotations

import numpy as np

from domain.load import Floats
from optimizer.forecasters.last_week import same_weekday
from optimizer.forecasters.week_at_level import weekly_change
from optimizer.forecasters.yesterday import newest_known
from optimizer.past import Past
from optimizer.weighted import weighted_median

DAYS = 28
FADE = 0.9
ALIKE = 5.0  # how often a day of the same kind (working day, rest day) counts


def shape_at_weekday(past: Past) -> Floats:
    """The median shape of a day times its weekday's newest level, moved by the root of a week's change.

    A day's level is the mean of it where half of it is known. (origins, days, steps a day); NaN where
    that weekday or that time of day was never seen.
    """
    newest = past.newest(DAYS)
    level = _levels(newest.values)
    shapes = np.moveaxis(newest.values / np.where(level > 0, level, np.nan), 1, 0)
    kinds = np.moveaxis(newest.rest, 1, 0)
    fade = FADE ** np.arange(len(shapes))[:, None, None]
    change = np.sqrt(weekly_change(past))[:, None]
    days = []
    for day in range(past.days_ahead):
        weights = fade * np.where(kinds == past.rest_ahead[None, :, day], ALIKE, 1.0)
        days.append(weighted_median(shapes, weights) * newest_known(same_weekday(level, day)) * change)
    return np.stack(days, axis=1)


def _levels(values: Floats) -> Floats:
    """The mean of each day, (origins, days, 1); NaN where less than half of it is known."""
    known = np.isfinite(values)
    counts = known.sum(axis=2, keepdims=True)
    sums = np.where(known, values, 0.0).sum(axis=2, keepdims=True)
    return np.asarray(np.where(2 * counts >= values.shape[2], sums / np.maximum(counts, 1), np.nan))
