"""A weekly shape at the recent level: what a growing or shrinking weekly workload does next."""

from __future__ import annotations

import numpy as np

from domain.load import Floats
from optimizer.forecasters.last_week import last_week
from optimizer.forecasters.medians import weekday_median
from optimizer.grid import WEEK_DAYS
from optimizer.past import Past

MOST = 5.0  # a larger change of level in a week is an event, not a trend


def week_at_level(past: Past) -> Floats:
    """Same time last week, times the last day against its own weekday a week before: (origins, days, steps a day)."""
    return np.asarray(last_week(past) * weekly_change(past)[:, None, None])


def weekday_at_level(past: Past) -> Floats:
    """The median of the same weekdays, times the root of the last day against what that median was for it.

    The root: half of a day's surprise is taken to be gone the next day. (origins, days, steps a day);
    NaN where that weekday was never seen.
    """
    a_day_ago = Past(past.values[:, 1:], past.rest[:, 1:], past.rest[:, :1])
    foretold = weekday_median(a_day_ago) if a_day_ago.values.shape[1] else np.full_like(past.values, np.nan)
    change = np.sqrt(level_change(past.values[:, :1], foretold))
    return np.asarray(weekday_median(past) * change[:, None, None])


def weekly_change(past: Past) -> Floats:
    """The last day's load over that of the day a week before it: (origins,)."""
    then = past.values[:, WEEK_DAYS : WEEK_DAYS + 1]
    return level_change(past.values[:, :1], then) if then.shape[1] else np.ones(past.origins)


def level_change(now: Floats, then: Floats) -> Floats:
    """The load of one day over that of another, (origins, 1, steps) each, over the steps known of both.

    1 where either is unknown or idle.
    """
    both = np.isfinite(now) & np.isfinite(then)
    here = np.where(both, now, 0.0).sum(axis=(1, 2))
    there = np.where(both, then, 0.0).sum(axis=(1, 2))
    ratio = np.divide(here, there, out=np.ones_like(here), where=(there > 0) & (here > 0))
    return np.asarray(np.clip(ratio, 1 / MOST, MOST))
