"""How many requests find no warm instance, and how long instances wait, from when requests came.

Requests are taken as Poisson within a step and go to the first free instance of a fixed order, so the last
ones cool down. With service time S, rate r and a = r*S the n-th instance is offered what the n - 1 before it
leave over, r * B(n - 1, a) with Erlang's loss formula B, in clusters: while those are all busy (for S/(n-1)
on average) requests come at rate r, else none do. Clusters begin at a rate
c = r * B(n - 1, a) * (n - 1)/(a + n - 1). An instance is warm if a cluster began within the keep-alive K (and S)
before, so with rates that change from step to step it is cold with probability exp(-integral of c over that time).
The first instance is looked at by the counts themselves: pauses are as they were. While one
starts suddenly, for D seconds from the start of its step, what it would have served goes on to the next one,
which may be cold as well.
Instances that are kept warm are the first of the order and never cold. The history is taken to come round, so
that its beginning has a past. A simulation of every request agrees within about a third (in the tests).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from domain.load import Floats, LoadHistory
from optimizer.coldsweep import Timing, swept
from optimizer.erlang import Counts, erlang

SLOT_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Starts:
    """What `kept[i]` instances kept warm leave to the others, per slot of the history (an hour, or a longer step).

    Rows of `cold` (requests that start cold), `over` (requests that find all kept ones busy) and `idle_s` (seconds
    that the other instances wait warm) belong to `kept`, columns to slots; `hour` is a slot's hour of the
    day (UTC), `day` its number, `known_s` the seconds of it whose load is known.
    """

    kept: Counts
    hour: Counts
    day: Counts
    known_s: Floats
    requests: Floats
    cold: Floats
    over: Floats
    idle_s: Floats

    @property
    def cold_share(self) -> float:
        """Share of all requests that start cold with none kept warm; 0 where nothing came."""
        total = float(self.requests.sum())
        return float(self.cold[0].sum()) / total if total > 0 else 0.0

    @property
    def idle(self) -> float:
        """Mean number of instances that wait warm, with none kept on purpose; 0 where nothing is known."""
        seconds = float(self.known_s.sum())
        return float(self.idle_s[0].sum()) / seconds if seconds > 0 else 0.0


@lru_cache(maxsize=16)
def starts(arrivals: LoadHistory, service_s: float, keep_alive_s: float, cold_s: float) -> Starts:
    """Cold starts and waiting of `arrivals` (requests/s). Unknown steps (NaN) are cut out: they are no pause.

    Kept for the same history object: every tariff with these times, and every price of it, asks for the same.
    """
    known = np.flatnonzero(np.isfinite(arrivals.values))
    rates = arrivals.values[known]
    begin_s = arrivals.start.timestamp() + known * arrivals.step_s
    slot_s = max(SLOT_S, arrivals.step_s)
    numbers, slots = np.unique(np.floor(begin_s / slot_s).astype(np.int64), return_inverse=True)
    service, table = max(service_s, 1e-9), erlang()
    table = table.cut(table.groups_for(float(rates.max(initial=0.0)) * service))
    timing = Timing(arrivals.step_s, service, float(keep_alive_s), float(cold_s))
    found = swept(rates, slots.astype(np.int64), len(numbers), timing, table)
    return Starts(
        kept=table.edges[:-1],
        hour=(numbers * slot_s // 3600).astype(np.int64) % 24,
        day=(numbers * slot_s // 86400).astype(np.int64),
        known_s=_sums(slots, np.full(len(slots), arrivals.step_s), len(numbers)),
        requests=_sums(slots, rates * arrivals.step_s, len(numbers)),
        cold=np.minimum(_from_here_on(found.cold), found.over),
        over=found.over,
        idle_s=np.maximum(0.0, _from_here_on(found.alive) - found.over * service),
    )


def _sums(slots: Counts, values: Floats, count: int) -> Floats:
    return np.asarray(np.bincount(slots, weights=values, minlength=count), dtype=np.float64)


def _from_here_on(rows: Floats) -> Floats:
    """Each row with all that follow it added."""
    return np.asarray(np.cumsum(rows[::-1], axis=0)[::-1])
