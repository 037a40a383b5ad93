"""What a cluster knows of the object a workload runs as: kube-state-metrics, cAdvisor and the DCGM exporter.

`honor_labels: false` turns an exporter's own `namespace` and `pod` into `exported_namespace` and `exported_pod`, so both
are asked. Two exporters may run side by side, so values are a `max`, not a sum.

| what is asked | trap that is stepped around |
|---|---|
| `container_*` | a pod's own cgroup and its pause container are counted beside the containers: `container!=""`, `!="POD"` |
| `..._last_terminated_reason` | absent until something was killed: 0 where kube-state-metrics knows the pods at all |
| `DCGM_FI_PROF_GR_ENGINE_ACTIVE` | 0..1, and only with profiling; `DCGM_FI_DEV_GPU_UTIL` is 0..100 and counts any kernel |
| `DCGM_FI_DEV_FB_USED` | MiB; a blank value is written as 9.2e18 |
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

from domain.signals import Signal, quote
from domain.workload import ScaleTarget

_READY = {
    "Deployment": "kube_deployment_status_replicas_ready",
    "StatefulSet": "kube_statefulset_status_replicas_ready",
}
_WANTED = {"Deployment": "kube_deployment_spec_replicas", "StatefulSet": "kube_statefulset_replicas"}
_COUNTS: Mapping[Signal, Mapping[str, str]] = {Signal.READY_REPLICAS: _READY, Signal.WANTED_REPLICAS: _WANTED}

_CONTAINER = 'container!="",container!="POD"'
_CPU = (
    f"sum by ($pod) (max by ($pod, container) (rate(container_cpu_usage_seconds_total{{$pods,{_CONTAINER}}}[$window])))"
)
_MEMORY = f"max by ($pod, container) (max_over_time(container_memory_working_set_bytes{{$pods,{_CONTAINER}}}[$window]))"
_KILLED = 'kube_pod_container_status_last_terminated_reason{$pods,reason="OOMKilled"}'
_MOST_MIB = "1e9"  # a blank value of the exporter is far above, any accelerator far below
_USE: Mapping[Signal, tuple[str, ...]] = {
    Signal.CPU_CORES: (f"avg({_CPU})",),
    Signal.CPU_CORES_PEAK: (f"max({_CPU})",),
    Signal.MEMORY_BYTES: (f"max(sum by ($pod) ({_MEMORY}))",),
    Signal.OUT_OF_MEMORY: (
        f"sum(max by ($pod, container) (max_over_time({_KILLED}[$window])))",
        "0 * max(kube_pod_created{$pods})",
    ),
    Signal.ACCELERATOR_BUSY: (
        "max(avg_over_time(DCGM_FI_PROF_GR_ENGINE_ACTIVE{$pods}[$window]))",
        "max(avg_over_time(DCGM_FI_DEV_GPU_UTIL{$pods}[$window])) / 100",
    ),
    Signal.ACCELERATOR_MEMORY_BYTES: (
        f"max(max_over_time(DCGM_FI_DEV_FB_USED{{$pods}}[$window]) < {_MOST_MIB}) * {2**20}",
    ),
}


def query(target: ScaleTarget | None, signal: Signal, window: str) -> str | None:
    """PromQL for `signal` of `target`; None where a cluster has no such figure."""
    if target is None:
        return None
    if signal in _COUNTS:
        return _count(target, _COUNTS[signal].get(target.kind))
    return " or ".join(_of_pods(target, template, window) for template in _USE.get(signal, ())) or None


def _count(target: ScaleTarget, metric: str | None) -> str | None:
    name, namespace = f"{target.kind.lower()}={quote(target.name)}", quote(target.namespace)
    if metric is None:
        return None
    return f"max({metric}{{{name},namespace={namespace}}}) or max({metric}{{{name},exported_namespace={namespace}}})"


def _of_pods(target: ScaleTarget, template: str, window: str) -> str:
    """`template` for the pods of `target`, by either name of their labels."""
    either = (
        template.replace("$pods", f"{prefix}namespace={quote(target.namespace)},{prefix}pod=~{_pods(target)}")
        .replace("$pod", f"{prefix}pod")
        .replace("$window", window)
        for prefix in ("", "exported_")
    )
    return " or ".join(f"({one})" for one in either)


def _pods(target: ScaleTarget) -> str:
    """The quoted pattern of the names of the target's pods."""
    return quote(f"{re.escape(target.name)}-[a-z0-9]+(-[a-z0-9]+)?")


def images(target: ScaleTarget, within: timedelta) -> str:
    """PromQL for the images that the target's containers ran within a time before each moment, one series each."""
    window = f"{within.total_seconds():.0f}s"
    template = f"group by (image) (present_over_time(kube_pod_container_info{{$pods,{_CONTAINER}}}[$window]))"
    return _of_pods(target, template, window)


def starts(target: ScaleTarget, window: str) -> str:
    """PromQL for the seconds from created to first ready of each pod of `target` within `window`.

    The ready time moves on when a pod was unready for a while: the smallest one seen is its first. A subquery every
    ten minutes keeps weeks of a busy fleet under the server's limit of samples.
    """
    matchers = f"namespace={quote(target.namespace)},pod=~{_pods(target)}"
    ready = f"min by (namespace, pod, uid) (min_over_time(kube_pod_status_ready_time{{{matchers}}}[{window}:10m]))"
    created = f"max by (namespace, pod, uid) (max_over_time(kube_pod_created{{{matchers}}}[{window}:10m]))"
    return f"{ready} - on (namespace, pod, uid) {created}"
