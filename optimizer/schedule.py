"""A week of replicas without a controller: a schedule that holds the SLO by itself, built from history alone.

The highest load of each hour, seen in several ways (the last day, the highest of the last three or seven
days, last week, the highest of two weeks, one number for all hours) and times a factor. Which way and
which factor is read off history: each is drawn up as of every past day for the week after it and
its misses counted; the cheapest that stays within the error budget is taken, or where none does the
one that is cheapest when a miss costs three times the budget's own price. The week's hours are then gathered into few stretches (`optimizer.calendar`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from domain.load import LoadHistory
from domain.plan import CalendarStep
from optimizer.calendar import EPOCH, CalendarOptions, calendar
from optimizer.compiled import compiled
from optimizer.physics import Counts, Floats
from optimizer.promise import SANE
from optimizer.scaling import ScalingProblem

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
FACTORS = np.array([0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0])
MARGIN = 0.85  # of the error budget, as the live policy's pacing
WAYS = (
    "the last day",
    "the highest of the last 3 days",
    "the highest of the last 7 days",
    "last week",
    "the highest of the last 2 weeks",
    "one number for all hours",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Replicas of the week from `start` on; `missed_share` is what the way it was drawn up missed on the past.

    None where there was no past day to try it on. `within` says whether that is inside the budget.
    """

    start: datetime
    steps: tuple[CalendarStep, ...]
    way: str
    factor: float
    missed_share: float | None
    within: bool

    @property
    def detail(self) -> str:
        """How it was drawn up, for a person."""
        changes = f"{len(self.steps) - 1} changes a week" if len(self.steps) > 1 else "no change"
        return f"{self.way} x {self.factor:g} for each hour, {changes}"


