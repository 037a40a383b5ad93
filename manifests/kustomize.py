"""A kustomize component: the autoscaler, and the patch of resources, to be taken into an overlay of one's own.

A component changes what the kustomization that lists it has, so the object itself stays where it is. `replicas` is left
alone: taking a field out of an object that was applied with it sets it to its default of 1 for a moment.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from domain.artifact import Artifact
from domain.unknown import Unknown
from manifests.hpa import horizontal_pod_autoscaler
from manifests.keda import prometheus_assumed, scaled_object
from manifests.notes import Notes
from manifests.options import Form, ManifestOptions
from manifests.resources import container_assumed, resources_patch, resources_why
from manifests.subject import API_VERSION, Made, Subject, document

GROUP, VERSION = API_VERSION.split("/")


def kustomize_form(subject: Subject) -> Made:
    """`kustomize/<name>/`: `kustomization.yaml`, `autoscaler.yaml`, and `resources.yaml` where resources are known."""
    folder = PurePosixPath("kustomize") / subject.name
    by_keda, patch = _by_keda(subject.options), resources_patch(subject)
    autoscaler = scaled_object(subject) if by_keda else horizontal_pod_autoscaler(subject)
    files = {"autoscaler.yaml": autoscaler} | ({} if isinstance(patch, Unknown) else {"resources.yaml": patch})
    kustomization = subject.file(
        folder / "kustomization.yaml",
        _component(subject, patched=not isinstance(patch, Unknown)),
        Notes(
            apply=f"list `components: [{folder}]` in your kustomization, and apply that",
            back="take it out again, and apply; replicas and resources are then those of your own files",
            why=() if isinstance(patch, Unknown) else resources_why(subject),
            assumed=(
                *(prometheus_assumed(subject.options) if by_keda else ()),
                *(() if isinstance(patch, Unknown) else container_assumed(subject)),
            ),
        ),
    )
    return (kustomization, *(Artifact(path=folder / name, text=document(body)) for name, body in files.items()))


def _by_keda(options: ManifestOptions) -> bool:
    """KEDA follows the recommendation; an HPA takes its place only for those who want that and not KEDA."""
    return options.forms is None or Form.KEDA in options.forms or Form.HPA not in options.forms


def _component(subject: Subject, *, patched: bool) -> dict[str, Any]:
    target = {"group": GROUP, "version": VERSION, "kind": subject.target.kind, "name": subject.target.name}
    return {
        "apiVersion": "kustomize.config.k8s.io/v1alpha1",
        "kind": "Component",
        "resources": ["autoscaler.yaml"],
        **({"patches": [{"path": "resources.yaml", "target": target}]} if patched else {}),
    }
