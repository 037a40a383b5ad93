"""An `autoscaling/v2` HorizontalPodAutoscaler: the plan is its floor, CPU its safety net.

The recommended number stands in `minReplicas`, which the HPA applies whatever its tolerance. It says
what holds until the recommendation expires, so it is to be rendered again by then.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from manifests.notes import Notes, scaled_back
from manifests.options import ManifestOptions
from manifests.subject import Made, Subject


def hpa_form(subject: Subject) -> Made:
    """`hpa/<name>.yaml`."""
    path = PurePosixPath("hpa") / f"{subject.name}.yaml"
    return (subject.file(path, horizontal_pod_autoscaler(subject), kubectl_notes(path, subject)),)


def kubectl_notes(path: PurePosixPath, subject: Subject, *, assumed: Sequence[str] = ()) -> Notes:
    """How an object that scales is applied, and how it goes."""
    return Notes(
        apply=f"kubectl apply -f {path}",
        back=f"kubectl delete -f {path} && {scaled_back(subject.act.current, subject.target)}",
        assumed=assumed,
    )


def horizontal_pod_autoscaler(subject: Subject) -> dict[str, Any]:
    """The object; `minReplicas` is at least 1, because 0 needs an alpha gate."""
    cpu = {"type": "Utilization", "averageUtilization": subject.options.cpu_utilization}
    return autoscaler(
        subject,
        minimum=subject.bounds.floor,
        metric={"type": "Resource", "resource": {"name": "cpu", "target": cpu}},
        behavior=_behavior(subject.options),
    )


def autoscaler(subject: Subject, *, minimum: int, metric: dict[str, Any], behavior: dict[str, Any]) -> dict[str, Any]:
    """A HorizontalPodAutoscaler on one metric."""
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": subject.metadata,
        "spec": {
            "scaleTargetRef": subject.scale_target_ref,
            "minReplicas": max(1, minimum),
            "maxReplicas": subject.bounds.maximum,
            "metrics": [metric],
            "behavior": behavior,
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


def one_step_behavior(maximum: int, options: ManifestOptions) -> dict[str, Any]:
    """Behavior under which one decision may go all the way, up at once and down after the window.

    Policies of a tenth or a few pods would stop between two rungs, where the tolerance holds.
    """
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
