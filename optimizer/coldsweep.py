"""The loops of `optimizer.coldstarts`, compiled: every group of instances over every step of the load."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from domain.load import Floats
from optimizer.compiled import compiled
from optimizer.erlang import LEAST_LOAD, Counts, Erlang

NEGLIGIBLE = 1e-6  # clusters in the whole history
SURE = 40.0  # clusters in an instance's memory after which it is warm: e^-40 are none
NODES = np.array([0.0694318442, 0.3300094782, 0.6699905218, 0.9305681558])  # Gauss-Legendre on 0..1
WEIGHTS = np.array([0.1739274226, 0.3260725774, 0.3260725774, 0.1739274226])


class Timing(NamedTuple):
    """Seconds: one step of the load, serving a request, staying warm after it, starting."""

    step_s: float
    service_s: float
    keep_alive_s: float
    cold_s: float


class Window(NamedTuple):
    """How far an instance's memory reaches back: `length_s`, or so many whole steps and `rest` seconds of the one before."""

    length_s: float
    whole: int
    rest: float
    step_s: float


class Work(NamedTuple):
    """Per step: requests/s, its slot, and where between two columns of the table its load is (column -1: no load).

    Of the group at hand clusters/s, their sum before, and that of its sudden starts; `next_cold` is how likely
    the instance that follows it in the order is cold.
    """

    rates: Floats
    slots: Counts
    column: Counts
    share: Floats
    events: Floats
    before: Floats
    sudden: Floats
    next_cold: Floats


class Sums(NamedTuple):
    """Per group of instances and slot of the history: cold starts, requests offered, and seconds that it is warm."""

    cold: Floats
    over: Floats
    alive: Floats


@compiled
def swept(rates: Floats, slots: Counts, count: int, timing: Timing, table: Erlang) -> Sums:
    """All groups, the last first: what starts in one looks at whether the next is warm."""
    groups, steps = len(table.middle), len(rates)
    sums = Sums(np.zeros((groups, count)), np.zeros((groups, count)), np.zeros((groups, count)))
    length_s = timing.keep_alive_s + timing.service_s
    whole = int(length_s / timing.step_s)
    window = Window(length_s, whole, length_s - whole * timing.step_s, timing.step_s)
    column, share = _places(rates, timing, table)
    work = Work(rates, slots, column, share, np.empty(steps), np.empty(steps + 1), np.zeros(steps + 1), np.ones(steps))
    for j in range(groups - 1, 0, -1):
        _clusters(work, j, timing, table, sums.over[j])
        if work.before[steps] >= NEGLIGIBLE:
            _group(work, timing, window, float(table.size[j]), Sums(sums.cold[j], sums.over[j], sums.alive[j]))
    _first(work, timing, window, Sums(sums.cold[0], sums.over[0], sums.alive[0]))
    return sums


@compiled
def _others(rate: float, timing: Timing) -> float:
    """Load that the others bring which come in the same step."""
    return (rate - 1.0 / timing.step_s) * timing.service_s


@compiled
def _places(rates: Floats, timing: Timing, table: Erlang) -> tuple[Counts, Floats]:
    """Column of the table below the load of each step, and how far the load is towards the next."""
    column, share, last = np.full(len(rates), -1), np.zeros(len(rates)), table.before.shape[1] - 1
    for t in range(len(rates)):
        load = _others(rates[t], timing)
        if load > LEAST_LOAD:
            place = min(max((np.log(load) - table.log_first) / table.log_step, 0.0), last - 1e-9)
            column[t] = int(place)
            share[t] = place - column[t]
    return column, share


@compiled
def _clusters(work: Work, j: int, timing: Timing, table: Erlang, over: Floats) -> None:
    """Clusters per second that reach the middle instance of group j in each step, and their sum before each step."""
    n = table.middle[j]
    work.before[0] = 0.0
    for t in range(len(work.rates)):
        rate, i, share = work.rates[t], work.column[t], work.share[t]
        work.events[t] = 0.0
        if i >= 0:
            outside = reaching = np.exp(table.before[j, i] * (1.0 - share) + table.before[j, i + 1] * share)
            work.events[t] = rate * reaching * (n - 1) / (_others(rate, timing) + n - 1)
            if n - 1 != table.edges[j]:  # else those before the middle one are those before the group
                outside = np.exp(table.outside[j, i] * (1.0 - share) + table.outside[j, i + 1] * share)
            over[work.slots[t]] += rate * timing.step_s * outside
        work.before[t + 1] = work.before[t] + work.events[t] * timing.step_s


