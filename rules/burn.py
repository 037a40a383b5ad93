"""Multi-window, multi-burn-rate arithmetic: how fast may an error budget of 30 days be spent.

factor = budget share * period / long window; an alert fires while both the long and the short window
exceed factor * budget. The table is that of the SRE workbook's chapter on alerting, as sloth and
kubernetes-mixin carry it:

    severity   budget used   long   short   factor
    critical   2 %           1h     5m      14.4
    critical   5 %           6h     30m     6
    warning    10 %          1d     2h      3
    warning    10 %          3d     6h      1
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

from domain.workload import Slo


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnWindow:
    """One row of the table."""

    long: timedelta
    short: timedelta
    factor: float

    def threshold(self, slo: Slo) -> float:
        """The ratio of failed requests that must be exceeded."""
        return self.factor * slo.budget

    def floor(self, slo: Slo, min_requests: int) -> int:
        """Requests in the long window below which it says nothing: one failure alone must never fire."""
        return max(min_requests, math.ceil(1 / self.threshold(slo) - 1e-9))


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
