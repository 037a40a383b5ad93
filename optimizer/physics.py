"""What a fleet does with the numbers that a policy wants: the one physics of shadows and replay.

A fluid model on an even grid. `wanted[t]` is the number wanted at the END of step t; it is paid for
from step t+1 on. A replica asked for at the end of step t serves from `startup` later; the part of a
step that is left then counts as that part of a replica. One that is let go stops at once, the
youngest pending first. So with d = floor(startup/step) + 1 the replicas ready in step t are
min(wanted[t-d], ..., wanted[t-1]), and nothing else need be remembered.
Load is in replicas (requests/s over what one replica carries); a missing step is NaN and costs nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from optimizer.compiled import compiled

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class StartUp:
    """Time-to-ready in steps: `whole` steps, and `part` of the first serving step that is lost."""

    whole: int
    part: float

    @property
    def lead(self) -> int:
        """d: steps from the end of the step that asks to the step that is served, at least 1."""
        return self.whole + 1

    @classmethod
    def of(cls, startup: timedelta, step: timedelta) -> StartUp:
        """ValueError for a negative time-to-ready."""
        if startup < timedelta(0):
            raise ValueError(f"time-to-ready cannot be negative: {startup}")
        steps = startup / step
        return cls(whole=int(steps), part=steps - int(steps))


def first_ready(load: Floats, most: int | None = None) -> int:
    """Replicas that run before the first decision: what the first step needs, at least 1 and at most `most`."""
    first = float(load[0]) if len(load) and math.isfinite(load[0]) else 0.0
    needed = max(1, math.ceil(first))
    return needed if most is None else min(needed, most)


@compiled
def serving(wanted: Counts, start: int, whole: int, part: float) -> Floats:
    """Capacity (in replicas) that serves in each step, for one row of wanted numbers."""
    capacity = np.empty(len(wanted))
    for t in range(len(wanted)):
        ready = start if t - whole - 1 < 0 else wanted[t - whole - 1]
        for j in range(max(0, t - whole), t):
            ready = min(ready, wanted[j])
        before = start if t - whole - 2 < 0 else wanted[t - whole - 2]
        capacity[t] = ready - part * (ready - min(ready, before))
    return capacity


@compiled
def missed_within(fine: Floats, capacity: float) -> float:
    """Mean of what the known steps of `fine` exceed a capacity by; NaN where none is known."""
    total, known = 0.0, 0
    for load in fine:
        if not np.isnan(load):
            total += max(0.0, load - capacity)
            known += 1
    return total / known if known else np.nan


def ready(wanted: Counts, start: int, startup: StartUp) -> tuple[Counts, Counts]:
    """Replicas that serve in the first `startup.part` of each step, and in the rest of it."""
    padded = np.concatenate([np.full(startup.lead + 1, start), wanted[:-1]]).astype(np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(padded, startup.lead + 1)
    return windows.min(axis=1), windows[:, 1:].min(axis=1)


def paid(wanted: Counts, start: int) -> Counts:
    """Replicas paid for in each step: what was wanted at the end of the step before."""
    return np.concatenate([np.array([start], dtype=np.int64), wanted[:-1].astype(np.int64)])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """One policy on one history: per step the capacity that served, what was paid, what was missed.

    All in replicas (missed: replica-steps' worth of requests); gaps pay and miss nothing.
    """

    capacity: Floats
    paid: Floats
    missed: Floats

    def cost(self, first: int) -> float:
        """Replica-steps paid from step `first` on."""
        return float(self.paid[first:].sum())


def run(load: Floats, wanted: Counts, startup: StartUp, *, most: int | None = None) -> Run:
    """The fleet that follows `wanted` (one whole number per step, none over `most`) under `load` (in replicas)."""
    start = first_ready(load, most)
    known = np.isfinite(load)
    capacity = serving(np.ascontiguousarray(wanted, dtype=np.int64), start, startup.whole, startup.part)
    missed = np.where(known, np.maximum(0.0, np.nan_to_num(load) - capacity), 0.0)
    return Run(capacity=capacity, paid=np.where(known, paid(wanted, start), 0.0), missed=missed)
