"""What kube-state-metrics knows of the object a workload runs as.

`honor_labels: false` turns the exporter's own `namespace` into `exported_namespace`, so both are asked. Two exporters
may run side by side, so values are a `max`, not a sum.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from domain.signals import Signal, quote
from domain.workload import ScaleTarget

_READY = {
    "Deployment": "kube_deployment_status_replicas_ready",
    "StatefulSet": "kube_statefulset_status_replicas_ready",
}
_WANTED = {"Deployment": "kube_deployment_spec_replicas", "StatefulSet": "kube_statefulset_replicas"}
_METRICS: Mapping[Signal, Mapping[str, str]] = {Signal.READY_REPLICAS: _READY, Signal.WANTED_REPLICAS: _WANTED}


def replicas(target: ScaleTarget | None, signal: Signal) -> str | None:
    """PromQL for ready or wanted replicas of `target`; None where Kubernetes has no such figure."""
    metric = _METRICS.get(signal, {}).get(target.kind) if target else None
    if target is None or metric is None:
        return None
    name = f"{target.kind.lower()}={quote(target.name)}"
    namespace = quote(target.namespace)
    return f"max({metric}{{{name},namespace={namespace}}}) or max({metric}{{{name},exported_namespace={namespace}}})"


def starts(target: ScaleTarget, window: str) -> str:
    """PromQL for the seconds from created to first ready of each pod of `target` within `window`.

    The ready time moves on when a pod was unready for a while: the smallest one seen is its first. A subquery every
    ten minutes keeps weeks of a busy fleet under the server's limit of samples.
    """
    pods = f"{re.escape(target.name)}-[a-z0-9]+(-[a-z0-9]+)?"
    matchers = f"namespace={quote(target.namespace)},pod=~{quote(pods)}"
    ready = f"min by (namespace, pod, uid) (min_over_time(kube_pod_status_ready_time{{{matchers}}}[{window}:10m]))"
    created = f"max by (namespace, pod, uid) (max_over_time(kube_pod_created{{{matchers}}}[{window}:10m]))"
    return f"{ready} - on (namespace, pod, uid) {created}"
