"""What may live together, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SharingOptions:
    """Limits of a shared host.

    `host_fill` is how full it may be; a workload that needs more than `largest_share` of that is not shared.
    Blast radius: at most `max_workloads` live on one host, and two or more workloads of a team (of the whole
    fleet) only while one host carries at most `max_team_share` (`max_fleet_share`) of its requests; None is no limit.
    """

    enabled: bool = True
    host_fill: float = 0.75
    largest_share: float = 0.5
    max_workloads: int = 20
    max_team_share: float | None = None
    max_fleet_share: float | None = None
