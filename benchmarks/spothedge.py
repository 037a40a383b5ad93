"""SkyServe's rule (SpotHedge) in the replay of `optimizer.spot`: the baseline that spot policies are held against.

Of n wanted, `base` are always on demand; n - base + extra are asked for on spot at all times; on-demand
stands in for spot that is not ready, up to n in all (Mao et al., "SkyServe: Serving AI Models across
Regions and Clouds with Spot Instances", EuroSys 2025, arXiv 2411.01438, dynamic fallback
O(t) = min(N, N + extra - ready(t)); `base` as in SkyPilot's base_ondemand_fallback_replicas). In one zone there
is no placement to decide. The rule sees which units are ready at the end of the step, as ours does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from domain.load import LoadHistory
from optimizer.compiled import compiled
from optimizer.physics import Counts
from optimizer.spot import SpotProblem, SpotRun
from optimizer.spot.fleet import Fleet, Wish, known_counts, new_fleet, settle

MOST_EXTRA = 4


class Point(NamedTuple):
    """What one way of running costs (over all on demand) and misses (share of what that would have served)."""

    cost: float
    missed: float
    name: str


ALL_ON_DEMAND = Point(1.0, 0.0, "all on demand")


def spothedge(available: LoadHistory, wanted: Counts, problem: SpotProblem, *, extra: int, base: int) -> SpotRun:
    """The rule on a history of availability."""
    counts, known = known_counts(available)
    numbers = np.ascontiguousarray(wanted, dtype=np.int64)
    fleet = new_fleet(numbers, problem.delay(available.step))
    _run(counts, numbers, fleet, extra, base)
    return SpotRun.of(fleet, known, np.full(len(numbers), np.nan))


@compiled
def _run(counts: Counts, wanted: Counts, fleet: Fleet, extra: int, base: int) -> None:
    wish = Wish(fleet.start, 0, fleet.start)
    for t in range(len(counts)):
        spot_ready = settle(fleet, t, wish, counts[t])
        units = wanted[t]
        kept = min(base, units)
        spot = units - kept + extra
        wish = Wish(units, spot, min(units, kept + max(0, spot - spot_ready)))


def settings(units: int) -> Iterator[tuple[int, int]]:
    """Every `extra` and `base` worth trying for so many units."""
    return ((extra, base) for extra in range(MOST_EXTRA + 1) for base in range(units + 1))


def points(available: LoadHistory, wanted: Counts, problem: SpotProblem) -> list[Point]:
    """All settings of the rule, and on-demand alone."""
    found = [ALL_ON_DEMAND]
    for extra, base in settings(int(wanted.max())):
        run = spothedge(available, wanted, problem, extra=extra, base=base)
        found.append(Point(1.0 - run.saving(problem.price), run.missed_share, f"extra {extra}, base {base}"))
    return found


def at_misses(found: Sequence[Point], missed: float) -> float:
    """The least cost at this share of misses: the lower envelope of the points and of mixes of two of them over time."""
    best = min(point.cost for point in found if point.missed <= missed + 1e-12)
    for one in found:
        for other in found:
            if one.missed <= missed < other.missed:
                share = (missed - one.missed) / (other.missed - one.missed)
                best = min(best, one.cost + share * (other.cost - one.cost))
    return best
