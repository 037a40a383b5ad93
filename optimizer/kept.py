"""What it comes to if nothing is changed but the number of replicas."""

from __future__ import annotations

from dataclasses import dataclass

from domain.plan import Plan
from domain.workload import PurchaseMix
from optimizer.modes import Quote


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A plan with the quote that it was made from, and what that would cost without spot.

    `missed` is the share of the recent requests that it would have missed.
    """

    plan: Plan
    quote: Quote
    without_spot_usd: float
    missed: float


def words(mix: PurchaseMix) -> str:
    """Shares of a mix, such as `60% reserved, 40% on demand`."""
    if not mix.reserved + mix.spot:
        return "all on demand"
    ways = (("reserved", mix.reserved), ("on demand", mix.on_demand), ("spot", mix.spot))
    return ", ".join(f"{held / mix.replicas:.0%} {way}" for way, held in ways if held > 0)
