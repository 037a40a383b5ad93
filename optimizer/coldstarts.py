"""How many requests find no warm instance, and how long instances wait, from when requests came.

Up to `MOST_PLACED` requests are served one by one (`optimizer.placed`), at random moments of the steps they were
counted in. More are counted: taken as Poisson within a step, they go to the first free instance of a fixed order, so the last
ones cool down. With service time S, rate r and a = r*S the n-th instance is offered what the n - 1 before it
leave over, r * B(n - 1, a) with Erlang's loss formula B, in clusters: while those are all busy (for S/(n-1)
on average) requests come at rate r, else none do. Clusters begin at a rate
c = r * B(n - 1, a) * (n - 1)/(a + n - 1). An instance is warm if a cluster began within the keep-alive K (and S)
before, so with rates that change from step to step it is cold with probability exp(-integral of c over that time).
The first instance is looked at by the counts themselves: pauses are as they were. While one
starts suddenly, for D seconds from the start of its step, what it would have served goes on to the next one,
which may be cold as well.
Instances that are kept warm are the first of the order and never cold. The history is taken to come round, so
that its beginning has a past. Serving every request agrees with the counting within about a third (in the tests).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from domain.load import Floats, LoadHistory
from optimizer.coldsweep import Timing, swept
from optimizer.erlang import Counts, Erlang, erlang
from optimizer.placed import Service, by_step, left_over, moments_of, passed, whole_requests

SLOT_S = 3600.0
MOST_PLACED = 200_000
UNSEEN = 4 / 3  # cold starts there may be for each one that is counted and not served


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Starts:
    """What `kept[i]` instances kept warm leave to the others, per slot of the history (an hour, or a longer step).

    Rows of `cold` (requests that start cold), `over` (requests that find all kept ones busy) and `idle_s` (seconds
    that the other instances wait warm) belong to `kept`, columns to slots; `hour` is a slot's hour of the
    day (UTC), `day` its number, `known_s` the seconds of it whose load is known. For each cold start here there
    may be `unseen` of them.
    """

    kept: Counts
    hour: Counts
    day: Counts
    known_s: Floats
    requests: Floats
    cold: Floats
    over: Floats
    idle_s: Floats
    unseen: float = 1.0

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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Known:
    """The known steps of a load, put end to end: requests/s, the slot of each, and each slot's number, in `slot_s` from 1970 on."""

    rates: Floats
    step_s: float
    slots: Counts
    numbers: Counts
    slot_s: float

    @classmethod
    def of(cls, arrivals: LoadHistory) -> Known:
        known = np.flatnonzero(np.isfinite(arrivals.values))
        begin_s = arrivals.start.timestamp() + known * arrivals.step_s
        slot_s = max(SLOT_S, arrivals.step_s)
        numbers, slots = np.unique(np.floor(begin_s / slot_s).astype(np.int64), return_inverse=True)
        return cls(
            rates=arrivals.values[known],
            step_s=arrivals.step_s,
            slots=slots.astype(np.int64),
            numbers=numbers,
            slot_s=slot_s,
        )

    def per_slot(self, steps: Floats) -> Floats:
        """Sums over the steps of each slot."""
        return np.asarray(np.bincount(self.slots, weights=steps, minlength=len(self.numbers)), dtype=np.float64)

    def starts(self, *, kept: Counts, cold: Floats, over: Floats, idle_s: Floats, unseen: float) -> Starts:
        """These rows with what is known of the slots."""
        return Starts(
            kept=kept,
            hour=(self.numbers * self.slot_s // 3600).astype(np.int64) % 24,
            day=(self.numbers * self.slot_s // 86400).astype(np.int64),
            known_s=self.per_slot(np.full(len(self.slots), self.step_s)),
            requests=self.per_slot(self.rates * self.step_s),
            cold=np.minimum(cold, over),
            over=over,
            idle_s=idle_s,
            unseen=unseen,
        )


@lru_cache(maxsize=16)
def starts(arrivals: LoadHistory, service_s: float, keep_alive_s: float, cold_s: float) -> Starts:
    """Cold starts and waiting of `arrivals` (requests/s). Unknown steps (NaN) are cut out: they are no pause.

    Kept for the same history object: every tariff with these times, and every price of it, asks for the same.
    """
    return (placed if few(arrivals) else counted)(arrivals, service_s, keep_alive_s, cold_s)


def few(arrivals: LoadHistory) -> bool:
    """Whether requests are served one by one, each of them whole."""
    return float(np.nansum(arrivals.values)) * arrivals.step_s <= MOST_PLACED


def placed(arrivals: LoadHistory, service_s: float, keep_alive_s: float, cold_s: float) -> Starts:
    """Every request served, once for each number of instances kept warm; what runs in is the end of the history."""
    known = Known.of(arrivals)
    table = _table(known, service_s)
    lead = min(len(known.rates), math.ceil((keep_alive_s + cold_s + service_s) / known.step_s))
    came, left = _requests(arrivals, lead)
    service, requests = Service(service_s, cold_s, keep_alive_s), came.astype(np.float64)
    none_kept = np.zeros(lead + len(came), dtype=np.int64)
    arrived, kept = by_step(left, known.step_s, len(none_kept)), 0
    rows = np.zeros((3, len(table.edges) - 1, len(known.numbers)))
    for row, count in enumerate(table.edges[:-1].tolist()):
        while kept < count:
            left, kept = left_over(left, service_s), kept + 1
        done = passed(left, none_kept, service, known.step_s)
        over = requests - (arrived - by_step(left, known.step_s, len(none_kept)))[lead:]
        rows[:, row] = [known.per_slot(each) for each in (done.cold[lead:], over, done.idle_s[lead:])]
        if not over.any():
            break  # more of them leave nothing over either
    return known.starts(kept=table.edges[:-1], cold=rows[0], over=rows[1], idle_s=rows[2], unseen=1.0)


@lru_cache(maxsize=2)
def _requests(arrivals: LoadHistory, lead: int) -> tuple[Counts, Floats]:
    """Requests of each known step, and the moments of all of them after the last `lead` steps; kept as `starts` are."""
    known = Known.of(arrivals)
    came = whole_requests(known.rates, known.step_s)
    return came, moments_of(np.concatenate([came[len(came) - lead :], came]), known.step_s, np.random.default_rng(0))


def counted(arrivals: LoadHistory, service_s: float, keep_alive_s: float, cold_s: float) -> Starts:
    """The same by the formulas above."""
    known = Known.of(arrivals)
    service, table = max(service_s, 1e-9), _table(known, service_s)
    timing = Timing(known.step_s, service, float(keep_alive_s), float(cold_s))
    found = swept(known.rates, known.slots, len(known.numbers), timing, table)
    return known.starts(
        kept=table.edges[:-1],
        cold=_from_here_on(found.cold),
        over=found.over,
        idle_s=np.maximum(0.0, _from_here_on(found.alive) - found.over * service),
        unseen=UNSEEN,
    )


def _table(known: Known, service_s: float) -> Erlang:
    """As many groups of instances as the highest load may well ask for at once."""
    table = erlang()
    return table.cut(table.groups_for(float(known.rates.max(initial=0.0)) * max(service_s, 1e-9)))


def _from_here_on(rows: Floats) -> Floats:
    """Each row with all that follow it added."""
    return np.asarray(np.cumsum(rows[::-1], axis=0)[::-1])
