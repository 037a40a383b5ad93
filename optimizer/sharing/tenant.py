"""A workload as it would live on a shared host: what it needs by the hour, and the most that it would pay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from domain.load import Floats, LoadHistory
from optimizer.purchase import Risk

RESOURCES = ("cpu_cores", "memory_gib", "accelerators", "accelerator_gib")


class Pool(NamedTuple):
    """What has to be the same for workloads to share a host at all; "" where there is none."""

    cloud: str
    region: str
    architecture: str
    accelerator: str
    isolation_group: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tenant:
    """`need` is what one of its `parts` takes of each of `RESOURCES`, hour by hour, shape (4, hours).

    Parts live on different hosts, each with an equal part of the load: a workload that keeps two replicas at least
    is not to fall with one host. On accelerators a part is one copy on one device.

    `alone_usd` is what it costs a month by itself, `most_usd` the most that it pays for coming to a shared host, and
    `stays_usd` for staying on one. `past` is the measured load in replicas, of which each takes `cores` and
    `accelerators` when busy.
    """

    workload: str
    pool: Pool
    parts: int
    need: Floats
    alone_usd: float
    most_usd: float
    stays_usd: float
    rate_rps: float
    team: str | None
    apart_from: frozenset[str]
    risk: Risk
    past: LoadHistory
    cores: float
    accelerators: float

    def __post_init__(self) -> None:
        if self.need.ndim != 2 or len(self.need) != len(RESOURCES):
            raise ValueError(f"need has the shape (4, hours), not {self.need.shape}")
        if self.parts < 1:
            raise ValueError(f"a tenant has at least one part, not {self.parts}")

    @property
    def worth(self) -> float:
        """The most that one part pays."""
        return self.most_usd / self.parts
