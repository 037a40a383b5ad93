"""Same time last week: hard to beat where weekdays differ."""

from __future__ import annotations

import numpy as np

from domain.load import Floats
from optimizer.forecasters.yesterday import newest_known
from optimizer.grid import WEEK_DAYS
from optimizer.past import Past


def last_week(past: Past) -> Floats:
    """The newest known value at the same time of the same weekday: (origins, days, steps a day).

    NaN where that weekday was never seen.
    """
    return np.stack([newest_known(same_weekday(past.values, day)) for day in range(past.days_ahead)], axis=1)


def same_weekday(values: Floats, day: int) -> Floats:
    """The days back on the weekday of the `day`-th day ahead (0 is the first), newest first; maybe none, as NaN."""
    rows = values[:, (WEEK_DAYS - 1 - day) % WEEK_DAYS :: WEEK_DAYS, :]
    return rows if rows.shape[1] else np.full_like(values[:, :1], np.nan)