@compiled
def _group(work: Work, timing: Timing, window: Window, size: float, sums: Sums) -> None:
    """Adds what the instances of one group do to the sums, and leaves how likely they are cold at each step."""
    events, before, steps, step_s = work.events, work.before, len(work.events), timing.step_s
    laps, back = window.whole // steps, window.whole % steps
    for t in range(steps):
        second = t - back if t >= back else t - back + steps
        first = second - 1 if second > 0 else steps - 1
        since = before[t] - before[second] if second <= t else before[steps] - (before[second] - before[t])
        if back == 0:
            since = 0.0
        begin = laps * before[steps] + since + window.rest * events[first]
        turn = begin + (events[t] - events[first]) * window.rest
        end = turn + (events[t] - events[second]) * (step_s - window.rest)
        dead_s = usual = cold = 0.0
        if min(begin, turn, end) < SURE:
            cold = np.exp(-begin)
            turned = np.exp(-turn) if turn != begin else cold
            dead_s = _mean_exp(begin, turn, cold, turned) * window.rest
            dead_s += _mean_exp(turn, end, turned, np.exp(-end) if end != turn else turned) * (step_s - window.rest)
            usual = _usual(events[t], window) if events[t] > 0.0 else 0.0
        begun = events[t] * dead_s
        starting = _starting(work.sudden, t, begun - usual, timing)
        more = max(0.0, events[t] * step_s - begun) * starting * work.next_cold[t]
        sums.cold[work.slots[t]] += (begun + more) * size
        sums.alive[work.slots[t]] += (step_s - dead_s + more * timing.keep_alive_s) * size
        work.next_cold[t] = cold if begin < SURE else 0.0


@compiled
def _first(work: Work, timing: Timing, window: Window, sums: Sums) -> None:
    """Adds what the first instance does, from the counts as they are and not as clusters."""
    step_s = timing.step_s
    for t in range(len(work.rates)):
        rate, slot = work.rates[t], work.slots[t]
        begun, dead_s = _alone(work.rates, t, window)
        served = rate * step_s / (1.0 + rate * timing.service_s)
        starting = _starting(work.sudden, t, begun - _usual(rate, window), timing)
        more = max(0.0, served - begun) * starting * work.next_cold[t]
        sums.cold[slot] += begun + more
        sums.alive[slot] += step_s - dead_s + more * timing.keep_alive_s
        sums.over[slot] += rate * step_s


@compiled
def _usual(rate: float, window: Window) -> float:
    """Starts in a step that a steady rate brings."""
    return float(rate * window.step_s * np.exp(-rate * window.length_s))


@compiled
def _starting(sudden: Floats, t: int, begun: float, timing: Timing) -> float:
    """Share of step t that an instance spends starting: what it would have served then goes on to others.

    Only sudden starts count, those beyond what the steady rate brings: in steady operation what was started
    before becomes ready meanwhile. A start comes with the first requests of its step.
    """
    sudden[t + 1] = sudden[t] + max(0.0, begun)
    whole = int(timing.cold_s / timing.step_s)
    first = max(0, t + 1 - whole)
    share = sudden[t + 1] - sudden[first]
    if first > 0:
        share += (timing.cold_s / timing.step_s - whole) * (sudden[first] - sudden[first - 1])
    return float(min(1.0, share))


@compiled
def _mean_exp(first: float, last: float, at_first: float, at_last: float) -> float:
    """Mean of exp(-x) for x moving evenly from `first` to `last`, from its values there."""
    gap = last - first
    return at_first if abs(gap) < 1e-9 else (at_first - at_last) / gap


@compiled
def _none(came: float, part: float) -> float:
    """Probability that none of `came` requests of a step fell into a `part` of it."""
    if came < 1.0:
        return 1.0 - came * part
    return float((1.0 - part) ** came) if part < 1.0 else 0.0


@compiled
def _alone(rates: Floats, t: int, window: Window) -> tuple[float, float]:
    """Of step t: requests that have none in the window before them, and seconds of which that is true.

    The step's requests are spread evenly over it, as those of all others are.
    """
    steps, step_s = len(rates), window.step_s
    empty = 1.0
    for k in range(1, min(window.whole, steps)):
        empty *= _none(rates[t - k] * step_s, 1.0)  # before the beginning comes the end
        if empty <= 0.0:
            return 0.0, 0.0
    came = rates[t] * step_s
    edge, before = rates[(t - window.whole) % steps] * step_s, rates[(t - window.whole - 1) % steps] * step_s
    power, weight = max(came, 1.0), min(came, 1.0)
    within = step_s if window.whole > 0 else window.rest
    reached = 1.0 - (1.0 - within / step_s) ** power
    begun = dead_s = 0.0
    for i in range(len(NODES)):
        if came > 0.0:
            still = 1.0 - NODES[i] * reached
            x = step_s * (1.0 - (still if power == 1.0 else still ** (1.0 / power)))
            begun += WEIGHTS[i] * reached * weight * empty * _past(x, window, edge, before)
        y = NODES[i] * within
        none = _none(came, y / step_s)
        if none > 0.0:
            dead_s += WEIGHTS[i] * within * none * empty * _past(y, window, edge, before)
    if within < step_s:
        begun += weight * power * (1.0 - within / step_s) ** power
        dead_s += (step_s - within) * _none(came, within / step_s)
    return begun, dead_s


@compiled
def _past(x: float, window: Window, edge: float, before: float) -> float:
    """Probability that nothing came in the two steps at the far end of what a moment `x` seconds into a step looks back on."""
    if x < window.rest:
        none = _none(before, min(1.0, (window.rest - x) / window.step_s))
        return none * _none(edge, 1.0) if window.whole > 0 else none
    return _none(edge, 1.0 - (x - window.rest) / window.step_s) if window.whole > 0 else 1.0
