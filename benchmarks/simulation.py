"""Serves recorded load request by request: what serverless instances, or a fleet of replicas, would have done with it.

Nothing here knows a pricing formula. Requests come at random moments of the step they were counted in (the
same moments for every way of serving), each takes the same time, an instance or a replica serves one at a time.
Steps of which nothing is known are cut out: nothing comes in them and nothing is billed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.load import Floats, LoadHistory
from optimizer.compiled import compiled

Counts = NDArray[np.int64]
MOST_REQUESTS = 400_000  # simulated one by one; of a heavier trace stretches that are spread evenly
STRETCHES = 40


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Requests of some steps of a trace, in seconds from the start of the first, and how many steps run in.

    `steps` are their places in the trace; the first `lead` of them are served but not counted.
    """

    moments: Floats
    steps: Counts
    lead: int
    step_s: float

    @property
    def span(self) -> Span:
        return Span(self.step_s, self.lead * self.step_s, len(self.steps) * self.step_s)


class Span(NamedTuple):
    """Seconds: one step of a stretch, where counting begins, where the stretch ends."""

    step_s: float
    counted_from_s: float
    end_s: float


def stretches(load: LoadHistory, *, begin: int, run_in_s: float, seed: int = 1) -> tuple[Stretch, ...]:
    """The steps from `begin` on as one stretch, or evenly spread parts of them with about `MOST_REQUESTS` requests.

    Each begins with known steps of at least `run_in_s` (as far as there are any) that fill its instances and its queue.
    """
    places = np.flatnonzero(np.isfinite(load.values))
    first = int(np.searchsorted(places, begin))
    lead = int(np.ceil(run_in_s / load.step_s))
    total = float(load.values[places[first:]].sum()) * load.step_s
    rng = np.random.default_rng(seed)
    if total <= MOST_REQUESTS:
        run_in = min(first, lead)
        return (_stretch(load, places[first - run_in :], run_in, rng),)
    each = max(1, int((len(places) - first) * MOST_REQUESTS / total / STRETCHES))
    begins = np.unique(np.linspace(first, len(places) - each, STRETCHES).astype(np.int64)).tolist()
    return tuple(_stretch(load, places[at - min(at, lead) : at + each], min(at, lead), rng) for at in begins)


def _stretch(load: LoadHistory, places: Counts, lead: int, rng: np.random.Generator) -> Stretch:
    """Requests at random moments of the steps at these places, which are put end to end."""
    counts = np.rint(load.values[places] * load.step_s).astype(np.int64)
    begins = np.repeat(np.arange(len(counts), dtype=np.float64), counts)
    moments = np.sort((begins + rng.random(len(begins))) * load.step_s)
    return Stretch(moments, places.astype(np.int64), lead, load.step_s)


class Service(NamedTuple):
    """Seconds: serving a request, starting an instance, its life after its last request, and what an answer may take."""

    service_s: float
    cold_s: float
    keep_alive_s: float
    latency_s: float


class Served(NamedTuple):
    """Counts of requests and sums of seconds over the counted parts.

    `late` are requests over the latency, or turned away; `by_warm` those on instances kept warm; `idle_s` the
    seconds that all others waited, `warm_s` those for which instances were kept warm.
    """

    requests: int
    late: int
    cold: int = 0
    by_warm: int = 0
    idle_s: float = 0.0
    warm_s: float = 0.0


def serverless(parts: tuple[Stretch, ...], service: Service, warm: Counts) -> Served:
    """Instances on demand: `warm[i]` are kept warm in step i of the trace, the others live on after their last request.

    A request goes to a free warm one, else to the instance that became free last, else to a new one that
    is started for it.
    """
    done = []
    for part in parts:
        kept = warm[part.steps]
        found = _instances(part.moments, kept, service, part.span)
        warm_s = float(kept[part.lead :].sum()) * part.step_s
        late = found.cold if service.service_s + service.cold_s > service.latency_s else 0
        done.append(found._replace(late=late, warm_s=warm_s))
    return _added(done)


