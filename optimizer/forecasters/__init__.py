"""The candidates among which the back-test chooses: one function a file, all in one table.

A candidate is given the days before each of several origins, newest first (NaN where nothing is
known), and answers with a path for each; it sees nothing else, so it cannot look ahead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from domain.load import Floats
from optimizer.forecasters.daily_profile import daily_profile
from optimizer.forecasters.last_week import last_week
from optimizer.forecasters.level import level
from optimizer.forecasters.week_at_level import week_at_level
from optimizer.forecasters.yesterday import yesterday

Candidate = Callable[[Floats, int], Floats]

NAIVE = ("yesterday", "last_week")

CANDIDATES: Mapping[str, Candidate] = MappingProxyType(
    {
        "level": level,
        "yesterday": yesterday,
        "last_week": last_week,
        "week_at_level": week_at_level,
        "daily_profile": daily_profile,
    }
)
