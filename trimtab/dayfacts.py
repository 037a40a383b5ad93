"""Figures of a day from its signals: each from what is known, Unknown where too little is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import numpy as np

from domain.load import Floats, LoadHistory
from domain.plan import Configuration
from domain.unknown import Unknown
from domain.workload import ServingMode, Slo

ENOUGH = 0.95  # share of a day that has to be known for a total of it

Seen = LoadHistory | Unknown


def total(rate: Seen, what: str) -> float | Unknown:
    """What a rate per second came to over the day: its known mean over the whole; too large a gap leaves it unknown."""
    if isinstance(rate, Unknown):
        return rate
    if rate.coverage < ENOUGH:
        return Unknown(f"only {rate.coverage:.0%} of the day's {what} is known")
    return float(np.nanmean(rate.values)) * len(rate) * rate.step_s


def failed(load: Seen, errors: Seen) -> float | Unknown:
    """Share of the day's requests that failed: the ratio of each step weighted by its load, where both are known."""
    if isinstance(errors, Unknown):
        return load if isinstance(load, Unknown) else errors
    return _weighted(load, errors.values, "load or errors")


def missed(load: Seen, errors: Seen, slow: Seen, slo: Slo) -> float | Unknown:
    """Share that failed or broke the latency SLO, at least: of each step the larger of both shares.

    No runtime tells whether a request that failed was slow too, so that their sum may count one twice.
    """
    if isinstance(errors, Unknown):
        return load if isinstance(load, Unknown) else errors
    if isinstance(slow, Unknown):
        bound = f"{slo.latency / timedelta(milliseconds=1):g} ms"
        return Unknown(
            f"requests over {bound} are not counted (a histogram needs a bucket that ends there): {slow.reason}"
        )
    return _weighted(
        load,
        np.where(np.isfinite(errors.values), np.maximum(errors.values, slow.values), np.nan),
        "load, errors or latencies",
    )


def _weighted(load: Seen, share: Floats, what: str) -> float | Unknown:
    """The mean share of the requests; a step in which nothing came has none, and needs none."""
    if isinstance(load, Unknown):
        return load
    idle = load.values == 0
    both = np.isfinite(load.values) & np.isfinite(share) & ~idle
    arrived = float(load.values[both].sum())
    if (both | idle).mean() < ENOUGH or arrived <= 0:
        return Unknown(f"too little of the day's {what} is known, or nothing arrived")
    return float((load.values[both] * share[both]).sum()) / arrived


def tokens(signals: Iterable[Seen]) -> float | Unknown:
    """Tokens of the day, read and generated."""
    parts = [total(each, "tokens") for each in signals]
    unknown = next((part for part in parts if isinstance(part, Unknown)), None)
    return unknown or float(sum(part for part in parts if not isinstance(part, Unknown)))


def idle(
    load: Seen, replicas: float | Unknown, current: Configuration | Unknown, capacity_rps: object
) -> float | Unknown:
    """Part of the paid capacity that did no work; serverless pays for none that is idle."""
    if isinstance(load, Unknown):
        return load
    if isinstance(current, Unknown) or isinstance(replicas, Unknown) or not isinstance(capacity_rps, int | float):
        return Unknown("the capacity that ran is not known")
    if current.mode is ServingMode.SERVERLESS or load.coverage < ENOUGH or replicas * capacity_rps <= 0:
        return Unknown("there is no capacity of its own, or too little of the load is known")
    return max(0.0, 1.0 - float(np.nanmean(load.values)) / (replicas * capacity_rps))
