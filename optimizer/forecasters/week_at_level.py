"""Last week's shape at the recent level: what a growing or shrinking weekly workload does next."""

from __future__ import annotations

import numpy as np

from domain.load import Floats
from optimizer.forecasters.last_week import last_week
from optimizer.grid import WEEK_DAYS


def week_at_level(past: Floats, days: int) -> Floats:
    """Same time last week, times the ratio of the last day to its weekday a week before, shrunk to 1.

    Shapes: `past` (origins, days back, steps a day), result (origins, days, steps a day).
    """
    now = past[:, :1]
    then = past[:, WEEK_DAYS : WEEK_DAYS + 1]
    both = np.isfinite(now) & np.isfinite(then)
    here = np.where(both, now, 0.0).sum(axis=(1, 2))
    there = np.where(both, then, 0.0).sum(axis=(1, 2))
    ratio = np.divide(here, there, out=np.ones_like(here), where=(there > 0) & (here > 0))
    return np.asarray(last_week(past, days) * np.clip(ratio, 0.25, 4.0)[:, None, None] ** 0.5)
