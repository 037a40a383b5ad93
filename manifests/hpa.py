"""An `autoscaling/v2` HorizontalPodAutoscaler: the plan is its floor, CPU its safety net.

The recommended number stands in `minReplicas`, which the HPA applies whatever its tolerance. It says
what holds until the recommendation expires, so it is to be rendered again by then.
"""

from __future__ import annotations

from typing import Any

from domain.workload import ScaleTarget
from manifests.bounds import API_VERSIONS, ReplicaBounds
from manifests.options import ManifestOptions


def horizontal_pod_autoscaler(
    metadata: dict[str, Any], target: ScaleTarget, bounds: ReplicaBounds, options: ManifestOptions
) -> dict[str, Any]:
    """The object; `minReplicas` is at least 1, because 0 needs an alpha gate."""
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata,
        "spec": {
            "scaleTargetRef": {"apiVersion": API_VERSIONS[target.kind], "kind": target.kind, "name": target.name},
            "minReplicas": max(1, bounds.floor),
            "maxReplicas": bounds.maximum,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {
                        "name": "cpu",
                        "target": {"type": "Utilization", "averageUtilization": options.cpu_utilization},
                    },
                }
            ],
            "behavior": _behavior(options),
        },
    }


def _behavior(options: ManifestOptions) -> dict[str, Any]:
    """Up as fast as Kubernetes does by default; down a tenth a minute, at least one replica of however few."""
    return {
        "scaleUp": {
            "stabilizationWindowSeconds": 0,
            "selectPolicy": "Max",
            "policies": [
                {"type": "Pods", "value": 4, "periodSeconds": 15},
                {"type": "Percent", "value": 100, "periodSeconds": 15},
            ],
        },
        "scaleDown": {
            "stabilizationWindowSeconds": int(options.scale_down_window.total_seconds()),
            "selectPolicy": "Max",
            "policies": [
                {"type": "Pods", "value": 1, "periodSeconds": 60},
                {"type": "Percent", "value": 10, "periodSeconds": 60},
            ],
        },
    }
