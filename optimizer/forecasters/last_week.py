"""Same time last week: hard to beat where weekdays differ."""

from __future__ import annotations

import numpy as np

from domain.load import Floats
from optimizer.forecasters.yesterday import newest_known
from optimizer.grid import WEEK_DAYS


def last_week(past: Floats, days: int) -> Floats:
    """The newest known value at the same time of the same weekday; NaN where there is none.

    Shapes: `past` (origins, days back, steps a day), result (origins, days, steps a day).
    """
    rows = [newest_known(same_weekday(past, day)) for day in range(days)]
    return np.stack(rows, axis=1)


def same_weekday(past: Floats, day: int) -> Floats:
    """The days back that fall on the weekday of the `day`-th day ahead (0 is the first), newest first."""
    return past[:, (WEEK_DAYS - 1 - day) % WEEK_DAYS :: WEEK_DAYS, :]