def _added(done: list[Served]) -> Served:
    return Served(*(sum(column) for column in zip(*done, strict=True)))


@compiled
def _instances(moments: Floats, warm: Counts, service: Service, span: Span) -> Served:
    """One pass over the requests. Work ends in the order it began on each of three lists, and idle instances wait on a stack."""
    n, serving = len(moments), service.service_s
    warm_done, plain_done, cold_done, free = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    w0 = w1 = p0 = p1 = c0 = c1 = bottom = top = 0
    cold = by_warm = came = 0
    idle_s = 0.0
    for i in range(n):
        now = moments[i]
        counts = 1 if now >= span.counted_from_s else 0
        came += counts
        while w0 < w1 and warm_done[w0] <= now:
            w0 += 1
        while (p0 < p1 and plain_done[p0] <= now) or (c0 < c1 and cold_done[c0] <= now):
            if c0 == c1 or (p0 < p1 and plain_done[p0] <= cold_done[c0]):
                free[top] = plain_done[p0]
                p0 += 1
            else:
                free[top] = cold_done[c0]
                c0 += 1
            top += 1
        while bottom < top and free[bottom] + service.keep_alive_s < now:
            idle_s += _overlap(free[bottom], free[bottom] + service.keep_alive_s, span)
            bottom += 1
        if w1 - w0 < warm[min(len(warm) - 1, int(now / span.step_s))]:
            warm_done[w1] = now + serving
            w1 += 1
            by_warm += counts
        elif top > bottom:
            top -= 1
            idle_s += _overlap(free[top], now, span)
            plain_done[p1] = now + serving
            p1 += 1
        else:
            cold_done[c1] = now + service.cold_s + serving
            c1 += 1
            cold += counts
    for waiting in (free[bottom:top], plain_done[p0:p1], cold_done[c0:c1]):
        for since in waiting:
            idle_s += _overlap(since, since + service.keep_alive_s, span)
    return Served(came, 0, cold, by_warm, idle_s, 0.0)


@compiled
def _overlap(begin: float, end: float, span: Span) -> float:
    """Seconds of [begin, end) that are counted."""
    return max(0.0, min(end, span.end_s) - max(begin, span.counted_from_s))


class Ready(NamedTuple):
    """Replicas that serve in the first `part` of each step of a trace, and in the rest of it."""

    early: Counts
    then: Counts
    part: float


def fleet(parts: tuple[Stretch, ...], *, service_s: float, latency_s: float, ready: Ready) -> Served:
    """Replicas with one queue. Whoever would be answered later than `latency_s` is turned away at once and counts as late."""
    done = []
    for one in parts:
        there = Ready(ready.early[one.steps], ready.then[one.steps], ready.part)
        done.append(_queue(one.moments, there, service_s, latency_s, one.span))
    return _added(done)


@compiled
def _queue(moments: Floats, ready: Ready, service_s: float, latency_s: float, span: Span) -> Served:
    """One pass over the requests, first come, first served: the k-th before the last ends before the next may begin."""
    done = np.empty(len(moments))  # ends of work, in order since every request takes equally long
    served = late = came = 0
    for i in range(len(moments)):
        now = moments[i]
        counts = 1 if now >= span.counted_from_s else 0
        came += counts
        begin = _begin(now, done, served, ready, span)
        if begin + service_s - now > latency_s + 1e-9:
            late += counts
        else:
            done[served] = begin + service_s
            served += 1
    return Served(came, late, 0, 0, 0.0, 0.0)


@compiled
def _begin(now: float, done: Floats, served: int, ready: Ready, span: Span) -> float:
    """When a request of this moment would be begun with, as the number of replicas changes meanwhile."""
    last = len(ready.early) - 1
    at = now
    while True:
        step = min(last, int(at / span.step_s))
        first = at / span.step_s - step < ready.part
        servers = ready.early[step] if first else ready.then[step]
        change = (step + ready.part if first else step + 1.0) * span.step_s
        begin = at if served < servers else max(at, done[served - servers])
        if begin <= at or begin < change or step == last:
            return begin
        at = change
