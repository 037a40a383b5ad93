"""The mean of the last day: all that can be said before a time of day was seen twice."""

from __future__ import annotations

import numpy as np

from domain.load import Floats


def level(past: Floats, days: int) -> Floats:
    """The mean of the newest day with a known value, the same for every step ahead.

    Shapes: `past` (origins, days back, steps a day), result (origins, days, steps a day).
    """
    known = np.isfinite(past)
    counts = known.sum(axis=2)
    sums = np.where(known, past, 0.0).sum(axis=2)
    daily = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
    newest = np.argmax(counts > 0, axis=1)
    mean = np.take_along_axis(daily, newest[:, None], axis=1)
    return np.repeat(np.repeat(mean[:, :, None], days, axis=1), past.shape[2], axis=2)
