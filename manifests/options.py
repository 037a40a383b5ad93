"""What a user may set about the manifests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestOptions:
    """Where autoscalers ask, and what the cluster can do.

    `exact_tolerance` is for clusters with HPAConfigurableTolerance (on by default since Kubernetes 1.35):
    the HPA's tolerance is then set to zero; elsewhere counts are rounded up to a ladder that the
    default tolerance of 10 % can not swallow. `timezone` is an IANA name for the calendar.
    """

    prometheus_url: str = "http://prometheus-server.monitoring.svc:80"
    timezone: str = "UTC"
    exact_tolerance: bool = False
    cpu_utilization: int = 70
    polling: timedelta = timedelta(seconds=30)
    scale_down_window: timedelta = timedelta(minutes=5)
    failures_before_fallback: int = 3
    headroom: float = 2.0  # maximum = headroom * the plan's peak, where the workload has no maximum of its own

    def __post_init__(self) -> None:
        if self.headroom < 1:
            raise ValueError(f"headroom must be at least 1, not {self.headroom}")


DEFAULTS = ManifestOptions()
