"""What one replica carries within its latency SLO: declared, or learned from production.

Pairs (load per ready replica, latency quantile) of the history, outages and start-ups left out, are
fitted by a queueing curve L(x) = a + b*x/(c - x), the waiting of an M/M/1 server with a base time `a`
and a ceiling `c` (requests/s), and the curve is read where it crosses the SLO. Where production never
came near that point the answer is a lower bound: "at least X, never observed above".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.capacity import CapacityBasis, CapacityModel
from domain.load import Floats, LoadHistory
from domain.observation import Observation
from domain.unknown import Unknown
from optimizer.pairing import on_grid_of

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityOptions:
    """How capacity is learned. A step with more than `outage_errors` failing is an outage.

    The curve counts as seen where the SLO is crossed at most `reach` times the highest usual load.
    `resamples` of whole days give the interval; `seed` makes them repeatable.
    """

    outage_errors: float = 0.05
    reach: float = 1.1
    min_pairs: int = 50
    bins: int = 40
    resamples: int = 40
    interval: float = 0.9
    seed: int = 20_261_123


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """Steps that say something about capacity: requests/s per ready replica, seconds, and the day each is of."""

    load_rps: Floats
    latency_s: Floats
    day: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.load_rps)

    def days(self, chosen: NDArray[np.int64]) -> Pairs:
        """The pairs of these days, as often as each is named."""
        rows = np.concatenate([np.flatnonzero(self.day == day) for day in chosen])
        return Pairs(load_rps=self.load_rps[rows], latency_s=self.latency_s[rows], day=self.day[rows])


@dataclass(frozen=True, slots=True)
class Curve:
    """L(x) = base_s + wait_s * x / (ceiling_rps - x) for x < ceiling_rps."""

    base_s: float
    wait_s: float
    ceiling_rps: float

    def load_at(self, latency_s: float) -> float:
        """The load at which this latency is reached; 0 where even an idle replica is slower."""
        over = latency_s - self.base_s
        return 0.0 if over <= 0 else self.ceiling_rps * over / (over + self.wait_s)


def capacity_of(observation: Observation, options: CapacityOptions) -> CapacityModel | Unknown:
    """The capacity of one replica; Unknown says what is missing."""
    declared = observation.declared_capacity_rps
    if not isinstance(declared, Unknown):
        said = f"declared: {declared:g} requests/s for one replica"
        return CapacityModel(
            rate_rps=declared, low_rps=declared, high_rps=declared, basis=CapacityBasis.DECLARED, detail=said
        )
    pairs = pairs_of(observation, options)
    if isinstance(pairs, Unknown):
        return Unknown(f"no capacity is declared, and it cannot be learned: {pairs.reason}")
    return learned(pairs, observation.workload.slo.latency.total_seconds(), options)


def pairs_of(observation: Observation, options: CapacityOptions) -> Pairs | Unknown:
    """Known, busy, healthy and settled steps. A gap in any of the signals leaves its step out."""
    load, replicas, latency = observation.load, observation.replicas, observation.latency
    if isinstance(load, Unknown):
        return Unknown(f"load: {load.reason}")
    if isinstance(replicas, Unknown):
        return Unknown(f"ready replicas: {replicas.reason}")
    if isinstance(latency, Unknown):
        return Unknown(f"latency: {latency.reason}")
    seen = load.until(observation.observed_at)
    ready, slow = on_grid_of(seen, replicas), on_grid_of(seen, latency)
    usable = np.isfinite(seen.values) & np.isfinite(slow) & (np.nan_to_num(ready) > 0) & (np.nan_to_num(slow) > 0)
    usable &= (np.nan_to_num(seen.values) > 0) & settled(ready, observation.time_to_ready.p90, seen.step)
    if isinstance(observation.errors, LoadHistory):
        usable &= ~(on_grid_of(seen, observation.errors) > options.outage_errors)
    if usable.sum() < options.min_pairs:
        return Unknown(f"{int(usable.sum())} steps with load, latency and replicas; needed: {options.min_pairs}")
    per_day = timedelta(days=1) / seen.step
    day = (np.flatnonzero(usable) // max(1.0, per_day)).astype(np.int64)
    return Pairs(load_rps=seen.values[usable] / ready[usable], latency_s=slow[usable], day=day)


def settled(ready: Floats, startup: timedelta, step: timedelta) -> Bools:
    """Steps with no change of replicas in them, nor within a start-up time before them."""
    changed = np.concatenate([[True], ~(np.diff(ready) == 0)])
    span = 1 + max(1, round(startup / step))
    disturbed = np.convolve(changed, np.ones(span))[: len(ready)] > 0
    calm: Bools = ~disturbed
    return calm


def learned(pairs: Pairs, slo_s: float, options: CapacityOptions) -> CapacityModel | Unknown:
    """The load at which the fitted curve meets the SLO, with an interval, or a lower bound of it."""
    usual = float(np.quantile(pairs.load_rps, 0.99))
    held = highest_held(pairs, slo_s, options)
    curve = fitted(pairs, slo_s, options)
    crossing = curve.load_at(slo_s) if curve else float("inf")
    if held == 0.0 and crossing == 0.0:
        return Unknown(
            f"the latency was above its SLO of {slo_s:g} s at every load seen, so no load is known to hold it"
        )
    if crossing > options.reach * usual:
        said = f"at least {held:.3g} requests/s, never observed above; a load test would tell more"
        return CapacityModel(rate_rps=held, low_rps=held, high_rps=None, basis=CapacityBasis.LOWER_BOUND, detail=said)
    low, high = interval(pairs, slo_s, options)
    said = f"learned from {len(pairs)} steps: latency reaches {slo_s:g} s at {crossing:.3g} requests/s"
    return CapacityModel(
        rate_rps=crossing,
        low_rps=min(low, crossing),
        high_rps=max(high, crossing),
        basis=CapacityBasis.LEARNED,
        detail=said,
    )


def highest_held(pairs: Pairs, slo_s: float, options: CapacityOptions) -> float:
    """The highest load, as medians of equally filled bins, up to which the latency held its SLO; 0 if none."""
    load, latency = binned(pairs, options.bins)
    held = latency <= slo_s
    first_miss = int(np.argmin(held)) if not held.all() else len(held)
    return float(load[first_miss - 1]) if first_miss else 0.0


def binned(pairs: Pairs, bins: int) -> tuple[Floats, Floats]:
    """Medians of load and latency in bins of equal numbers of steps, by rising load."""
    order = np.argsort(pairs.load_rps, kind="stable")
    parts = np.array_split(order, min(bins, len(order)))
    load = np.array([np.median(pairs.load_rps[part]) for part in parts])
    return load, np.array([np.median(pairs.latency_s[part]) for part in parts])


def fitted(pairs: Pairs, slo_s: float, options: CapacityOptions, start: Curve | None = None) -> Curve | None:
    """Robust least squares of log latency on binned medians; None where they do not carry three numbers.

    Bins over three times the SLO are saturated (their latency says how long it lasted, not how much
    load there was) and take no part.
    """
    from scipy.optimize import least_squares  # noqa: PLC0415  heavy: only who learns pays

    load, latency = binned(pairs, options.bins)
    steady = latency <= 3 * slo_s
    if steady.sum() < 4 or np.ptp(load[steady]) == 0:
        return None
    load, latency = load[steady], latency[steady]
    top, floor = float(load.max()), float(latency.min())
    first = start or Curve(0.9 * floor, 0.1 * floor, 1.5 * top)

    def residuals(logs: Floats) -> Any:
        base, wait, room = np.exp(logs)
        return np.log(base + wait * load / (top * (1.0 + room) - load)) - np.log(latency)

    guess = np.log([first.base_s, first.wait_s, max(first.ceiling_rps / top - 1.0, 2e-3)])
    bounds = (np.log([1e-6, 1e-9, 1e-3]), np.log([float(latency.max()), 1e3 * float(latency.max()), 1e3]))
    found = least_squares(residuals, np.clip(guess, *bounds), bounds=bounds, loss="soft_l1", f_scale=0.1, max_nfev=200)
    base, wait, room = (float(value) for value in np.exp(found.x))
    return Curve(base, wait, top * (1.0 + room))


def interval(pairs: Pairs, slo_s: float, options: CapacityOptions) -> tuple[float, float]:
    """Bootstrap over whole days (days differ more than minutes do): the crossing's central range."""
    rng = np.random.default_rng(options.seed)
    days = np.unique(pairs.day)
    start = fitted(pairs, slo_s, options)
    crossings = []
    for _ in range(options.resamples):
        curve = fitted(pairs.days(rng.choice(days, len(days))), slo_s, options, start)
        if curve is not None:
            crossings.append(curve.load_at(slo_s))
    tail = (1.0 - options.interval) / 2
    low, high = np.quantile(crossings or [start.load_at(slo_s) if start else 0.0], [tail, 1.0 - tail])
    return float(low), float(high)
