"""Same time yesterday: the forecast to beat, and all there is to say after one day of history."""

from __future__ import annotations

import numpy as np

from domain.load import Floats


def yesterday(past: Floats, days: int) -> Floats:
    """The newest known value at each time of day, repeated for every day ahead.

    Shapes: `past` (origins, days back, steps a day), result (origins, days, steps a day).
    """
    return np.repeat(newest_known(past)[:, None, :], days, axis=1)


def newest_known(past: Floats) -> Floats:
    """For each origin and time of day the newest known value; NaN where there is none."""
    known = np.isfinite(past)
    newest = np.argmax(known, axis=1)
    return np.asarray(np.take_along_axis(past, newest[:, None, :], axis=1)[:, 0, :])
