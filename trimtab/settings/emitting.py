"""What is written for others to use, where, and what is known of those who will read it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from trimtab.settings.section import BesideFile, HttpUrl, Seconds, Section, Text, Zone


class ClusterSettings(Section):
    """What autoscaling manifests rest on: where they ask, and what the cluster can do."""

    prometheus_url: HttpUrl | None = Field(
        default=None,
        description="Address at which KEDA reaches the Prometheus that scrapes Trimtab; by default prometheus.url, unless "
        "that is on this machine: then one is assumed, and said so.",
    )
    timezone: Zone = Field(default="UTC", description="IANA time zone that calendars and schedules are written in.")
    exact_tolerance: bool = Field(
        default=False,
        description="Whether the cluster has HPAConfigurableTolerance (on by default since Kubernetes 1.35): counts are "
        "then exact, and not rounded up past the HPA's tolerance.",
    )
    cpu_utilization: int = Field(
        default=70, ge=1, le=100, description="Percent of the processors at which replicas are added above the floor."
    )
    polling_s: int = Field(default=30, ge=1, le=86_400, description="Seconds after which KEDA asks again.")
    scale_down_window_s: int = Field(
        default=300, ge=0, le=3600, description="Seconds of agreement before replicas are taken away."
    )
    failures_before_fallback: int = Field(
        default=3, ge=1, le=1_000, description="Failed questions after which KEDA keeps the last good number."
    )
    headroom: float = Field(
        default=2.0,
        ge=1,
        le=1_000,
        description="Times the plan's peak, the maximum of a workload that has none of its own.",
    )


class GrafanaSettings(Section):
    """The Grafana that dashboards are written for."""

    prometheus_url: HttpUrl | None = Field(
        default=None, description="Address at which it reaches Prometheus; by default prometheus.url."
    )
    dashboards_path: Text = Field(
        default="/var/lib/grafana/dashboards/trimtab",
        description="Folder, as Grafana sees it, that the JSON files are put into.",
    )
    folder: Text = Field(default="Trimtab", description="Folder that the dashboards appear in.")
    scrape_interval_s: Seconds = Field(default=15.0, description="Seconds between two samples: its shortest step.")


class EmitSettings(Section):
    """Where each cycle writes rules, dashboards and manifests, and in which forms."""

    dir: BesideFile | None = Field(
        default=None,
        description="Folder that is kept up to date: what is no longer rendered is removed, if Trimtab wrote it. Without it nothing is written.",
    )
    manifests: (
        tuple[
            Literal[
                "hpa", "keda", "keda-schedule", "adapter", "kustomize", "helm", "resources", "terraform", "ecs"
            ],
            ...,
        ]
        | None
    ) = Field(
        default=None, description="Forms of manifests; by default every one that suits a workload's target, but adapter."
    )  # fmt: skip
    cluster: ClusterSettings = Field(default_factory=ClusterSettings, description="What manifests rest on.")
    grafana: GrafanaSettings = Field(default_factory=GrafanaSettings, description="What dashboards rest on.")
