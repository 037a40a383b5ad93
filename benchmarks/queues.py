"""Simulated servers whose knee is known: Poisson arrivals at changing rates, latency quantiles window by window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from domain.load import Floats

Server = Callable[[Floats, np.random.Generator], Floats]
"""Arrival times (s, rising) to the time at which each request is answered."""

WINDOW_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """Per window: requests/s that came, the 95th percentile of latency (s) of those answered, and what waited at its end."""

    load_rps: Floats
    latency_s: Floats
    waiting: Floats


def one_worker(service_s: Callable[[int, np.random.Generator], Floats]) -> Server:
    """First come, first served: Lindley's recursion, W = S - min over the past of S."""

    def server(arrivals: Floats, rng: np.random.Generator) -> Floats:
        service = service_s(len(arrivals), rng)
        walk = np.concatenate([[0.0], np.cumsum(service[:-1] - np.diff(arrivals))])
        done: Floats = arrivals + walk - np.minimum.accumulate(walk) + service
        return done

    return server


def fixed(service_s: float) -> Server:
    """M/D/1."""
    return one_worker(lambda count, _: np.full(count, service_s))


def exponential(service_s: float) -> Server:
    """M/M/1."""
    return one_worker(lambda count, rng: rng.exponential(service_s, count))


def batches(most: int, fixed_s: float, each_s: float) -> Server:
    """Takes what waits, up to `most` together, and works on it for fixed_s + each_s a request."""

    def server(arrivals: Floats, _: np.random.Generator) -> Floats:
        done, free, next_one = np.empty(len(arrivals)), 0.0, 0
        while next_one < len(arrivals):
            begin = max(free, arrivals[next_one])
            end = min(int(np.searchsorted(arrivals, begin, side="right")), next_one + most)
            free = begin + fixed_s + each_s * (end - next_one)
            done[next_one:end] = free
            next_one = end
        return done

    return server


def simulated(rates_rps: Floats, server: Server, seed: int, window_s: float = WINDOW_S) -> Seen:
    """What is seen of a server that is offered each rate for one window, one after the other."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rates_rps * window_s)
    window = np.repeat(np.arange(len(rates_rps)), counts)
    arrivals = np.sort((window + rng.uniform(0, 1, len(window))) * window_s)
    done = server(arrivals, rng)
    answered = np.minimum(done // window_s, len(rates_rps)).astype(np.int64)
    latency = np.full(len(rates_rps), np.nan)
    order = np.argsort(answered, kind="stable")
    parts = np.split((done - arrivals)[order], np.searchsorted(answered[order], np.arange(1, len(rates_rps) + 1)))
    for i, part in enumerate(parts[:-1]):
        if len(part):
            latency[i] = np.quantile(part, 0.95)
    served = np.bincount(answered, minlength=len(rates_rps))[: len(rates_rps)]
    return Seen(load_rps=counts / window_s, latency_s=latency, waiting=np.cumsum(counts - served).astype(np.float64))


def knee_rps(server: Server, slo_s: float, low: float, high: float) -> float:
    """The rate up to which the 95th percentile of a long run holds the SLO, by bisection."""
    for _ in range(9):
        middle = (low + high) / 2
        held = simulated(np.array([middle]), server, seed=1, window_s=120_000 / middle).latency_s[0] <= slo_s
        low, high = (middle, high) if held else (low, middle)
    return (low + high) / 2


def tides(low_rps: float, high_rps: float, windows: int = 720, period: int = 240) -> Floats:
    """Rates that rise and fall."""
    return low_rps + (high_rps - low_rps) * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(windows) / period))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A server, its SLO, and rates from quiet to more than it can ever answer; `busy_rps` is a little over the knee."""

    server: Server
    slo_s: float
    quiet_rps: float
    busy_rps: float
    over_rps: float


KINDS = {
    "M/D/1": Kind(server=fixed(0.02), slo_s=0.1, quiet_rps=15, busy_rps=46, over_rps=60),
    "M/M/1": Kind(server=exponential(0.02), slo_s=0.2, quiet_rps=15, busy_rps=44, over_rps=60),
    "batches": Kind(server=batches(16, 0.08, 0.01), slo_s=0.4, quiet_rps=5, busy_rps=66, over_rps=80),
}
