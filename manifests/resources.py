"""What one replica asks of the cluster, as a strategic-merge patch of the object that runs it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from domain.plan import Plan
from domain.unknown import Unknown
from domain.workload import Resources, Workload
from manifests.notes import Notes
from manifests.subject import API_VERSION, Made, Subject

# How a node offers each accelerator of the price book: the resource names of the makers' device plug-ins.
OFFERED_AS: Mapping[str, str] = {
    **dict.fromkeys(("Inferentia1", "Inferentia2", "Trainium1"), "aws.amazon.com/neuron"),
    **dict.fromkeys(("RadeonProV520",), "amd.com/gpu"),
    **dict.fromkeys(("Gaudi",), "habana.ai/gaudi"),
    **dict.fromkeys(
        (
            "K520", "K80", "M60", "T4", "T4G", "V100", "A10", "A10G", "A100", "L4", "L40S", "H100", "H100NVL", "H200", "B200", "B300",
            "RTX-PRO-4500", "RTX-PRO-6000", "RTX-PRO-SERVER-6000",
        ),
        "nvidia.com/gpu",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Requests and limits of one replica; no limit on cores is None."""

    cpu_request_cores: float
    cpu_limit_cores: float | None
    memory_request_gib: float
    memory_limit_gib: float
    accelerator: str | None
    accelerator_count: int
    basis: str


def asked(workload: Workload, plan: Plan) -> Asked | Unknown:
    """What the plan is priced with: measured resources, or what the settings declare. Their defaults are nobody's word."""
    declared, found = workload.resources, plan.allocation
    if found is not None and found.priced:
        return Asked(
            cpu_request_cores=found.cpu_request_cores,
            cpu_limit_cores=found.cpu_limit_cores,
            memory_request_gib=found.memory_request_gib,
            memory_limit_gib=found.memory_limit_gib,
            accelerator=found.accelerator,
            accelerator_count=found.accelerator_count,
            basis=f"as the plan is priced: {found.detail}",
        )
    if declared == Resources():
        return Unknown("the settings declare no resources of a replica, and none were measured that the plan rests on")
    return Asked(
        cpu_request_cores=declared.cpu_cores,
        cpu_limit_cores=None,
        memory_request_gib=declared.memory_gib,
        memory_limit_gib=declared.memory_gib,
        accelerator=declared.accelerator,
        accelerator_count=declared.accelerator_count,
        basis="as the settings declare",
    )


def container_resources(subject: Subject) -> dict[str, Any] | Unknown:
    """`requests` and `limits` of the container. Throttled processors cost latency and save nothing: no limit on them."""
    wanted = asked(subject.workload, subject.act.plan)
    if isinstance(wanted, Unknown):
        return wanted
    devices = _devices(wanted)
    if isinstance(devices, Unknown):
        return devices
    limit = {} if wanted.cpu_limit_cores is None else {"cpu": _cores(wanted.cpu_limit_cores)}
    return {
        "requests": {"cpu": _cores(wanted.cpu_request_cores), "memory": _memory(wanted.memory_request_gib), **devices},
        "limits": {**limit, "memory": _memory(wanted.memory_limit_gib), **devices},
    }


def resources_patch(subject: Subject) -> dict[str, Any] | Unknown:
    """The part of the object that changes; containers are merged by name."""
    resources = container_resources(subject)
    if isinstance(resources, Unknown):
        return resources
    changed = {"name": container(subject), "resources": resources}
    return {
        "apiVersion": API_VERSION,
        "kind": subject.target.kind,
        "metadata": {"name": subject.target.name, "namespace": subject.target.namespace},
        "spec": {"template": {"spec": {"containers": [changed]}}},
    }


def resources_form(subject: Subject) -> Made:
    """`resources/<name>.yaml`, a patch for `kubectl patch`."""
    patch = resources_patch(subject)
    if isinstance(patch, Unknown):
        return patch
    path = PurePosixPath("resources") / f"{subject.name}.yaml"
    what = f"{subject.target.kind.lower()}/{subject.target.name}"
    kubectl = f"kubectl -n {subject.target.namespace}"
    notes = Notes(
        apply=f"{kubectl} patch {what} --patch-file {path}",
        back=f"{kubectl} rollout undo {what}",
        why=resources_why(subject),
        assumed=container_assumed(subject),
    )
    return (subject.file(path, patch, notes),)


def resources_why(subject: Subject) -> tuple[str, ...]:
    """Where the amounts come from; nothing where there are none."""
    wanted = asked(subject.workload, subject.act.plan)
    if isinstance(wanted, Unknown) or isinstance(container_resources(subject), Unknown):
        return ()
    return (f"a replica asks for its resources {wanted.basis}.",)


def container(subject: Subject) -> str:
    """The container that serves."""
    return subject.target.container or subject.target.name


def container_assumed(subject: Subject) -> tuple[str, ...]:
    """What is said where nobody named the container."""
    if subject.target.container is not None:
        return ()
    return (f"the container that serves is named {container(subject)}; settings name none (target.container).",)


def _devices(wanted: Asked) -> dict[str, str] | Unknown:
    """Accelerators are whole, and asked for as they are limited."""
    if wanted.accelerator is None or not wanted.accelerator_count:
        return {}
    offered = OFFERED_AS.get(wanted.accelerator)
    if offered is None:
        return Unknown(f"no name is known by which a cluster offers {wanted.accelerator}")
    return {offered: str(wanted.accelerator_count)}


def _cores(cores: float) -> str:
    """Whole cores, or thousandths rounded up."""
    thousandths = math.ceil(round(1000 * cores, 6))
    return f"{thousandths}m" if thousandths % 1000 else str(thousandths // 1000)


def _memory(gib: float) -> str:
    """Whole GiB, or MiB rounded up."""
    mib = math.ceil(round(1024 * gib, 6))
    return f"{mib}Mi" if mib % 1024 else f"{mib // 1024}Gi"
