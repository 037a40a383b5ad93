"""Same time yesterday: the forecast to beat, and all there is to say after one day of history."""

from __future__ import annotations

import numpy as np

from domain.load import Floats
from optimizer.past import Past


def yesterday(past: Past) -> Floats:
    """The newest known value at each time of day, for every day ahead: (origins, days, steps a day)."""
    return np.repeat(newest_known(past.values)[:, None, :], past.days_ahead, axis=1)


def newest_known(values: Floats) -> Floats:
    """For each origin and time of day the newest known value; NaN where there is none."""
    newest = np.argmax(np.isfinite(values), axis=1)
    return np.asarray(np.take_along_axis(values, newest[:, None, :], axis=1)[:, 0, :])
