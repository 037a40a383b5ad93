"""How many requests find no warm instance, and how long instances idle, from when requests came.

Requests are taken as Poisson within a step and go to the first free warm instance of a fixed order
(so the last ones cool down). With service time S, rate r and a = r*S the first instance is cold after a
pause longer than the keep-alive K, a share exp(-K*r) of what it serves. The n-th is offered what the
n - 1 before it leave over, r * B(n - 1, a) with Erlang's loss formula B, in clusters: while those are
all busy (for S/(n-1) on average) requests come at rate r, else none do. Clusters begin at a rate
c = r * B(n - 1, a) * (n - 1)/(a + n - 1), and the first request of one finds the instance cold with
probability exp(-K*c). A simulation of every request agrees within about a third (in the tests).
Runs of empty steps are counted as they are, not as Poisson.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from domain.load import Floats

LARGEST_LOAD = 200.0  # Erlangs; above, the share of cold starts only falls further
GRID = 96


@lru_cache(maxsize=256)
def cold_curve(service_s: float, keep_alive_s: float) -> tuple[Floats, Floats]:
    """Share of requests that start cold at steady rates (requests/s), as two arrays: rates and shares."""
    service = max(service_s, 1e-6)
    rates = np.geomspace(1e-3 / max(keep_alive_s, service), LARGEST_LOAD / service, GRID)
    load = rates * service
    blocked = np.ones(GRID)  # B(0, a) = 1
    cold = np.zeros(GRID)
    for n in range(1, int(LARGEST_LOAD + 12 * LARGEST_LOAD**0.5)):
        after = np.maximum(load * blocked / (n + load * blocked), 1e-300)
        offered = rates * blocked
        clusters = offered * (n - 1) / (load + n - 1)
        first = offered * (1.0 - after / blocked) * np.exp(-keep_alive_s * offered)
        cold += (first if n == 1 else clusters * np.exp(-keep_alive_s * clusters)) / rates
        blocked = after
    return rates, cold


def cold_share_at(rate_rps: Floats, service_s: float, keep_alive_s: float) -> Floats:
    """The share at each of these steady rates; 1 towards no load at all."""
    rates, shares = cold_curve(service_s, keep_alive_s)
    found: Floats = np.interp(np.log(np.maximum(rate_rps, rates[0] / 10)), np.log(rates), shares)
    return found


def empty_before(rate_rps: Floats, step_s: float) -> Floats:
    """Seconds of empty steps right before each step; an unknown step (NaN) ends a run."""
    empty = rate_rps == 0
    index = np.arange(len(rate_rps))
    last_other = np.maximum.accumulate(np.where(empty, -1, index))
    run = np.where(empty, index - last_other, 0)
    return np.concatenate([[0.0], run[:-1].astype(float)]) * step_s


def cold_share(rate_rps: Floats, step_s: float, service_s: float, keep_alive_s: float) -> float:
    """Share of all requests that start cold. Unknown steps (NaN) take no part; 0 where nothing came."""
    known = np.nan_to_num(rate_rps)
    requests = known * step_s
    total = float(requests.sum())
    if total <= 0:
        return 0.0
    within = cold_share_at(known, service_s, keep_alive_s)
    idle = empty_before(rate_rps, step_s)
    first = np.exp(-known * np.maximum(0.0, keep_alive_s - idle))  # 1 where the pause alone is long enough
    leading = np.where(idle > 0, np.minimum(requests, 1.0), 0.0)
    cold = leading * first + (requests - leading) * within
    return float(cold[requests > 0].sum()) / total


def idle_share(rate_rps: Floats, step_s: float, keep_alive_s: float) -> float:
    """Mean number of instances kept warm without work (one at a time): the share of time one waits.

    After each request one waits for the next, at most the keep-alive: (1 - exp(-r*K))/r on average at
    rate r, and before a run of empty steps as long as that run lasts.
    """
    known = np.isfinite(rate_rps)
    if not known.any():
        return 0.0
    rates = np.nan_to_num(rate_rps)
    requests = rates * step_s
    pause = empty_before(rate_rps[::-1], step_s)[::-1]  # seconds of empty steps right after each step
    last = np.where(pause > 0, np.minimum(requests, 1.0), 0.0)
    safe = np.where(rates > 0, rates, 1.0)
    waiting = (requests - last) * (1.0 - np.exp(-safe * keep_alive_s)) / safe + last * np.minimum(pause, keep_alive_s)
    return float(waiting.sum() / (known.sum() * step_s))
