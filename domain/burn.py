"""Multi-window, multi-burn-rate arithmetic: how fast may an error budget of 30 days be spent.

factor = budget share * period / long window; an alert fires while both the long and the short window
exceed factor * budget. The table is that of the SRE workbook's chapter on alerting, as sloth and
kubernetes-mixin carry it:

    severity   budget used   long   short   factor
    critical   2 %           1h     5m      14.4
    critical   5 %           6h     30m     6
    warning    10 %          1d     2h      3
    warning    10 %          3d     6h      1

More than a share s of the requests take longer than a bound exactly where the quantile 1 - s of their latency lies
above it: a budget of slow requests is watched at the quantiles 1 - factor * budget, whatever the buckets are. For p95:

    factor     14.4   6     3     1
    quantile   p28    p70   p85   p95
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnWindow:
    """One row of the table."""

    long: timedelta
    short: timedelta
    factor: float

    def threshold(self, budget: float) -> float:
        """The share of bad requests that must be exceeded."""
        return round(self.factor * budget, 9)

    def quantile(self, budget: float) -> float:
        """The quantile that lies above a bound where more than the threshold's share does."""
        return round(1.0 - self.threshold(budget), 9)

    def floor(self, budget: float, min_requests: int) -> int:
        """Requests in the long window below which it says nothing: one bad request alone must never fire."""
        return max(min_requests, math.ceil(1 / self.threshold(budget) - 1e-9))


FAST = (
    BurnWindow(long=timedelta(hours=1), short=timedelta(minutes=5), factor=14.4),
    BurnWindow(long=timedelta(hours=6), short=timedelta(minutes=30), factor=6.0),
)
SLOW = (
    BurnWindow(long=timedelta(days=1), short=timedelta(hours=2), factor=3.0),
    BurnWindow(long=timedelta(days=3), short=timedelta(hours=6), factor=1.0),
)
SHORT_WINDOWS = (timedelta(minutes=30), timedelta(hours=1))
SLOW_WINDOWS = (timedelta(hours=2), timedelta(hours=6), timedelta(days=1), timedelta(days=3))


def within_reach(table: Iterable[BurnWindow], budget: float) -> tuple[BurnWindow, ...]:
    """The rows whose threshold a share can exceed: none is ever above 1."""
    return tuple(window for window in table if window.threshold(budget) < 1.0)
