"""Every request served by instances, one by one: which start cold, which are kept ones', how long the others wait.

A request goes to a free instance that is kept warm, else to the one that became free last, else to a new one that is
started for it; each instance serves one at a time, and one that is not kept lives on for the keep-alive after its last
request. Requests come at random moments of the step they were counted in. Calls that only keep some of those others
alive take no time; of those made at one moment each goes to another instance.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from domain.load import Floats
from optimizer.compiled import compiled
from optimizer.erlang import Counts


class Service(NamedTuple):
    """Seconds: serving a request, starting an instance, its life after its last request."""

    service_s: float
    cold_s: float
    keep_alive_s: float


class Passed(NamedTuple):
    """Per step: requests that started cold, requests on instances kept warm, seconds that all others waited, calls that started one."""

    cold: Floats
    by_warm: Floats
    idle_s: Floats
    started: Floats


NO_CALLS: Floats = np.empty(0)


def moments_of(counts: Counts, step_s: float, rng: np.random.Generator) -> Floats:
    """So many random moments in each step, in seconds from the start of the first, in order."""
    return _in_order(rng.random(int(counts.sum())), counts, step_s)


@compiled
def _in_order(parts: Floats, counts: Counts, step_s: float) -> Floats:
    """The moments at these parts (0 to 1) of the steps, of each step so many.

    As many slots as a step has moments, all alike in length: most are in order once each is in the slot it belongs to.
    """
    found = np.empty(len(parts))
    begin = 0
    for step in range(len(counts)):
        count = counts[step]
        filled = np.zeros(count + 1, dtype=np.int64)  # before each slot, once summed
        for i in range(begin, begin + count):
            filled[min(int(parts[i] * count), count - 1) + 1] += 1
        filled = np.cumsum(filled)
        for i in range(begin, begin + count):
            slot = min(int(parts[i] * count), count - 1)
            found[begin + filled[slot]] = (step + parts[i]) * step_s
            filled[slot] += 1
        begin += count
    for i in range(1, len(found)):
        moment, at = found[i], i
        while at > 0 and found[at - 1] > moment:
            found[at] = found[at - 1]
            at -= 1
        found[at] = moment
    return found


def whole_requests(rates_rps: Floats, step_s: float) -> Counts:
    """Requests of each step; what is left of a whole one is carried on to the next steps."""
    so_far = np.floor(np.cumsum(rates_rps * step_s) + 0.5)
    return np.diff(so_far, prepend=0.0).astype(np.int64)


@compiled
def left_over(moments: Floats, service_s: float) -> Floats:
    """The requests that one instance which is always kept warm leaves to the others: they come while it is busy.

    All take equally long, so that it is all the same which of the free ones serves: where several are kept, each is
    asked for what the one before leaves over, and no request is looked at again that it does not.
    """
    left, count, busy_until = np.empty(len(moments)), 0, -np.inf
    for now in moments:
        if busy_until <= now:
            busy_until = now + service_s
        else:
            left[count] = now
            count += 1
    return left[:count]


def by_step(moments: Floats, step_s: float, steps: int) -> Floats:
    """How many of the moments lie in each of so many steps; what is later counts in the last."""
    step = np.minimum((moments / step_s).astype(np.int64), steps - 1)
    return np.bincount(step, minlength=steps).astype(np.float64)


def passed(moments: Floats, warm: Counts, service: Service, step_s: float, calls: Floats = NO_CALLS) -> Passed:
    """One pass over the requests of these moments and the `calls` between them, with `warm[i]` instances kept in step i.

    Both are in order; as many calls of one moment as instances are to be kept.
    """
    if not len(calls):
        return _passed(moments, np.zeros(len(moments), dtype=np.int64), warm, service, step_s)
    at_once = np.arange(len(calls)) - np.searchsorted(calls, calls) + 1
    both = np.concatenate([moments, calls])
    order = np.argsort(both, kind="stable")
    called = np.concatenate([np.zeros(len(moments), dtype=np.int64), at_once])
    return _passed(both[order], called[order], warm, service, step_s)


@compiled
def _passed(moments: Floats, called: Counts, warm: Counts, service: Service, step_s: float) -> Passed:
    """Work ends in the order it began on each of three lists, and idle instances wait on a stack; `called` is 0 for requests."""
    n, steps, serving = len(moments), len(warm), service.service_s
    done = Passed(np.zeros(steps), np.zeros(steps), np.zeros(steps), np.zeros(steps))
    through = np.zeros(steps + 1)
    warm_done, plain_done, cold_done, free = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    w0 = w1 = p0 = p1 = c0 = c1 = bottom = top = 0
    for i in range(n):
        now = moments[i]
        step = min(steps - 1, int(now / step_s))
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
            _waits(free[bottom], free[bottom] + service.keep_alive_s, step_s, done.idle_s, through)
            bottom += 1
        at = top - max(1, called[i])
        if called[i] == 0 and w1 - w0 < warm[step]:
            warm_done[w1] = now + serving
            w1 += 1
            done.by_warm[step] += 1
        elif at < bottom:
            cold_done[c1] = now + service.cold_s + serving
            c1 += 1
            done.cold[step] += called[i] == 0
            done.started[step] += called[i] > 0
        else:
            _waits(free[at], now, step_s, done.idle_s, through)
            free[at] = now
            if called[i] == 0:
                plain_done[p1] = now + serving
                p1 += 1
                top -= 1
    for waiting in (free[bottom:top], plain_done[p0:p1], cold_done[c0:c1]):
        _wait_out(waiting, service.keep_alive_s, step_s, done.idle_s, through)
    _wait_through(through, step_s, done.idle_s)
    return done


@compiled
def _wait_through(through: Floats, step_s: float, idle_s: Floats) -> None:
    """Adds the whole steps that instances wait through, which are marked where they begin and end."""
    waiting = 0.0
    for step in range(len(idle_s)):
        waiting += through[step]
        idle_s[step] += waiting * step_s


@compiled
def _wait_out(since: Floats, keep_alive_s: float, step_s: float, idle_s: Floats, through: Floats) -> None:
    """The last instances wait until they go."""
    for begin in since:
        _waits(begin, begin + keep_alive_s, step_s, idle_s, through)


@compiled
def _waits(begin_s: float, end_s: float, step_s: float, idle_s: Floats, through: Floats) -> None:
    """Adds the seconds from begin to end to the steps they lie in; steps that lie between are marked by their ends."""
    steps = len(idle_s)
    begin, end = begin_s / step_s, min(end_s / step_s, float(steps))
    first, last = int(begin), int(end)
    if first >= steps:
        return
    if first == last:
        idle_s[first] += (end - begin) * step_s
        return
    idle_s[first] += (first + 1 - begin) * step_s
    if last < steps:
        idle_s[last] += (end - last) * step_s
    through[first + 1] += 1.0
    through[last] -= 1.0
