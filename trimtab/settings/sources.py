"""Where facts come from: a Prometheus, recorded files, and what is scraped."""

from __future__ import annotations

import math

from pydantic import Field, ValidationInfo, field_validator

from trimtab.settings.section import BesideFile, HttpUrl, Seconds, Section, Span, Text


class PrometheusSettings(Section):
    """The Prometheus (or a server that speaks its API) that knows the workloads."""

    url: HttpUrl = Field(
        description="Address of the server, for example http://127.0.0.1:9090, with credentials where it wants any: "
        "`http://user:password@host:9090`. They are sent with each query and written nowhere."
    )
    timeout_s: Seconds = Field(default=60.0, description="Seconds after which one query is given up.")
    concurrency: int = Field(default=4, ge=1, le=32, description="Queries under way at the same time.")


class HistorySettings(Section):
    """How much load history is used, and files to read it from in place of Prometheus."""

    files: dict[str, BesideFile] = Field(
        default_factory=dict,
        description="Recorded history: workload id to trace file (CSV or CSV.gz with `timestamp` and `requests`).",
    )
    lookback_days: Span = Field(default=28.0, description="Days of history that are read.")
    step_s: Seconds = Field(default=300.0, description="Width in seconds of one step of the history from Prometheus.")

    @field_validator("step_s")
    @classmethod
    def _whole_seconds(cls, value: float, info: ValidationInfo) -> float:
        if value % 1:
            raise ValueError("give whole seconds, as Prometheus is asked in them")
        if value > info.data.get("lookback_days", math.inf) * 86400:
            raise ValueError("give a step that is shorter than lookback_days")
        return value


class ScrapeSettings(Section):
    """What a rendered prometheus.yml scrapes, as host:port."""

    serving: tuple[Text, ...] = Field(default=("127.0.0.1:8080",), description="Model servers.")
    quality: tuple[Text, ...] = Field(default=("127.0.0.1:8090",), description="Model-quality exporters.")
    node_exporters: tuple[Text, ...] = Field(default=(), description="Node exporters.")
    kube_state_metrics: tuple[Text, ...] = Field(
        default=(), description="kube-state-metrics, which tells of replicas, starts and autoscalers."
    )
    kubernetes: bool = Field(default=False, description="Also pods with the usual prometheus.io annotations.")
