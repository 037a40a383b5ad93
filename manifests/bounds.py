"""The numbers a manifest carries, from a plan; or the reason why it must carry none."""

from __future__ import annotations

import math
from dataclasses import dataclass

from domain.plan import Act
from domain.unknown import Unknown
from domain.workload import ECS_SERVICE, ScaleTarget, ServingMode, Workload
from manifests.calendar import highest_between, lowest
from manifests.options import ManifestOptions

SCALABLE = {"Deployment", "StatefulSet", "ReplicaSet", ECS_SERVICE}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaBounds:
    """What autoscalers may do: `base` is the least the plan ever asks for, `floor` the most until it expires."""

    base: int
    floor: int
    maximum: int
    maximum_is_assumed: bool


def replica_bounds(workload: Workload, act: Act, options: ManifestOptions) -> ReplicaBounds | Unknown:
    """Bounds from the plan and the workload; Unknown where they contradict each other or mean nothing."""
    plan, least = act.plan, workload.bounds.min_replicas
    if plan.proposed.mode is not ServingMode.DEDICATED:
        return Unknown(f"proposed is {plan.proposed.mode}, which has no replicas of its own to scale")
    if workload.target is not None and workload.target.kind not in SCALABLE:
        return Unknown(f"a {workload.target.kind} can not be scaled by these manifests")
    until_expiry = highest_between(plan.calendar, act.created_at, act.valid_until) or 0
    floor = max(least, plan.proposed.replicas, until_expiry)
    peak = max(floor, *(step.replicas for step in plan.calendar), *_today(act))
    maximum = workload.bounds.max_replicas
    if maximum is not None and maximum < floor:
        return Unknown(f"the plan wants {floor} replicas and the workload's maximum is {maximum}")
    return ReplicaBounds(
        base=max(least, min(lowest(plan.calendar) or 0, floor)),
        floor=floor,
        maximum=max(1, math.ceil(options.headroom * peak)) if maximum is None else maximum,
        maximum_is_assumed=maximum is None,
    )


def _today(act: Act) -> tuple[int, ...]:
    return (0,) if isinstance(act.current, Unknown) else (act.current.replicas,)


def scale_target(workload: Workload, name: str) -> ScaleTarget:
    """What is scaled: as the settings say, else a Deployment of the workload's name (the header says so)."""
    return workload.target or ScaleTarget(name=name)
