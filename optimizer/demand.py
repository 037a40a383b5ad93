"""What has to be served over a stretch of time, as every way of serving is priced from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from domain.load import Floats, Forecast, LoadHistory
from optimizer.margin import NOT_LATE, Late
from optimizer.physics import Counts, StartUp

MEDIAN = 0.5  # a plan for less than the usual load is none


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """What turns load into replicas: one replica's requests/s, its start-up, the bounds, and how often is decided."""

    capacity_rps: float
    startup: timedelta
    min_replicas: int
    max_replicas: int | None
    decision_interval: timedelta = timedelta(seconds=60)

    def replicas(self, load_rps: Floats, step: timedelta) -> Counts:
        """Whole replicas per step, started early enough and kept over gaps shorter than a start-up.

        Holding a replica through the time it would take to start it again is free of charge compared
        with letting it go (the physics of `optimizer.physics`).
        """
        needed = np.ceil(load_rps / self.capacity_rps - 1e-9)
        lead = StartUp.of(self.startup, step).lead
        padded = np.concatenate([needed, np.zeros(lead - 1)])
        held = np.lib.stride_tricks.sliding_window_view(padded, lead).max(axis=1)
        bounded: Counts = np.clip(held, self.min_replicas, self.max_replicas).astype(np.int64)
        return bounded


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spread:
    """How often each of these sizes is held: rising `values`, and `weights` that add up to 1."""

    values: Floats
    weights: Floats

    @classmethod
    def of(cls, values: NDArray[np.int64] | Floats) -> Spread:
        """ValueError for no values at all."""
        if not len(values):
            raise ValueError("a spread needs at least one value")
        levels, counts = np.unique(np.asarray(values, dtype=np.float64), return_counts=True)
        return cls(values=levels, weights=counts / counts.sum())

    @property
    def mean(self) -> float:
        return float(self.values @ self.weights)

    def in_units_of(self, size: int) -> Spread:
        """The whole units of `size` each that hold these numbers."""
        return replace(self, values=np.ceil(self.values / size - 1e-9))

    def thinned(self, most: int = 12) -> Spread:
        """At most so many sizes in place of these, each the mean of an equal part of the time."""
        if len(self.values) <= most:
            return self
        edges = np.searchsorted(np.cumsum(self.weights), np.arange(1, most) / most)
        groups = np.searchsorted(np.unique(edges), np.arange(len(self.values)), side="left")
        weights = np.bincount(groups, weights=self.weights).astype(np.float64)
        return Spread(values=np.bincount(groups, weights=self.weights * self.values) / weights, weights=weights)

    def grown(self, factor: float, least: int, most: int | None) -> Spread:
        """These sizes times `factor`, whole again: each is rounded up for the part of its time that makes the mean right."""
        exact = np.clip(self.values * factor, least, most)
        low = np.floor(exact + 1e-9)
        up = np.clip(exact - low, 0.0, 1.0)
        values, where = np.unique(np.concatenate([low, low + 1.0]), return_inverse=True)
        parts = np.concatenate([self.weights * (1.0 - up), self.weights * up])
        weights = np.bincount(where, weights=parts).astype(np.float64)
        taken = weights > 0
        return Spread(values=values[taken], weights=weights[taken])

    def exceeding(self, share: float) -> float:
        """The largest value that is reached for at least `share` of the time; 0 if none is."""
        reached = np.cumsum(self.weights[::-1])[::-1] >= share - 1e-12
        return float(self.values[reached].max()) if reached.any() else 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Demand:
    """Load and the replicas wanted for it. `rate_rps` is the mean, `peak_rps` the most that must be carried.

    `replicas` is the spread of the replicas that scaling holds, `base` that of those it is sure to
    hold (what may be bought in advance). `arrivals` are the recorded requests/s per step (NaN where
    unknown) whose pauses decide about cold starts; `load_rps` is the mean load per step, `hourly_rps` that
    of each hour of the day (UTC). `drawn_rps` are the levels that a share of a host is drawn to over time; None
    draws it to the peak. `late_scaled` is the share of requests that may well be answered over the SLO's latency
    where replicas follow the load, `late_on_share` that on a share of a host.
    """

    rate_rps: float
    peak_rps: float
    load_rps: Floats
    replicas: Spread
    base: Spread
    arrivals: LoadHistory
    hourly_rps: Floats
    drawn_rps: Spread | None = None
    late_scaled: Late = NOT_LATE
    late_on_share: Late = NOT_LATE

    def beyond(self, capacity_rps: float) -> float:
        """Share of the requests that comes over this capacity."""
        total = float(self.load_rps.sum())
        return float(np.maximum(0.0, self.load_rps - capacity_rps).sum()) / total if total > 0 else 0.0


