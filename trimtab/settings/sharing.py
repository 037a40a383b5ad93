"""What may live together on one host."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from trimtab.settings.section import Section

Part = Annotated[float, Field(gt=0, le=1)]


class SharingSettings(Section):
    """What may live together on one host, and how much may fall with it."""

    enabled: bool = Field(default=True, description="Whether workloads that allow the mode shared are put together.")
    host_fill: Part = Field(default=0.75, description="How full a shared host may be, of what is left to replicas.")
    largest_share: Part = Field(
        default=0.5, description="Share of that which one workload may need; one that needs more is not shared."
    )
    max_workloads: int = Field(default=20, ge=2, description="Workloads that may live on one host.")
    max_team_share: Part | None = Field(
        default=None,
        description="Share of a team's requests that one host may carry, where it has two or more of the team's workloads.",
    )
    max_fleet_share: Part | None = Field(
        default=None,
        description="Share of all requests that one host may carry, where it has two or more workloads.",
    )
