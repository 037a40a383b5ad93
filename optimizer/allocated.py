"""What a replica should ask for, told of the plan that came out: kept as today, or on a host with others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from domain.allocation import Allocation
from domain.plan import Json
from domain.unknown import Unknown
from domain.workload import Resources

NOT_THESE = Unknown("the plan is not priced with these figures")
NOT_DECLARED = Unknown("the plan is not priced with the declared figures")
ON_A_SHARED_HOST = "shared hosts are not bought on spot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The parts of a recommendation that are about its plan: the allocation, and of the evidence `prices` and whether it may be spot."""

    allocation: Allocation
    prices: Mapping[str, Json]
    spot: str


def priced_for(
    allocation: Allocation, *, size: Resources, declared: Resources, usd: float, spot_eligible: bool
) -> Allocation:
    """The allocation beside a plan that costs `usd` a month with replicas of `size`."""
    asked = (allocation.cpu_request_cores, allocation.memory_request_gib)
    priced = (size.cpu_cores, size.memory_gib) == asked
    return replace(
        allocation,
        priced=priced and size != declared,
        usd_per_month=usd if priced else NOT_THESE,
        declared_usd_per_month=usd if size == declared else NOT_DECLARED,
        spot_eligible=spot_eligible,
    )
