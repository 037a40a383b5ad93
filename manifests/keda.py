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

from typing import Any

from domain.plan import Act, Plan
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
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": _behavior(bounds, options)}},
            "triggers": [_recommended(act.workload, rungs, options), *_calendar(act.plan, rungs, options)],
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


def _calendar(plan: Plan, rungs: tuple[int, ...], options: ManifestOptions) -> list[dict[str, Any]]:
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
        for number, window in enumerate(cron_windows(plan.calendar, rungs[0], options.timezone), start=1)
    ]


def _behavior(bounds: ReplicaBounds, options: ManifestOptions) -> dict[str, Any]:
    window_s = int(options.scale_down_window.total_seconds())
    return {
        direction: {
            "stabilizationWindowSeconds": window,
            "selectPolicy": "Max",
            "policies": [{"type": "Pods", "value": bounds.maximum, "periodSeconds": 15}],
            **({"tolerance": "0"} if options.exact_tolerance else {}),
        }
        for direction, window in (("scaleUp", 0), ("scaleDown", window_s))
    }
