"""The candidates among which the back-test chooses: one idea a file, all in one table.

A candidate is given the days before each of several origins (NaN where nothing is known) and
answers with a path for each, (origins, days ahead, steps a day), NaN where it has nothing to say.
It sees nothing else, so it cannot look ahead. The set is wide on purpose: no member is best on many
workloads, and what the back-test trusts of many unlike ideas beats the best of few.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from domain.load import Floats
from optimizer.forecasters.fourier import fourier
from optimizer.forecasters.kriging import NOISY, STEADY, WALK, WEEKLY, logged, rooted
from optimizer.forecasters.last_week import last_week
from optimizer.forecasters.level import last_hours, level
from optimizer.forecasters.medians import (
    alike_mean,
    alike_median,
    alike_newest,
    blended_median,
    overall_median,
    recent_median,
    weekday_median,
)
from optimizer.forecasters.shape_at_weekday import shape_at_weekday
from optimizer.forecasters.smoothing import smoothing
from optimizer.forecasters.week_at_level import week_at_level, weekday_at_level
from optimizer.forecasters.yesterday import yesterday
from optimizer.past import Past

Candidate = Callable[[Past], Floats]

NAIVE = ("yesterday", "last_week")
SIMPLER = (yesterday, level)  # what stands in, in this order, where a candidate has nothing to say

CANDIDATES: Mapping[str, Candidate] = MappingProxyType(
    {
        "yesterday": yesterday,
        "last_week": last_week,
        "week_at_level": week_at_level,
        "weekday_at_level": weekday_at_level,
        "shape_at_weekday": shape_at_weekday,
        "recent_median": recent_median,
        "weekday_median": weekday_median,
        "blended_median": blended_median,
        "alike_median": alike_median,
        "alike_mean": alike_mean,
        "alike_newest": alike_newest,
        "overall_median": overall_median,
        "last_hours": last_hours,
        "fourier": fourier,
        "smoothing": smoothing,
        "kriging_steady": rooted(STEADY),
        "kriging_noisy": rooted(NOISY),
        "kriging_weekly": rooted(WEEKLY),
        "kriging_walk": rooted(WALK),
        "kriging_steady_log": logged(STEADY),
        "kriging_noisy_log": logged(NOISY),
        "kriging_weekly_log": logged(WEEKLY),
        "kriging_walk_log": logged(WALK),
    }
)
