"""Spot and on-demand units under one load: the physics of `optimizer.physics`, with machines that are taken back.

What is wanted at the END of step t is paid for from step t+1 on and serves a start-up after it was
asked for. Of spot no more is held in a step than is available in it: what is over that is gone with
the beginning of the step, save that what served already goes on for its notice. A unit taken back
has to be bought again and starts anew. Beside it runs, for comparison, the same fleet all on demand.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.load import LoadHistory
from optimizer.compiled import compiled
from optimizer.physics import Counts, Floats, StartUp


class Delay(NamedTuple):
    """A start-up in steps (`whole` and `part`, as `StartUp`), the steps until a unit is `ready`, and `notice` in steps.

    `loss` are the unit-steps missed when a serving unit is taken back: seen at the end of the step, then a start-up.
    """

    whole: int
    part: float
    ready: int
    notice: float
    loss: float

    @classmethod
    def of(cls, startup: timedelta, notice: timedelta, step: timedelta) -> Delay:
        """A notice longer than a step or than the start-up helps no further: it counts as the shorter of them."""
        found = StartUp.of(startup, step)
        shown = max(timedelta(0), min(notice, startup, step)) / step
        return cls(
            whole=found.whole,
            part=found.part,
            ready=found.whole + (found.part > 0),
            notice=shown,
            loss=1.0 + found.whole + found.part - shown,
        )


class Fleet(NamedTuple):
    """Units held per step on `spot`, `on_demand`, and by the fleet `alone` on demand; filled in as steps happen.

    `paid_spot` has the notice that was served, `promised` is what the fleet alone served, `missed` what
    this one did not of it. `start` units were on demand, and ready, before the first step.
    """

    spot: Counts
    on_demand: Counts
    alone: Counts
    paid_spot: Floats
    promised: Floats
    missed: Floats
    start: int
    delay: Delay


class Wish(NamedTuple):
    """Numbers wanted at the end of a step: `units` in all, and how they are to be held."""

    units: int
    spot: int
    on_demand: int


@compiled
def lasting(held: Counts, t: int, steps: int, before: int) -> int:
    """Units held without a break through the last `steps` steps up to t (at least this one); `before` were held earlier."""
    least = held[t]
    for j in range(t - steps + 1, t):
        least = min(least, held[j] if j >= 0 else before)
    return int(least)


@compiled
def served(held: Counts, t: int, delay: Delay, before: int) -> float:
    """Capacity of these units in step t: those that just became ready count for the part of the step that is left."""
    ready = lasting(held, t, delay.whole + 1, before)
    return float(ready - delay.part * (ready - lasting(held, t, delay.whole + 2, before)))


@compiled
def settle(fleet: Fleet, t: int, wish: Wish, available: int) -> int:
    """Step t happens, as it was wished for at the end of the one before; spot units that are ready at its end."""
    delay, start = fleet.delay, fleet.start
    fleet.spot[t], fleet.on_demand[t], fleet.alone[t] = min(wish.spot, available), wish.on_demand, wish.units
    serving = lasting(fleet.spot, t - 1, delay.ready, 0) if t > 0 else 0
    on_notice = delay.notice * max(0, min(serving, wish.spot) - fleet.spot[t])
    capacity = served(fleet.spot, t, delay, 0) + served(fleet.on_demand, t, delay, start) + on_notice
    fleet.paid_spot[t] = fleet.spot[t] + on_notice
    fleet.promised[t] = served(fleet.alone, t, delay, start)
    fleet.missed[t] = max(0.0, fleet.promised[t] - capacity)
    return lasting(fleet.spot, t, delay.ready, 0)


def new_fleet(wanted: Counts, delay: Delay) -> Fleet:
    """A fleet that begins all on demand, ready for the first number wanted."""
    steps, start = len(wanted), int(wanted[0]) if len(wanted) else 0
    spot, on_demand, alone = (np.zeros(steps, dtype=np.int64) for _ in range(3))
    paid, promised, missed = (np.zeros(steps) for _ in range(3))
    return Fleet(spot, on_demand, alone, paid, promised, missed, start, delay)


def known_counts(available: LoadHistory) -> tuple[Counts, NDArray[np.bool_]]:
    """Whole machines that could be held, none where that is not known, and where it is known."""
    known = np.isfinite(available.values)
    return np.floor(np.nan_to_num(available.values)).astype(np.int64), known


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpotRun:
    """Units paid for per step, and unit-steps that the same fleet on demand would have served and this one did not.

    `served_on_demand` is what that fleet served, `paid_on_demand` what it paid for. Steps of unknown
    availability count nothing. `waits` are in steps, NaN where none was asked.
    """

    spot: Floats
    on_demand: Floats
    missed: Floats
    served_on_demand: Floats
    paid_on_demand: Floats
    waits: Floats

    @classmethod
    def of(cls, fleet: Fleet, known: NDArray[np.bool_], waits: Floats) -> SpotRun:
        """What the fleet did in the steps that are known."""
        return cls(
            spot=np.where(known, fleet.paid_spot, 0.0),
            on_demand=np.where(known, fleet.on_demand, 0.0),
            missed=np.where(known, fleet.missed, 0.0),
            served_on_demand=np.where(known, fleet.promised, 0.0),
            paid_on_demand=np.where(known, fleet.alone, 0.0),
            waits=waits,
        )

    def saving(self, price: float) -> float:
        """Share of the all-on-demand cost that is saved, with spot at `price` of on-demand; 0 where nothing was wanted."""
        alone = float(self.paid_on_demand.sum())
        return 1.0 - float(self.on_demand.sum() + price * self.spot.sum()) / alone if alone > 0 else 0.0

    @property
    def missed_share(self) -> float:
        """Share of what on-demand would have served that was lost to spot."""
        promised = float(self.served_on_demand.sum())
        return float(self.missed.sum()) / promised if promised > 0 else 0.0
