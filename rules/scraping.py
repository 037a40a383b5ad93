"""A whole prometheus.yml: what is scraped, which rules are evaluated, who is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from domain.artifact import Artifact
from domain.recorded import duration
from rules.document import document

HEADER = "Written by `trimtab render prometheus`: change the settings, not this file."


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusOptions:
    """Addresses (`host:port`) of what is scraped, and the files and Alertmanagers (their URLs) that rules need.

    `kubernetes` adds pods that ask for it by the usual `prometheus.io/*` annotations. `rule_files` are
    globs relative to prometheus.yml: rules lie beside it, or (as `trimtab serve` keeps them) in a folder `rules`.
    """

    scrape_interval: timedelta = timedelta(seconds=15)
    evaluation_interval: timedelta = timedelta(seconds=15)
    serving: Sequence[str] = ("127.0.0.1:8080",)
    quality: Sequence[str] = ("127.0.0.1:8090",)
    trimtab: Sequence[str] = ("127.0.0.1:8000",)
    node_exporters: Sequence[str] = ()
    kube_state_metrics: Sequence[str] = ()
    alertmanagers: Sequence[str] = ("http://127.0.0.1:9093",)
    rule_files: Sequence[str] = ("*.rules.yml", "rules/*.rules.yml")
    kubernetes: bool = False


def prometheus_config(options: PrometheusOptions | None = None) -> tuple[Artifact, ...]:
    """`prometheus.yml` for a Prometheus that watches the serving processes, the quality exporter and Trimtab."""
    chosen = options or PrometheusOptions()
    jobs = (
        ("serving", chosen.serving),
        ("model-quality", chosen.quality),
        ("trimtab", chosen.trimtab),
        ("node", chosen.node_exporters),
    )
    content = {
        "global": {
            "scrape_interval": duration(chosen.scrape_interval),
            "evaluation_interval": duration(chosen.evaluation_interval),
        },
        "rule_files": list(chosen.rule_files),
        "alerting": {"alertmanagers": [_alertmanager(url) for url in chosen.alertmanagers]},
        "scrape_configs": [
            *({"job_name": job, "static_configs": [{"targets": list(targets)}]} for job, targets in jobs if targets),
            *([_kube_state_metrics(chosen.kube_state_metrics)] if chosen.kube_state_metrics else []),
            *([_annotated_pods()] if chosen.kubernetes else []),
        ],
    }
    return (Artifact(path=PurePosixPath("prometheus.yml"), text=document(content, (HEADER,))),)


def _alertmanager(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    return {
        **({} if parts.scheme == "http" else {"scheme": parts.scheme}),
        **({"path_prefix": parts.path} if parts.path.strip("/") else {}),
        "static_configs": [{"targets": [parts.netloc]}],
    }


def _kube_state_metrics(targets: Sequence[str]) -> dict[str, Any]:
    """Its labels `namespace` and `pod` are those of what it tells of, not of where it runs."""
    return {
        "job_name": "kube-state-metrics",
        "honor_labels": True,
        "static_configs": [{"targets": list(targets)}],
    }


def _annotated_pods() -> dict[str, Any]:
    """Running pods annotated `prometheus.io/scrape: "true"`, with their own scheme, path and port where they say so.

    `pod` and `namespace` are kept because alerts on replicas need them; the workload's own labels come from
    its metrics. IPv6 addresses are bracketed by Kubernetes' discovery and kept so. (Debian's promtool is built without that discovery and refuses the block.)
    """
    annotation = "__meta_kubernetes_pod_annotation_prometheus_io_"
    return {
        "job_name": "kubernetes-pods",
        "kubernetes_sd_configs": [{"role": "pod"}],
        "relabel_configs": [
            {"source_labels": [f"{annotation}scrape"], "action": "keep", "regex": "true"},
            {"source_labels": ["__meta_kubernetes_pod_phase"], "action": "drop", "regex": "Pending|Succeeded|Failed"},
            {"source_labels": [f"{annotation}scheme"], "target_label": "__scheme__", "regex": "(https?)"},
            {"source_labels": [f"{annotation}path"], "target_label": "__metrics_path__", "regex": "(.+)"},
            {
                "source_labels": ["__address__", f"{annotation}port"],
                "target_label": "__address__",
                "regex": r"(.+?)(?::\d+)?;(\d+)",
                "replacement": "$1:$2",
            },
            {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
            {"source_labels": ["__meta_kubernetes_pod_name"], "target_label": "pod"},
        ],
    }
