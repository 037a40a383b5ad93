"""Costs of a day that are far from a workload's own last days."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from dashboards.report.aims import UnusualCost
from domain.unknown import Unknown

FEWEST_DAYS = 7
SPREADS = 5.0  # of the median absolute deviation, scaled to a standard deviation of a normal distribution
SCALE = 1.4826
SMALLEST_SHARE, SMALLEST_USD = 0.25, 1.0  # of the usual cost, and dollars, that are worth a look


def unusual(today: Mapping[str, float | Unknown], earlier: Mapping[str, Sequence[float]]) -> Iterator[UnusualCost]:
    """Workloads whose cost today lies further from the median of their earlier days than chance explains, largest first.

    The bound is Hampel's: a number of scaled median absolute deviations, which single odd days do not move.
    """
    found = []
    for workload, cost in today.items():
        days = earlier.get(workload, ())
        if isinstance(cost, Unknown) or len(days) < FEWEST_DAYS:
            continue
        usual = float(np.median(days))
        spread = SCALE * float(np.median(np.abs(np.asarray(days) - usual)))
        bound = max(SPREADS * spread, SMALLEST_SHARE * usual, SMALLEST_USD)
        if abs(cost - usual) > bound:
            found.append(
                UnusualCost(workload=workload, cost=cost, usual=usual, low=min(days), high=max(days), days=len(days))
            )
    yield from sorted(found, key=lambda each: (-abs(each.cost - each.usual), each.workload))
