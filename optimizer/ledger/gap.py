"""The gap between what was promised and what was realised, walked in steps that each change one thing.

    promised             at the load, prices and capacity of the decision
      load               the saving of the proposal on the night's load
      price              ... at the newest prices
      capacity           ... with what a replica carries and needs as of that night
      not applied        what really ran, in place of what was proposed
    realised

so that the parts add up to the gap. Replicas that follow the numbers asked for never match them all the time:
that part of the last step is `other`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.ledger import Gap
from domain.unknown import Unknown

Usd = float | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """The saving of the proposal on the night's load, at the newest prices, and with capacity and needs as of the night.

    `capacity` says why the night's capacity is not known, where it is not: that of the decision then stands in for it.
    `tracking` is what the replicas that followed cost less than the numbers asked for.
    """

    on_load: Usd
    at_prices: Usd
    with_capacity: Usd
    capacity: Unknown | None
    tracking: float


def gap_of(promised: float, steps: Steps, realised: float) -> Gap:
    """The parts of `realised` - `promised`; amounts are exact (`domain.ledger.exact`), and so are their sums."""
    load = less(steps.on_load, promised)
    price = less(steps.at_prices, steps.on_load)
    capacity = steps.capacity or less(steps.with_capacity, steps.at_prices)
    not_applied = less(less(realised, steps.with_capacity), steps.tracking)
    known = _sum((load, price, capacity, not_applied))
    return Gap(load=load, price=price, capacity=capacity, not_applied=not_applied, other=realised - promised - known)


def less(one: Usd, other: Usd) -> Usd:
    """`one` - `other`, Unknown for the reason of the first that is."""
    if isinstance(one, Unknown):
        return one
    return other if isinstance(other, Unknown) else one - other


def _sum(parts: Sequence[Usd]) -> float:
    return sum(part for part in parts if not isinstance(part, Unknown))
