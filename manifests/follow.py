"""What an autoscaler asks Prometheus for to follow a recommendation."""

from __future__ import annotations

from domain.signals import quote
from manifests.ladder import Ladder

RECOMMENDED = "trimtab_recommended_replicas"


def recommended_series(workload_id: str) -> str:
    """The workload's recommended number, as it is exported."""
    return f"{RECOMMENDED}{{workload={quote(workload_id)}}}"


def followed(workload_id: str, counts: Ladder) -> str:
    """The count to run now, one element without labels; nothing once the recommendation has expired, never zero."""
    return counts.query(f"max({recommended_series(workload_id)})")
