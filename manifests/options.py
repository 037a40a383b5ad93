"""What a user may set about the manifests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Form(StrEnum):
    """A kind of manifest; its files stand in a folder of this name."""

    HPA = "hpa"
    KEDA = "keda"
    KEDA_SCHEDULE = "keda-schedule"
    ADAPTER = "adapter"
    KUSTOMIZE = "kustomize"
    HELM = "helm"
    RESOURCES = "resources"
    TERRAFORM = "terraform"
    ECS = "ecs"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestOptions:
    """Which manifests are wanted, where autoscalers ask, and what the cluster can do.

    `forms` None is every form that suits the target but the adapter's. `prometheus_url` None is: nobody says, so one is
    assumed and said so. `exact_tolerance` is for clusters with HPAConfigurableTolerance (on by default since Kubernetes
    1.35): the HPA's tolerance is then set to zero; elsewhere counts are rounded up to a ladder that the default tolerance
    of 10 % can not swallow. `timezone` is an IANA name for the calendar.
    """

    forms: frozenset[Form] | None = None
    prometheus_url: str | None = None
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
