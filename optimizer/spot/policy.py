"""How many units to hold on spot and how many on demand, step by step, seeing nothing later.

At the end of a step the policy knows what is wanted and what could be had until then. A unit goes on
spot once its machine could be had without a break for the wait (`patience`), and only if losing it too
would stay within the error budget earned so far, of which one loss is advanced. On-demand is let go
when the spot unit serves and asked for again when it is taken back. All of that is first
played in shadow; it is done for real only while the shadow, on the history so far, has cost less than
on-demand alone and kept within the budget. Elsewhere everything stays on demand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.load import LoadHistory
from optimizer.compiled import compiled
from optimizer.physics import Counts, Floats
from optimizer.spot.fleet import Delay, Fleet, SpotRun, Wish, known_counts, new_fleet, settle
from optimizer.spot.patience import SpotPrior, Stretches, stretches, wait_for, watch

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotProblem:
    """`price` is that of spot over on-demand; `budget` the share of the wanted unit-time that may be lost to spot."""

    startup: timedelta
    price: float
    budget: float
    notice: timedelta = timedelta(0)
    prior: SpotPrior = field(default_factory=SpotPrior)

    def __post_init__(self) -> None:
        if not self.price > 0.0:
            raise ValueError(f"the price of spot over on-demand must be positive, not {self.price}")
        if not 0.0 <= self.budget < 1.0:
            raise ValueError(f"the budget must be a share of at least 0 and under 1, not {self.budget}")
        if self.startup < timedelta(0) or self.notice < timedelta(0):
            raise ValueError(f"start-up and notice cannot be negative: {self.startup}, {self.notice}")

    def delay(self, step: timedelta) -> Delay:
        """Start-up and notice in steps, and what a loss costs."""
        return Delay.of(self.startup, self.notice, step)


class _Seen(NamedTuple):
    """What is known step by step: machines available, whether that is known, units wanted, and whether spot is allowed."""

    available: Counts
    known: Flags
    wanted: Counts
    allowed: Flags


class _Terms(NamedTuple):
    """The problem in steps: `budget` and `caution` are shares, `ahead` and `prior` lengths of time."""

    price: float
    budget: float
    caution: float
    ahead: float
    prior: float


def hold(available: LoadHistory, wanted: Counts, problem: SpotProblem) -> SpotRun:
    """The policy on a history of availability (machines that could be held; NaN where unknown, which is not trusted).

    `wanted[t]` are the units wanted at the end of step t. ValueError if the two do not match in length.
    """
    if len(wanted) != len(available):
        raise ValueError(f"{len(wanted)} wanted numbers for {len(available)} steps of availability")
    shadow = _held(available, wanted, problem, np.ones(len(wanted), dtype=np.bool_))
    return _held(available, wanted, problem, _proved(shadow, problem))


def _proved(shadow: SpotRun, problem: SpotProblem) -> Flags:
    """Where, on the history up to and including the step, spot cost less than on-demand and kept the budget."""
    cost = np.cumsum(shadow.on_demand + problem.price * shadow.spot)
    cheaper = cost < np.cumsum(shadow.paid_on_demand)
    kept: Flags = np.cumsum(shadow.missed) <= problem.budget * np.cumsum(shadow.served_on_demand)
    return cheaper & kept


def _held(available: LoadHistory, wanted: Counts, problem: SpotProblem, allowed: Flags) -> SpotRun:
    numbers = np.ascontiguousarray(wanted, dtype=np.int64)
    counts, known = known_counts(available)
    fleet = new_fleet(numbers, problem.delay(available.step))
    prior = problem.prior
    terms = _Terms(
        price=problem.price,
        budget=problem.budget,
        caution=prior.caution,
        ahead=prior.ahead / available.step,
        prior=prior.runs * (prior.cycle / available.step),
    )
    learned = stretches(prior, available.step, fleet.delay.ready)
    waits = np.full(len(numbers), np.nan)
    _run(_Seen(counts, known, numbers, allowed), fleet, terms, learned, waits)
    return SpotRun.of(fleet, known, waits)


@compiled
def _run(seen: _Seen, fleet: Fleet, terms: _Terms, learned: Stretches, waits: Floats) -> None:
    """Every step in order: what was decided happens, is learned from, and the next numbers are decided."""
    size = seen.wanted.max() if len(seen.wanted) else 0  # of the arrays only: no unit is looked at before it is wanted
    age, passed = np.zeros(size, np.int64), np.zeros(size, np.int64)
    earned, lost, loss = 0.0, 0.0, fleet.delay.loss
    wish = Wish(fleet.start, 0, fleet.start)
    for t in range(len(seen.wanted)):
        free, units = seen.available[t], seen.wanted[t]
        spot_ready = settle(fleet, t, wish, free)
        if seen.known[t]:
            earned += terms.budget * fleet.promised[t]
            lost += fleet.missed[t]
            watch(learned, age, passed, free, units)
        else:
            age[:], passed[:] = 0, 0
        taken = min(fleet.spot[t], units)
        room = int((max(earned, loss) - lost) / loss + 1e-9)  # losses that the budget still pays for
        most = min(units, free, room) if seen.allowed[t] else taken
        if most > taken:
            rate = terms.caution * (room / units + terms.budget * terms.ahead / loss) / terms.ahead
            waits[t] = wait_for(learned, terms.price, fleet.delay.ready, rate * (t + 1 + terms.prior))
            while taken < most and age[taken] >= max(1.0, waits[t]):
                taken += 1
        wish = Wish(units, taken, units - min(taken, spot_ready))
