"""Levels without a shape: what can be said before a time of day was seen twice, or of load that keeps to no clock."""

from __future__ import annotations

import numpy as np

from domain.load import Floats
from optimizer.past import Past
from optimizer.weighted import weighted_median

NEWEST = 3  # steps: one that stands out is no level yet, two are


def level(past: Past) -> Floats:
    """The mean of the newest day with a known value, for every step ahead: (origins, days, steps a day)."""
    known = np.isfinite(past.values)
    counts = known.sum(axis=2)
    sums = np.where(known, past.values, 0.0).sum(axis=2)
    daily = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
    newest = np.argmax(counts > 0, axis=1)
    return _flat(past, np.take_along_axis(daily, newest[:, None], axis=1)[:, 0])


def last_hours(past: Past) -> Floats:
    """The median of the newest three steps of the last day, for every step ahead: on a new level three steps after it.

    (origins, days, steps a day); NaN where none of the three is known.
    """
    day = past.values[:, :2, :][:, ::-1].reshape(past.origins, -1)
    newest = day[:, -NEWEST:].T
    return _flat(past, weighted_median(newest, np.ones((len(newest), 1))))


def _flat(past: Past, value: Floats) -> Floats:
    return np.asarray(np.broadcast_to(value[:, None, None], (past.origins, past.days_ahead, past.per_day)))