def schedule(history: LoadHistory, problem: ScalingProblem, options: CalendarOptions, /) -> Schedule | None:
    """The schedule of the week after `history` (requests/s; gaps teach nothing); None where no load is known."""
    load = history.values / problem.capacity_rps
    if not np.isfinite(load).any():
        return None
    grid = max(options.grid, history.step)
    hours = _hours(history, grid)
    peaks = _peaks(load, hours)
    day, week = max(1, DAY // grid), max(1, WEEK // grid)
    before = int((history.start - EPOCH) // grid)
    end = max(1, int((history.end - EPOCH) // grid) - before)
    paths = np.array([_ways(peaks[:origin], day, week) for origin in range(end, 0, -day)][::-1])
    origins = np.array(range(end, 0, -day)[::-1], dtype=np.int64)
    most = math.inf if problem.max_replicas is None else problem.max_replicas
    bounds = (float(problem.min_replicas), float(most))
    tried = _tried(Past(load, hours, origins[:-1]), paths[:-1], FACTORS, bounds)
    way, factor, missed, within = _chosen(*tried, 1.0 - problem.attainment)
    wanted = np.ceil(paths[-1, way] * FACTORS[factor] - 1e-9).astype(np.int64)
    bounded = np.clip(wanted, problem.min_replicas, problem.max_replicas)
    begin = EPOCH + (before + end) * grid
    steps = calendar(bounded, begin, grid, startup=problem.startup, options=replace(options, grid=grid))
    return Schedule(
        start=history.end,
        steps=(replace(steps[0], at=history.end), *(each for each in steps[1:] if each.at > history.end)),
        way=WAYS[way],
        factor=float(FACTORS[factor]),
        missed_share=missed,
        within=within,
    )


def scheduled(
    history: LoadHistory, problem: ScalingProblem, options: CalendarOptions, /, *, first: int
) -> ScheduledPast:
    """What schedules alone would have wanted at the end of each step: drawn up anew each week, nothing later seen.

    The first is drawn up early enough to be ready at step `first`; before it the least number runs.
    """
    lead = int(problem.startup / history.step) + 1
    weekly = max(1, WEEK // history.step)
    wanted = np.full(len(history), max(1, problem.min_replicas), dtype=np.int64)
    drawn: list[Schedule] = []
    for number, due in enumerate(range(first, len(history), weekly)):
        origin = max(1, first - lead) if number == 0 else due
        seen = LoadHistory(start=history.start, step=history.step, values=history.values[:origin])
        made = schedule(seen, problem, options)
        if made is None:
            continue
        drawn.append(made)
        stands = min(due + weekly, len(history) + 1) - origin
        wanted[origin - 1 : origin - 1 + stands] = _over(made, history.step, stands)
    return ScheduledPast(wanted=wanted, drawn=tuple(drawn))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScheduledPast:
    """`wanted[i]`: replicas wanted at the end of step i, and the schedules that said so."""

    wanted: Counts
    drawn: tuple[Schedule, ...]


def _over(made: Schedule, step: timedelta, count: int) -> Counts:
    """The highest number in force during each of `count` steps from its start on: a rise is paid from its step's start."""
    begins = np.array([(each.at - made.start) / step for each in made.steps])
    numbers = np.array([each.replicas for each in made.steps], dtype=np.int64)
    places = np.arange(count)
    wanted = numbers[np.searchsorted(begins, places, side="right") - 1]
    for begin, number in zip(begins, numbers, strict=True):
        if begin % 1 > 0 and int(begin) < count:
            wanted[int(begin)] = max(wanted[int(begin)], number)
    return wanted


def _hours(history: LoadHistory, grid: timedelta) -> Counts:
    """Which hour of the clock each step begins in, counted from the history's first."""
    micro = timedelta(microseconds=1)
    begin, each, long = (history.start - EPOCH) // micro, history.step // micro, grid // micro
    index = (begin + each * np.arange(len(history), dtype=np.int64)) // long
    return np.asarray(index - begin // long, dtype=np.int64)


def _peaks(load: Floats, hours: Counts) -> Floats:
    """Highest known load of each hour; NaN where none is known."""
    peaks = np.full(int(hours[-1]) + 1, -np.inf)
    known = np.isfinite(load)
    np.maximum.at(peaks, hours[known], load[known])
    return np.where(np.isfinite(peaks), peaks, np.nan)


def _ways(peaks: Floats, day: int, week: int) -> Floats:
    """Each way of seeing the week after `peaks`, shape (ways, hours of a week); what is not known is the last known maximum."""
    recent, known = peaks[-week:], peaks[np.isfinite(peaks)]
    top = float((recent[np.isfinite(recent)] if np.isfinite(recent).any() else known).max(initial=0.0))
    hours = np.arange(week)

    def days(count: int) -> Floats:
        back = len(peaks) + hours % day - day * (1 + np.arange(count))[:, None]
        return _highest(np.where(back >= 0, peaks[np.maximum(back, 0)], np.nan))

    def weeks(count: int) -> Floats:
        back = len(peaks) + hours - week * (1 + np.arange(count))[:, None]
        return _highest(np.where(back >= 0, peaks[np.maximum(back, 0)], np.nan))

    seven = _first(days(7), np.full(week, top))
    rows = (days(1), days(3), seven, weeks(1), weeks(2), np.full(week, top))
    return np.array([_first(row, seven) for row in rows])


def _highest(rows: Floats) -> Floats:
    peaks: Floats = np.where(np.isfinite(rows), rows, -np.inf).max(axis=0)
    return np.where(np.isfinite(peaks), peaks, np.nan)


def _first(row: Floats, other: Floats) -> Floats:
    return np.where(np.isfinite(row), row, other)


class Past(NamedTuple):
    """Load in replicas, the hour that each step begins in, and the hours from which schedules are drawn up."""

    load: Floats
    hours: Counts
    origins: Counts


@compiled
def _tried(past: Past, paths: Floats, factors: Floats, bounds: tuple[float, float]) -> tuple[Floats, Floats, float]:
    """Cost and misses of every way and factor within `bounds`, (ways, factors), in the weeks after all origins, and the load in them."""
    load, hours, origins = past
    ways, week = paths.shape[1], paths.shape[2]
    cost, missed = np.zeros((ways, len(factors))), np.zeros((ways, len(factors)))
    total = 0.0
    for k in range(len(origins)):
        for t in range(np.searchsorted(hours, origins[k]), len(load)):
            ahead = hours[t] - origins[k]
            if ahead >= week:
                break
            if np.isnan(load[t]):
                continue
            total += load[t]
            for w in range(ways):
                for f in range(len(factors)):
                    level = min(max(bounds[0], np.ceil(paths[k, w, ahead] * factors[f] - 1e-9)), bounds[1])
                    cost[w, f] += level
                    missed[w, f] += max(0.0, load[t] - level)
    return cost, missed, total


def _chosen(cost: Floats, missed: Floats, total: float, budget: float) -> tuple[int, int, float | None, bool]:
    """The cheapest way and factor within the budget; else the cheapest with its misses at a price in proportion to it."""
    if total <= 0.0:
        return WAYS.index("one number for all hours"), int(np.argmin(np.abs(FACTORS - 1.5))), None, False
    shares = missed / total
    good = shares <= MARGIN * budget
    best = np.argmin(np.where(good, cost, np.inf) if good.any() else cost + SANE / budget * missed)
    way, factor = divmod(int(best), len(FACTORS))
    return way, factor, float(shares[way, factor]), bool(good.any())
