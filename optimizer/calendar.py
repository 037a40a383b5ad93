"""The week's floor of replicas as few steps: what a schedule can do without a controller."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from domain.load import Floats
from domain.plan import CalendarStep
from optimizer.physics import Counts

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarOptions:
    """Changes happen at whole multiples of `grid`, at most `changes` of them; the floor carries quantile `level`.

    A floor stands under the live number, so it carries the usual load and no more: what is unusual is
    the live policy's to see. Of the calendars with fewer changes the shortest is taken that costs at most `slack` more than the
    best one with all of them.
    """

    level: float = 0.5
    grid: timedelta = timedelta(hours=1)
    changes: int = 14
    slack: float = 0.02


def calendar(
    wanted: Counts, start: datetime, step: timedelta, *, startup: timedelta, options: CalendarOptions
) -> tuple[CalendarStep, ...]:
    """The cheapest floor that never lies below `wanted` (replicas per `step` from `start` on).

    Exact: dynamic programming over the boundaries. Rises come `startup` early, so that the replicas
    are ready when they are needed. Empty for an empty path.
    """
    if not len(wanted):
        return ()
    begins, peaks = _blocks(wanted, start, step, options.grid)
    steps: list[CalendarStep] = []
    for first, floor in _cheapest(peaks, options):
        rises = not steps or floor > steps[-1].replicas
        added = CalendarStep(at=max(start, begins[first] - startup) if rises else begins[first], replicas=floor)
        while steps and added.at <= steps[-1].at:  # a start-up longer than the pause before: the higher floor stands
            before = steps.pop()
            added = CalendarStep(at=before.at, replicas=max(floor, before.replicas))
        steps.append(added)
    return tuple(steps)


def _blocks(wanted: Counts, start: datetime, step: timedelta, grid: timedelta) -> tuple[list[datetime], Counts]:
    """The highest number wanted in each `grid`-long block, and when each begins (the first at `start`)."""
    at = (start - EPOCH) // TICK + np.arange(len(wanted)) * (step // TICK)
    numbers = at // (grid // TICK)
    firsts = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 1))
    begins = [max(start, EPOCH + int(numbers[i]) * grid) for i in firsts]
    return begins, np.maximum.reduceat(wanted, firsts)


def _cheapest(peaks: Counts, options: CalendarOptions) -> list[tuple[int, int]]:
    """First block and replicas of each stretch of the calendar."""
    count = len(peaks)
    cost = np.full((count, count + 1), np.inf)  # cost[i, j]: one stretch over blocks i..j-1
    for i in range(count):
        cost[i, i + 1 :] = np.maximum.accumulate(peaks[i:]) * np.arange(1, count - i + 1)
    best, chosen = _layers(cost, min(options.changes + 1, count))
    good = best[:, -1] <= best[:, -1].min() * (1.0 + options.slack)
    layer, end, stretches = int(np.argmax(good)), count, []
    while end > 0:
        first = int(chosen[layer, end])
        stretches.append((first, int(peaks[first:end].max())))
        layer, end = layer - 1, first
    return stretches[::-1]


def _layers(cost: Floats, most: int) -> tuple[Floats, Counts]:
    """best[k, j]: least cost of covering the first j blocks with k+1 stretches; chosen: where the last begins."""
    count = cost.shape[0]
    best = np.full((most, count + 1), np.inf)
    chosen = np.zeros((most, count + 1), dtype=np.int64)
    best[0, 1:], best[0, 0] = cost[0, 1:], 0.0
    for k in range(1, most):
        total = best[k - 1, :-1, None] + cost
        chosen[k], best[k] = total.argmin(axis=0), total.min(axis=0)
    return best, chosen
