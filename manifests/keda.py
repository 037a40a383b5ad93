"""A KEDA ScaledObject that follows `trimtab_recommended_replicas`, with the plan's calendar as a floor.

What KEDA's HPA makes of it, and the traps:
- threshold 1 and AverageValue: desired = ceil(value / 1), so the metric is the replica count;
- the HPA's tolerance swallows small steps: counts are rounded up to a ladder (manifests.ladder), or the
  tolerance is set to zero where the cluster can do that;
- policies of a tenth or a few pods would stop between two rungs, where the tolerance holds: one step may go all the way;
- `ignoreNullValues: "false"`: an expired recommendation is an error, never zero, and after some failures the
  fallback keeps at least the last good number;
- a cron trigger is a floor: the HPA takes the highest of all triggers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domain.plan import Act, CalendarStep
from domain.signals import quote
from domain.workload import ScaleTarget
from manifests.bounds import API_VERSIONS, ReplicaBounds
from manifests.calendar import cron_windows
from manifests.ladder import ladder, rounded_query, rung
from manifests.options import ManifestOptions


def scaled_object(
    metadata: dict[str, Any], target: ScaleTarget, bounds: ReplicaBounds, act: Act, options: ManifestOptions
) -> dict[str, Any]:
    """The object; every trigger's metadata are strings, as KEDA's schema demands."""
    rungs = _rungs(bounds, options)
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": metadata,
        "spec": {
            "scaleTargetRef": {"apiVersion": API_VERSIONS[target.kind], "kind": target.kind, "name": target.name},
            "pollingInterval": int(options.polling.total_seconds()),
            "minReplicaCount": rungs[0],
            "maxReplicaCount": bounds.maximum,
            "fallback": {
                "failureThreshold": options.failures_before_fallback,
                "replicas": rung(act.plan.proposed.replicas, rungs),
                "behavior": "currentReplicasIfHigher",
            },
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": one_step_behavior(bounds.maximum, options)}},
            "triggers": [_recommended(act.workload, rungs, options), *cron_triggers(act.plan.calendar, rungs, options)],
        },
    }


def _rungs(bounds: ReplicaBounds, options: ManifestOptions) -> tuple[int, ...]:
    if options.exact_tolerance:
        return tuple(range(bounds.base, bounds.maximum + 1))
    return ladder(bounds.base, bounds.maximum)


def _recommended(workload_id: str, rungs: tuple[int, ...], options: ManifestOptions) -> dict[str, Any]:
    recommended = f"max(trimtab_recommended_replicas{{workload={quote(workload_id)}}})"
    return {
        "type": "prometheus",
        "name": "recommended",
        "metricType": "AverageValue",
        "metadata": {
            "serverAddress": options.prometheus_url,
            "query": rounded_query(recommended, rungs),
            "threshold": "1",
            "ignoreNullValues": "false",
        },
    }


def cron_triggers(
    steps: Sequence[CalendarStep], rungs: tuple[int, ...], options: ManifestOptions
) -> list[dict[str, Any]]:
    """One cron trigger for each window of the week above the lowest rung."""
    return [
        {
            "type": "cron",
            "name": f"calendar-{number}",
            "metadata": {
                "timezone": options.timezone,
                "start": window.start,
                "end": window.end,
                "desiredReplicas": str(rung(window.replicas, rungs)),
            },
        }
        for number, window in enumerate(cron_windows(steps, rungs[0], options.timezone), start=1)
    ]


def one_step_behavior(maximum: int, options: ManifestOptions) -> dict[str, Any]:
    """The HPA's behavior under which one decision may go all the way, up at once and down after the window."""
    window_s = int(options.scale_down_window.total_seconds())
    return {
        direction: {
            "stabilizationWindowSeconds": window,
            "selectPolicy": "Max",
            "policies": [{"type": "Pods", "value": maximum, "periodSeconds": 15}],
            **({"tolerance": "0"} if options.exact_tolerance else {}),
        }
        for direction, window in (("scaleUp", 0), ("scaleDown", window_s))
    }
