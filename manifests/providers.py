"""The purchase mix as a capacity-provider strategy of an ECS service: a base, and weights above it.

`base` tasks run on the provider that has one; further tasks are spread by weight (Amazon ECS developer guide, "Capacity
provider strategy"). Reserved machines are on-demand ones that are paid for anyway, so they are the base.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from domain.unknown import Unknown
from domain.workload import PurchaseMix, ScaleTarget

_DUST = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderShare:
    """One item of the strategy: at least `base` tasks, and `weight` parts of those above the base."""

    provider: str
    base: int
    weight: int


def strategy(mix: PurchaseMix, target: ScaleTarget) -> tuple[ProviderShare, ...] | Unknown:
    """On-demand machines first; never a larger share of spot than the mix has."""
    steady = mix.reserved + mix.on_demand
    if mix.replicas <= 0:
        return Unknown("the plan buys no machines")
    if steady > 0 and target.on_demand_provider is None:
        return Unknown("the settings name no capacity provider of on-demand machines (target.on_demand_provider)")
    if mix.spot > 0 and target.spot_provider is None:
        return Unknown("the settings name no capacity provider of spot machines (target.spot_provider)")
    base = math.ceil(mix.reserved - _DUST)
    on_demand, spot = _weights(max(0.0, steady - base), mix.spot)
    found = []
    if target.on_demand_provider is not None and (base or on_demand):
        found.append(ProviderShare(provider=target.on_demand_provider, base=base, weight=on_demand))
    if target.spot_provider is not None and spot:
        found.append(ProviderShare(provider=target.spot_provider, base=0, weight=spot))
    return tuple(found)


def _weights(on_demand: float, spot: float) -> tuple[int, int]:
    """Shares in the least whole numbers, to a hundredth; spot is rounded down."""
    if spot <= 0:
        return 1, 0
    parts = math.floor(100 * spot / (on_demand + spot) + _DUST)
    least = math.gcd(100 - parts, parts)
    return (100 - parts) // least, parts // least
