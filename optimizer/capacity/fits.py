"""Two ways to draw latency over load: a queueing curve, and a staircase that only rises.

Both see medians of bins of equal numbers of steps, so that single odd steps weigh nothing. The curve is the waiting of
an M/M/1 server with a base time and a ceiling (Kleinrock, Queueing Systems I, 3.2); it can say what lies a little beyond
the highest load seen. The staircase (isotonic regression, Ayer et al. 1955) assumes no more than that load never makes a
server faster; it can not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from domain.load import Floats
from optimizer.capacity.options import CapacityOptions
from optimizer.capacity.pairs import OVERLOADED, Pairs

STEPS_IN_A_BIN, FEWEST_BINS = 5, 8  # fewer steps have no median worth the name; fewer bins draw no curve
FEWEST_SATURATED = 3  # steps from which on a ceiling is taken as seen
CEILING_WEIGHT = 3.0  # of a seen ceiling against one bin


class Fit(Protocol):
    """Latency over load, and load over latency."""

    def at(self, load_rps: Floats, /) -> Floats:
        """Seconds at these loads; inf where no latency is steady."""
        ...

    def load_at(self, latency_s: float, /) -> float:
        """The load at which this latency is reached: 0 if even an idle replica is slower, inf if it never is."""
        ...


@dataclass(frozen=True, slots=True)
class Curve:
    """L(x) = base_s + wait_s * x / (ceiling_rps - x) for x < ceiling_rps."""

    base_s: float
    wait_s: float
    ceiling_rps: float

    def at(self, load_rps: Floats, /) -> Floats:
        below = np.minimum(load_rps, self.ceiling_rps * (1 - 1e-9))
        steady = self.base_s + self.wait_s * below / (self.ceiling_rps - below)
        found: Floats = np.where(load_rps < self.ceiling_rps, steady, np.inf)
        return found

    def load_at(self, latency_s: float, /) -> float:
        over = latency_s - self.base_s
        return 0.0 if over <= 0 else self.ceiling_rps * over / (over + self.wait_s)


@dataclass(frozen=True, slots=True, eq=False)
class Staircase:
    """Rising latencies at rising loads; straight lines (in the logarithm of latency) between them."""

    load_rps: Floats
    latency_s: Floats

    def at(self, load_rps: Floats, /) -> Floats:
        found: Floats = np.exp(np.interp(load_rps, self.load_rps, np.log(self.latency_s)))
        return found

    def load_at(self, latency_s: float, /) -> float:
        over = np.flatnonzero(self.latency_s > latency_s)
        if not len(over):
            return float("inf")
        first = int(over[0])
        if first == 0:
            return 0.0
        logs = np.log(self.latency_s[[first - 1, first]])
        share = (np.log(latency_s) - logs[0]) / (logs[1] - logs[0])
        return float(self.load_rps[first - 1] + share * (self.load_rps[first] - self.load_rps[first - 1]))


Fitter = Callable[[Pairs, float, CapacityOptions, "Fit | None"], "Fit | None"]
"""Fits pairs for an SLO in seconds, beginning at a fit of much the same pairs where there is one."""


def binned(pairs: Pairs, bins: int) -> tuple[Floats, Floats]:
    """Medians of load and latency by rising load, in bins of (nearly) equal numbers of steps: `bins`, or fewer of a few steps."""
    by_load = np.argsort(pairs.load_rps, kind="stable")
    count = max(1, min(bins, max(FEWEST_BINS, len(by_load) // STEPS_IN_A_BIN), len(by_load)))
    edges = np.linspace(0, len(by_load), count + 1).astype(np.int64)
    first, last = edges[:-1], edges[1:] - 1
    lower, upper = (first + last) // 2, (first + last + 1) // 2
    load = pairs.load_rps[by_load]
    in_bin = np.repeat(np.arange(len(first)), np.diff(edges))
    latency = pairs.latency_s[by_load]
    latency = latency[np.lexsort((latency, in_bin))]
    return (load[lower] + load[upper]) / 2, (latency[lower] + latency[upper]) / 2


def queueing(pairs: Pairs, slo_s: float, options: CapacityOptions, start: Fit | None = None) -> Curve | None:
    """Robust least squares of log latency on binned medians; None where they do not carry three numbers.

    Overloaded bins take no part. What replicas served while their queue grew is the ceiling itself, and is fitted along.
    """
    from scipy.optimize import least_squares  # noqa: PLC0415  heavy: only who learns pays

    load, latency = binned(pairs, options.bins)
    steady = latency <= OVERLOADED * slo_s
    if steady.sum() < 4 or np.ptp(load[steady]) == 0:
        return None
    load, latency, seen = load[steady], latency[steady], ceiling_seen(pairs)
    top, floor = float(load.max()), float(latency.min())

    def parts(logs: Floats) -> tuple[float, Floats, float, float]:
        base, wait, room = np.exp(logs)
        return base, wait * load / (top * (1.0 + room) - load), room, top * (1.0 + room)

    def residuals(logs: Floats) -> Any:
        base, waited, _, ceiling = parts(logs)
        found = np.log(base + waited) - np.log(latency)
        return found if seen is None else np.append(found, CEILING_WEIGHT * np.log(ceiling / seen))

    def slopes(logs: Floats) -> Any:
        base, waited, room, ceiling = parts(logs)
        found = np.stack([np.full(len(load), base), waited, -waited * top * room / (ceiling - load)]) / (base + waited)
        of_ceiling = [0.0, 0.0, CEILING_WEIGHT * top * room / ceiling]
        return found.T if seen is None else np.vstack([found.T, of_ceiling])

    first = start if isinstance(start, Curve) else Curve(0.9 * floor, 0.1 * floor, 1.5 * top)
    guess = np.log([first.base_s, first.wait_s, max(first.ceiling_rps / top - 1.0, 2e-3)])
    bounds = (np.log([1e-6, 1e-9, 1e-3]), np.log([float(latency.max()), 1e3 * float(latency.max()), 1e3]))
    found = least_squares(
        residuals, np.clip(guess, *bounds), slopes, bounds=bounds, loss="soft_l1", f_scale=0.1, ftol=1e-6, max_nfev=200
    )
    base, wait, room = (float(value) for value in np.exp(found.x))
    return Curve(base, wait, top * (1.0 + room))


def ceiling_seen(pairs: Pairs) -> float | None:
    """Requests/s that a replica answered while more arrived than it could; None where that was hardly seen."""
    served = pairs.served_rps[pairs.saturated]
    return float(np.median(served)) if len(served) >= FEWEST_SATURATED else None


def isotonic(pairs: Pairs, slo_s: float, options: CapacityOptions, start: Fit | None = None) -> Staircase | None:
    """The rising staircase nearest to the binned medians of log latency; None where loads do not differ."""
    from scipy.optimize import isotonic_regression  # noqa: PLC0415  heavy: only who learns pays

    del slo_s, start  # what is over the SLO counts in full: it says that the load was too much
    load, latency = binned(pairs, options.bins)
    if np.ptp(load) == 0:
        return None
    return Staircase(load, np.exp(isotonic_regression(np.log(latency)).x))


FITTERS: dict[str, Fitter] = {"queueing": queueing, "isotonic": isotonic}
