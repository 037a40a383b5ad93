"""Last week's shape at the recent level: what a growing or shrinking weekly workload does next."""

from __future__ import annotations

import numpy as np

from domain.load import Floats
from optimizer.forecasters.last_week import last_week
from optimizer.grid import WEEK_DAYS
from optimizer.past import Past

MOST = 5.0  # a larger change of level in a week is an event, not a trend


def week_at_level(past: Past) -> Floats:
    """Same time last week, times the last day against its own weekday a week before: (origins, days, steps a day)."""
    return np.asarray(last_week(past) * level_change(past)[:, None, None])


def level_change(past: Past) -> Floats:
    """The last day's load over that of the day a week before it, over the steps known of both; 1 where unknown."""
    now = past.values[:, :1]
    then = past.values[:, WEEK_DAYS : WEEK_DAYS + 1]
    if not then.shape[1]:
        return np.ones(past.origins)
    both = np.isfinite(now) & np.isfinite(then)
    here = np.where(both, now, 0.0).sum(axis=(1, 2))
    there = np.where(both, then, 0.0).sum(axis=(1, 2))
    ratio = np.divide(here, there, out=np.ones_like(here), where=(there > 0) & (here > 0))
    return np.asarray(np.clip(ratio, 1 / MOST, MOST))
