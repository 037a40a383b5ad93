"""The steps of a history that say something about capacity: load per ready replica against latency."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from domain.load import Floats, LoadHistory
from domain.observation import Observation
from domain.signals import Signal
from domain.unknown import Unknown
from optimizer.capacity.options import CapacityOptions
from optimizer.pairing import on_grid_of

Bools = NDArray[np.bool_]
Counts = NDArray[np.int64]

DAY = timedelta(days=1)
DAYS = 3  # fewer days than this are no sample of days
BLOCKS = 10  # into which a shorter history is cut instead
OVERLOADED = 3.0  # times the SLO: such a latency says how long an overload lasted, not how much load there was


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """Steps by rising time: load (requests/s per ready replica), latency (s), and the step each is of.

    `served_rps` is what was answered of the load: less than it while a queue grows. `saturated` marks steps in which
    one grew beyond chance. `per_day` steps make a day, and `lead` of them lie between midnight (UTC) and the history's
    begin: days are those of the calendar, so that they stay the same while the history moves on.
    """

    load_rps: Floats
    latency_s: Floats
    served_rps: Floats
    saturated: Bools
    step: Counts
    per_day: float
    lead: float = 0.0

    def __len__(self) -> int:
        return len(self.load_rps)

    @property
    def day(self) -> Counts:
        """The day of each pair; 0 is that of the history's begin."""
        days: Counts = ((self.step + self.lead) // max(1.0, self.per_day)).astype(np.int64)
        return days

    def begin_of(self, day: int) -> int:
        """The first step of a day; that of the history for its first one."""
        return max(0, math.ceil(day * max(1.0, self.per_day) - self.lead))

    @property
    def groups(self) -> Counts:
        """What is held out or drawn as one: days (they differ more than minutes do), or blocks of a short history."""
        if len(np.unique(self.day)) >= DAYS:
            return self.day
        return np.arange(len(self)) * BLOCKS // max(1, len(self))

    def rows(self, chosen: Counts | Bools) -> Pairs:
        """The pairs at these places."""
        return Pairs(
            load_rps=self.load_rps[chosen],
            latency_s=self.latency_s[chosen],
            served_rps=self.served_rps[chosen],
            saturated=self.saturated[chosen],
            step=self.step[chosen],
            per_day=self.per_day,
            lead=self.lead,
        )

    def since(self, step: int) -> Pairs:
        """The pairs from a step of the history on."""
        return self.rows(self.step >= step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """One latency that is promised: what it is called, its bound in seconds, and what was seen of it."""

    name: str
    slo_s: float
    latency: LoadHistory | Unknown


def bounds_of(observation: Observation) -> tuple[Bound, ...]:
    """Every latency that the workload promises."""
    seen = {
        Signal.LATENCY: ("latency", observation.latency),
        Signal.TIME_TO_FIRST_TOKEN: ("time to first token", observation.first_token),
        Signal.INTER_TOKEN_LATENCY: ("inter-token latency", observation.inter_token),
    }
    return tuple(
        Bound(name=seen[signal][0], slo_s=bound.total_seconds(), latency=seen[signal][1])
        for signal, bound in observation.workload.slo.latency_bounds.items()
    )


def pairs_of(observation: Observation, bound: Bound, options: CapacityOptions) -> Pairs | Unknown:
    """Known, busy, healthy and settled steps. A gap in any of the signals leaves its step out.

    So does a queue that drains: more is being served then than arrives, and the latency is that of an earlier load.
    """
    load, replicas, latency = observation.load, observation.replicas, bound.latency
    for name, signal in (("load", load), ("ready replicas", replicas), (bound.name, latency)):
        if isinstance(signal, Unknown):
            return Unknown(f"{name}: {signal.reason}")
    assert isinstance(load, LoadHistory)  # noqa: S101  the loop looked
    assert isinstance(replicas, LoadHistory)  # noqa: S101
    assert isinstance(latency, LoadHistory)  # noqa: S101
    seen = load.until(observation.observed_at)
    ready, slow = on_grid_of(seen, replicas), on_grid_of(seen, latency)
    growth = queue_growth(seen, observation.waiting)
    served = seen.values - np.nan_to_num(growth)
    limit = backlog_limit(served, seen.step_s, options)
    usable = np.isfinite(seen.values) & np.isfinite(slow) & (np.nan_to_num(ready) > 0) & (np.nan_to_num(slow) > 0)
    usable &= (np.nan_to_num(seen.values) > 0) & settled(ready, observation.time_to_ready.p90, seen.step)
    usable &= ~drained(seen.values, slow, growth, limit, bound.slo_s)
    if isinstance(observation.errors, LoadHistory):
        usable &= ~(on_grid_of(seen, observation.errors) > options.outage_errors)
    if usable.sum() < options.min_pairs:
        return Unknown(f"{int(usable.sum())} steps with load, latency and replicas; needed: {options.min_pairs}")
    return Pairs(
        load_rps=seen.values[usable] / ready[usable],
        latency_s=slow[usable],
        served_rps=served[usable] / ready[usable],
        saturated=(growth > limit)[usable],
        step=np.flatnonzero(usable).astype(np.int64),
        per_day=DAY / seen.step,
        lead=(seen.start - seen.start.replace(hour=0, minute=0, second=0, microsecond=0)) / seen.step,
    )


def settled(ready: Floats, startup: timedelta, step: timedelta) -> Bools:
    """Steps with no change of replicas in them, nor within a start-up time before them."""
    changed = np.concatenate([[True], ~(np.diff(ready) == 0)])
    span = 1 + max(1, round(startup / step))
    disturbed = np.convolve(changed, np.ones(span))[: len(ready)] > 0
    calm: Bools = ~disturbed
    return calm


def queue_growth(load: LoadHistory, waiting: LoadHistory | Unknown) -> Floats:
    """Requests/s by which the queue grew in each step; NaN where it is not known."""
    if isinstance(waiting, Unknown):
        return np.full(len(load), np.nan)
    held = on_grid_of(load, waiting)
    growth: Floats = np.diff(held, prepend=np.nan) / load.step_s
    return growth


def backlog_limit(served_rps: Floats, step_s: float, options: CapacityOptions) -> Floats:
    """The growth (requests/s) that is more than chance: a share of what was served, and three Poisson deviations."""
    count = np.maximum(np.nan_to_num(served_rps) * step_s, 1.0)
    limit: Floats = np.maximum(options.backlog * count, 3.0 * np.sqrt(count)) / step_s
    return limit


def drained(load_rps: Floats, latency_s: Floats, growth: Floats, limit: Floats, slo_s: float) -> Bools:
    """Steps whose latency is that of an earlier load.

    Their queue drains or, where no queue is known, the load fell right after an overloaded step.
    """
    before = np.concatenate([[np.nan], latency_s[:-1]])
    fell = np.diff(load_rps, prepend=np.nan) < 0
    suspect: Bools = np.where(np.isfinite(growth), growth < -limit, fell & (before > OVERLOADED * slo_s))
    return suspect