def expected(
    forecast: Forecast, sizing: Sizing, arrivals: LoadHistory, *, level: float, base: float, scale: float = 1.0
) -> Demand:
    """The demand that `forecast` sees at quantile `level`, all load times `scale`."""
    path = forecast.at(level) * scale
    sure = forecast.at(base) * scale
    return Demand(
        rate_rps=float(np.mean(forecast.mean)) * scale,
        peak_rps=float(np.max(path)),
        load_rps=forecast.mean * scale,
        replicas=Spread.of(sizing.replicas(path, forecast.step)),
        base=Spread.of(np.minimum(sizing.replicas(sure, forecast.step), sizing.replicas(path, forecast.step))),
        arrivals=arrivals if scale == 1.0 else replace(arrivals, values=arrivals.values * scale),
        hourly_rps=by_hour(LoadHistory(start=forecast.origin, step=forecast.step, values=forecast.mean * scale)),
    )


def measured(arrivals: LoadHistory, wanted: Counts) -> Demand:
    """The demand of a stretch of history whose load is known where not NaN, with the replicas `wanted` then."""
    known = np.isfinite(arrivals.values)
    if not known.any():
        raise ValueError("no load is known in the stretch to be priced")
    spread = Spread.of(wanted[known])
    return Demand(
        rate_rps=float(arrivals.values[known].mean()),
        peak_rps=float(arrivals.values[known].max()),
        load_rps=arrivals.values[known],
        replicas=spread,
        base=spread,
        arrivals=arrivals,
        hourly_rps=by_hour(arrivals),
    )


def by_hour(load: LoadHistory) -> Floats:
    """Mean requests/s in each hour of the day (UTC); the mean of all hours where one was never seen.

    A step counts for the hour that it begins in. Gaps are left out.
    """
    known = np.flatnonzero(np.isfinite(load.values))
    hour = ((load.start.timestamp() + known * load.step_s) // 3600).astype(np.int64) % 24
    steps = np.bincount(hour, minlength=24)
    sums = np.bincount(hour, weights=load.values[known], minlength=24)
    overall = float(load.values[known].mean()) if len(known) else 0.0
    return np.asarray(np.where(steps > 0, sums / np.maximum(steps, 1), overall))


def within_budget(forecast: Forecast, budget: float) -> float:
    """The lowest level of `forecast` at which capacity misses at most the share `budget` of requests.

    Expected misses above the path q(level) are the integral of the quantile function above it
    (trapezoid between the levels, the top level's step repeated once for what lies beyond it); the
    highest level where none is enough.
    """
    total = max(float(forecast.mean.sum()), 1e-12)
    levels, rows = np.array(forecast.levels), forecast.quantiles
    beyond = rows[-1] + (rows[-1] - rows[-2]) if len(rows) > 1 else rows[-1]
    grid, paths = np.append(levels, 1.0), np.vstack([rows, beyond])
    for i, level in enumerate(levels[:-1]):
        over = paths[i:] - paths[i]
        missed = float((np.diff(grid[i:])[:, None] * (over[1:] + over[:-1]) / 2).sum())
        if level >= MEDIAN and missed <= budget * total:
            return float(level)
    return float(levels[-1])
