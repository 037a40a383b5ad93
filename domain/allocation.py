"""What one replica should ask of a cluster: processors, memory, accelerators."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.unknown import Unknown


class AllocationBasis(StrEnum):
    """Where the figures come from: at least one of them was measured, or all are as declared."""

    MEASURED = "measured"
    DECLARED = "declared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """Requests and limits of one replica, and what they come to.

    No CPU limit is None: throttling costs latency and saves nothing. `spot_eligible` says whether its machines may be
    taken away at short notice. `usd_per_month` is what the workload costs when priced with these figures,
    `declared_usd_per_month` with the declared ones, by the same forecast and policy; where `priced` is False the plan
    stays with the declared ones, because these would not make it cheaper or fit nowhere.
    """

    basis: AllocationBasis
    cpu_request_cores: float
    cpu_limit_cores: float | None
    memory_request_gib: float
    memory_limit_gib: float
    accelerator: str | None
    accelerator_count: int
    spot_eligible: bool
    priced: bool
    usd_per_month: float | Unknown
    declared_usd_per_month: float | Unknown
    detail: str
