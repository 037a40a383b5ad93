"""The mean of the last day: all that can be said before a time of day was seen twice."""

from __future__ import annotations

import numpy as np

from domain.load import Floats
from optimizer.past import Past


def level(past: Past) -> Floats:
    """The mean of the newest day with a known value, for every step ahead: (origins, days, steps a day)."""
    known = np.isfinite(past.values)
    counts = known.sum(axis=2)
    sums = np.where(known, past.values, 0.0).sum(axis=2)
    daily = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
    newest = np.argmax(counts > 0, axis=1)
    mean = np.take_along_axis(daily, newest[:, None], axis=1)
    return np.asarray(np.broadcast_to(mean[:, :, None], (past.origins, past.days_ahead, past.per_day)))
