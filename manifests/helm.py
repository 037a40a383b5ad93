"""Values for a Helm chart that has the keys of one made by `helm create`: its own HPA, and resources."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from domain.unknown import Unknown
from manifests.notes import Notes
from manifests.resources import container_resources, resources_why
from manifests.subject import Made, Subject


def helm_form(subject: Subject) -> Made:
    """`helm/<name>.yaml`."""
    path = PurePosixPath("helm") / f"{subject.name}.yaml"
    release = subject.target.name
    notes = Notes(
        apply=f"helm upgrade {release} CHART --reuse-values -f {path}",
        back=f"helm rollback {release}",
        why=resources_why(subject),
        assumed=(f"the release is named {release}, and its chart has the keys of one made by `helm create`.",),
    )
    return (subject.file(path, values(subject), notes),)


def values(subject: Subject) -> dict[str, Any]:
    """The chart's `replicaCount` is for one that does not scale by itself."""
    floor, resources = max(1, subject.bounds.floor), container_resources(subject)
    return {
        "replicaCount": floor,
        "autoscaling": {
            "enabled": True,
            "minReplicas": floor,
            "maxReplicas": subject.bounds.maximum,
            "targetCPUUtilizationPercentage": subject.options.cpu_utilization,
        },
        **({} if isinstance(resources, Unknown) else {"resources": resources}),
    }
