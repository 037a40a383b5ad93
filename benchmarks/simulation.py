"""Serves recorded load request by request: what serverless instances, or a fleet of replicas, would have done with it.

Nothing here knows a pricing formula; instances are those of `optimizer.placed`. Requests come at random moments of the step they were counted in (the
same moments for every way of serving), each takes the same time, an instance or a replica serves one at a time.
Steps of which nothing is known are cut out: nothing comes in them and nothing is billed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.load import Floats, LoadHistory
from optimizer.compiled import compiled
from optimizer.placed import NO_CALLS, Service, moments_of, passed

Counts = NDArray[np.int64]
MOST_REQUESTS = 400_000  # judged one by one; of a heavier trace its bursts, and stretches spread evenly over the rest
MOST_SERVED = 2_000_000  # with those of the run-ins; where they would be more there are fewer stretches
STRETCHES, FEWEST_STRETCHES = 40, 5
BURST = 5.0  # times the requests of the mean stretch
HEAVY_RUN_IN, SHORT_RUN_IN_S = 100_000, 600.0  # so many requests fill every instance and queue in a shorter time


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Requests of some steps of a trace, in seconds from the start of the first, and how many steps run in.

    `steps` are their places in the trace; the first `lead` of them are served but not counted. Each request that is
    counted stands for `stands_for` of the trace.
    """

    moments: Floats
    steps: Counts
    lead: int
    step_s: float
    stands_for: float = 1.0

    @property
    def span(self) -> Span:
        return Span(self.step_s, self.lead * self.step_s)

    @property
    def requests(self) -> int:
        """Those that are counted."""
        return int((self.moments >= self.lead * self.step_s).sum())


class Span(NamedTuple):
    """Seconds: one step of a stretch, and where counting begins."""

    step_s: float
    counted_from_s: float


def stretches(load: LoadHistory, *, begin: int, run_in_s: float, seed: int = 1) -> tuple[Stretch, ...]:
    """The steps from `begin` on as one stretch; or their bursts, and evenly spread parts of the rest with about `MOST_REQUESTS` requests.

    A load whose bursts hold most of its requests would else be judged by whether one of the parts meets them.
    Each begins with known steps of at least `run_in_s` (as far as there are any) that fill its instances and its queue;
    at least `SHORT_RUN_IN_S` where that would be more than `HEAVY_RUN_IN` requests.
    """
    places = np.flatnonzero(np.isfinite(load.values))
    first = int(np.searchsorted(places, begin))
    total = float(load.values[places[first:]].sum()) * load.step_s
    rng = np.random.default_rng(seed)
    if total <= MOST_REQUESTS:
        run_in = min(first, int(np.ceil(run_in_s / load.step_s)))
        return (_stretch(load, places[first - run_in :], run_in, rng),)
    per_step = total / (len(places) - first)
    heavy = per_step / load.step_s * run_in_s > HEAVY_RUN_IN
    lead = int(np.ceil((min(run_in_s, SHORT_RUN_IN_S) if heavy else run_in_s) / load.step_s))
    each = max(1, int(MOST_REQUESTS / per_step / STRETCHES))
    count = min(STRETCHES, max(FEWEST_STRETCHES, int(MOST_SERVED / (per_step * (lead + each)))))
    bursts, rest = _apart(load.values[places] * load.step_s, first, each)
    begins = rest[np.unique(np.linspace(0, len(rest) - 1, count).astype(np.int64))]
    found: list[Stretch] = []
    for stratum, chosen in ((bursts, bursts), (rest, begins)):
        parts = [_stretch(load, places[at - min(at, lead) : at + each], min(at, lead), rng) for at in chosen.tolist()]
        came = sum(float(load.values[places[at : at + each]].sum()) * load.step_s for at in stratum.tolist())
        stands_for = came / max(1, sum(part.requests for part in parts))
        found.extend(replace(part, stands_for=stands_for) for part in parts)
    return tuple(found)


def _apart(requests: Floats, first: int, each: int) -> tuple[Counts, Counts]:
    """Where the stretches of `each` steps from `first` on begin: those of bursts, and the others."""
    begins = np.arange(first, len(requests), each)
    sums = np.add.reduceat(requests, begins)
    burst = sums > BURST * sums.mean()
    if float(sums[burst].sum()) > MOST_SERVED:
        burst[:] = False
    return begins[burst], begins[~burst]


def _stretch(load: LoadHistory, places: Counts, lead: int, rng: np.random.Generator) -> Stretch:
    """Requests at random moments of the steps at these places, which are put end to end."""
    counts = np.rint(load.values[places] * load.step_s).astype(np.int64)
    return Stretch(moments_of(counts, load.step_s, rng), places.astype(np.int64), lead, load.step_s)


class Served(NamedTuple):
    """Counts of requests and sums of seconds over the counted parts, each times what it stands for.

    `late` are requests over the latency, or turned away; `by_warm` those on instances kept warm; `idle_s` the
    seconds that all others waited, `warm_s` those for which instances were kept warm. `calls` keep one of the others
    alive; `started` of them started it.
    """

    requests: float
    late: float
    cold: float = 0.0
    by_warm: float = 0.0
    idle_s: float = 0.0
    warm_s: float = 0.0
    calls: float = 0.0
    started: float = 0.0


class Called(NamedTuple):
    """How many instances are called in each step of a trace, and the seconds between two calls."""

    counts: Counts
    every_s: float

    def moments(self, steps: Counts, step_s: float) -> Floats:
        """When they are called in these steps put end to end."""
        every = np.arange(0.0, len(steps) * step_s, self.every_s)
        return np.repeat(every, self.counts[steps[(every / step_s).astype(np.int64)]])


def serverless(
    parts: tuple[Stretch, ...], service: Service, latency_s: float, warm: Counts, called: Called | None = None
) -> Served:
    """Instances on demand: `warm[i]` are kept warm in step i of the trace, the others live on after their last request or call."""
    done = []
    for part in parts:
        kept = warm[part.steps]
        calls = NO_CALLS if called is None else called.moments(part.steps, part.step_s)
        found = passed(part.moments, kept, service, part.step_s, calls)
        cold, by_warm, idle_s, started = (float(each[part.lead :].sum()) for each in found)
        done.append(
            Served(
                requests=part.requests,
                late=cold if service.service_s + service.cold_s > latency_s else 0.0,
                cold=cold,
                by_warm=by_warm,
                idle_s=idle_s,
                warm_s=float(kept[part.lead :].sum()) * part.step_s,
                calls=float((calls >= part.span.counted_from_s).sum()),
                started=started,
            )
        )
    return _added(parts, done)


def _added(parts: tuple[Stretch, ...], done: list[Served]) -> Served:
    weights = [part.stands_for for part in parts]
    return Served(*(float(np.dot(weights, column)) for column in zip(*done, strict=True)))


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
    return _added(parts, done)


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
    return Served(float(came), float(late), 0.0, 0.0, 0.0, 0.0)


@compiled
def _begin(now: float, done: Floats, served: int, ready: Ready, span: Span) -> float:
    """When a request of this moment would be begun with, as the number of replicas changes meanwhile."""
    last = len(ready.early) - 1
    at, step = now, min(last, int(now / span.step_s))
    first = now / span.step_s - step < ready.part
    while True:
        servers = ready.early[step] if first else ready.then[step]
        change = (step + ready.part if first else step + 1.0) * span.step_s
        begin = np.inf
        if servers > 0:
            begin = at if served < servers else max(at, done[served - servers])
        if begin <= at or begin < change or (step == last and not first):
            return begin
        at = change
        if not first:
            step += 1
        first = not first and ready.part > 0
