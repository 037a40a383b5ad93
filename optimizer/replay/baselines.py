"""What a user could do without us, each tuned in hindsight: the HPA, last week's peak, a fixed number.

Each keeps the least and the most replicas that are allowed, as ours does: an HPA has a `maxReplicas` too.

The HPA is the Kubernetes formula, desired = ceil(load / target), with its tolerance of 0.1 and a
scale-down stabilisation window (kubernetes.io, "Horizontal Pod Autoscaling", algorithm details).
"Tuned" means swept over targets and windows with the whole trace known, and read off the lower
envelope of cost against misses at a given share of misses. No user can do that; we compare anyway.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from optimizer.compiled import compiled
from optimizer.physics import Counts, Floats, StartUp, run

TARGETS = (0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.5, 0.4, 0.3, 0.2, 0.12, 0.06)
WINDOWS_S = (0.0, 300.0, 1800.0)
AHEAD_S = 1800.0
LEAST_MISS = 1e-7
LEAST_COST = 1e-3  # replica-steps
ROUNDING = 1e-9  # of a share that is told, for sums of floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One swept setting: its cost in replica-steps and its missed share after the warm-up."""

    target: float
    window_s: float
    cost: float
    missed_share: float
    wanted: Counts


@compiled
def hpa(load: Floats, target: float, window: int, floor: int, most: int = sys.maxsize) -> Counts:
    """Wanted replicas by the HPA formula, from `floor` to `most`; a gap repeats the last known load.

    The limit is put on last, as the HPA does: what its window remembers is what the formula asked for.
    """
    wanted = np.empty(len(load), dtype=np.int64)
    asked = np.zeros(len(load))
    current = 0.0
    known = 0.0
    for t in range(len(load)):
        if not np.isnan(load[t]):
            known = load[t]
        want = max(floor * 1.0, np.ceil(known / target - 1e-9))
        if t == 0:
            current = want
        if abs(known / (max(current, 1e-9) * target) - 1.0) <= 0.1:
            want = current
        asked[t] = want
        if want < current:
            held = want
            for j in range(max(0, t - window + 1), t):
                held = max(held, asked[j])
            want = max(want, min(held, current))
        current = min(want, most * 1.0)
        wanted[t] = int(current)
    return wanted


def coming_peak(load: Floats, period: int, ahead: int) -> Floats:
    """At the end of each step, the maximum of the `ahead` steps that began one `period` ago; 0 if unknown."""
    peak = np.zeros(len(load))
    filled = np.nan_to_num(load)
    windows = np.lib.stride_tricks.sliding_window_view(np.concatenate([filled, np.zeros(ahead)]), ahead)
    starts = np.arange(len(load)) + 1 - period
    usable = starts >= 0
    # never looks past the step just ended: a window of one period back is shorter than the period
    peak[usable] = windows[starts[usable]].max(axis=1)
    return peak


def sweep(
    load: Floats, startup: StartUp, first: int, *, step_s: float, floor: int, most: int | None, period: int | None
) -> tuple[Setting, ...]:
    """Every target and window of the HPA within `floor` and `most`, with `period` never below last period's next half hour."""
    ahead = max(1, round(AHEAD_S / step_s))
    peak = np.zeros(len(load)) if period is None else coming_peak(load, period, ahead)
    total = max(float(np.nansum(load[first:])), 1e-12)
    settings, limit = [], sys.maxsize if most is None else most
    for target, window_s in product(TARGETS, WINDOWS_S):
        own = hpa(load, target, max(1, round(window_s / step_s)), floor, limit)
        wanted = np.minimum(np.maximum(own, np.ceil(peak / target - 1e-9).astype(np.int64)), limit)
        done = run(load, wanted, startup, most=most)
        settings.append(
            Setting(
                target=target,
                window_s=window_s,
                cost=done.cost(first),
                missed_share=float(done.missed[first:].sum()) / total,
                wanted=wanted,
            )
        )
    return tuple(settings)


def cost_at(settings: tuple[Setting, ...], share: float) -> float | None:
    """Cheapest cost at a missed `share`, log-linear between neighbours of the lower envelope; None if out of reach."""
    envelope: list[tuple[float, float]] = []
    for setting in sorted(settings, key=lambda s: (s.missed_share, s.cost)):
        if not envelope or setting.cost < envelope[-1][1]:
            envelope.append((max(setting.missed_share, LEAST_MISS), setting.cost))
    at = math.log(max(share, LEAST_MISS))
    misses = np.log([miss for miss, _ in envelope])
    if at < misses[0]:
        return None
    if at >= misses[-1]:
        return envelope[-1][1]  # as it is: a policy that may go to zero can cost nothing, which has no logarithm
    costs = np.log([max(cost, LEAST_COST) for _, cost in envelope])
    return float(np.exp(np.interp(at, misses, costs)))


def cheapest_within(settings: tuple[Setting, ...], share: float) -> Setting:
    """The cheapest swept setting that misses at most `share`; the one that misses least if none does."""
    within = [s for s in settings if s.missed_share <= share]
    return (
        min(within, key=lambda s: (s.cost, s.missed_share))
        if within
        else min(settings, key=lambda s: (s.missed_share, s.cost))
    )


def best_fixed(seen: Floats, share: float, floor: int, *, most: int | None = None) -> int | None:
    """Smallest fixed number of replicas that misses at most `share` of the known load `seen`; None where that is over `most`."""
    low, high = floor, max(floor, math.ceil(float(seen.max(initial=0.0))))
    allowed = share * float(seen.sum())
    if most is not None and most < high:
        if float(np.maximum(0.0, seen - most).sum()) > allowed * (1.0 + ROUNDING):
            return None
        high = most
    while low < high:
        middle = (low + high) // 2
        if float(np.maximum(0.0, seen - middle).sum()) <= allowed:
            high = middle
        else:
            low = middle + 1
    return low


def perfect(seen: Floats, floor: int, most: int | None) -> NDArray[np.int64]:
    """What perfect foresight without a start-up time would run in each known step, from `floor` to `most`."""
    return np.clip(np.ceil(seen - 1e-9), floor, most).astype(np.int64)
