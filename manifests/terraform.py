"""Terraform for an ECS service: a scalable target, CPU tracking above a floor, and a floor that follows the week.

Nothing follows `trimtab_recommended_replicas` on ECS, so the floor is the schedule that serves alone where the plan has
one, else its calendar, else what the plan wants until it expires. Scheduled actions move the floor, so Terraform is told
to leave it. The capacity-provider strategy belongs to the service's own resource and is given as a local value for it.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from domain.artifact import Artifact
from domain.plan import CalendarStep
from domain.unknown import Unknown
from manifests.aws_cron import DIMENSION, NAMESPACE, changes, resource_id
from manifests.hcl import Block, Reference, Value, written
from manifests.notes import Notes, scaled_back
from manifests.providers import strategy
from manifests.subject import Made, Subject

SCALE_OUT_COOLDOWN_S = 60
STRATEGY_USE = """\
# For the service's own resource (aws_ecs_service), which has to have `force_new_deployment = true`:
#   dynamic "capacity_provider_strategy" {{
#     for_each = local.{local}
#     content {{
#       capacity_provider = capacity_provider_strategy.value.capacity_provider
#       base              = capacity_provider_strategy.value.base
#       weight            = capacity_provider_strategy.value.weight
#     }}
#   }}
"""


def terraform_form(subject: Subject) -> Made:
    """`terraform/<name>.tf`."""
    path = PurePosixPath("terraform") / f"{subject.name}.tf"
    text = subject.text(
        f"{written(_scaling(subject))}\n{_strategy(subject)}",
        Notes(
            apply="put it beside the Terraform of the service, then terraform apply",
            back=f"take it out, terraform apply, then {scaled_back(subject.act.current, subject.target)}",
        ),
    )
    return (Artifact(path=path, text=text),)


def _scaling(subject: Subject) -> list[Block]:
    label, bounds = _label(subject), subject.bounds
    floors = _floors(subject)
    moved = changes(floors, subject.options.timezone)
    target = Block(
        kind="resource",
        labels=("aws_appautoscaling_target", label),
        attributes={
            "service_namespace": NAMESPACE,
            "resource_id": resource_id(subject.target.cluster, subject.target.name),
            "scalable_dimension": DIMENSION,
            "min_capacity": bounds.floor,
            "max_capacity": bounds.maximum,
        },
        blocks=(_left_alone(),) if moved else (),
    )
    scheduled = [
        Block(
            kind="resource",
            labels=("aws_appautoscaling_scheduled_action", f"{label}_{number}"),
            attributes={
                "name": f"trimtab-{subject.name}-{number}",
                **_of_target(label),
                "schedule": change.schedule,
                "timezone": subject.options.timezone,
            },
            blocks=(
                Block(
                    kind="scalable_target_action",
                    attributes={
                        "min_capacity": min(change.replicas, bounds.maximum),
                        "max_capacity": bounds.maximum,
                    },
                ),
            ),
        )
        for number, change in enumerate(moved, start=1)
    ]
    return [target, _cpu_policy(subject), *scheduled]


def _floors(subject: Subject) -> tuple[CalendarStep, ...]:
    return subject.act.plan.schedule or subject.act.plan.calendar


def _left_alone() -> Block:
    """The scheduled actions move the floor after Terraform has set it."""
    return Block(kind="lifecycle", attributes={"ignore_changes": [Reference("min_capacity")]})


def _cpu_policy(subject: Subject) -> Block:
    """The safety net above the floor."""
    label, options = _label(subject), subject.options
    tracking = Block(
        kind="target_tracking_scaling_policy_configuration",
        attributes={
            "target_value": options.cpu_utilization,
            "scale_in_cooldown": int(options.scale_down_window.total_seconds()),
            "scale_out_cooldown": SCALE_OUT_COOLDOWN_S,
        },
        blocks=(
            Block(
                kind="predefined_metric_specification",
                attributes={"predefined_metric_type": "ECSServiceAverageCPUUtilization"},
            ),
        ),
    )
    return Block(
        kind="resource",
        labels=("aws_appautoscaling_policy", label),
        attributes={
            "name": f"trimtab-{subject.name}-cpu",
            "policy_type": "TargetTrackingScaling",
            **_of_target(label),
        },
        blocks=(tracking,),
    )


def _of_target(label: str) -> dict[str, Value]:
    names = ("service_namespace", "resource_id", "scalable_dimension")
    return {name: Reference(f"aws_appautoscaling_target.{label}.{name}") for name in names}


def _strategy(subject: Subject) -> str:
    shares = strategy(subject.act.plan.proposed.purchase, subject.target)
    if isinstance(shares, Unknown):
        return f"# No capacity-provider strategy: {shares.reason}.\n"
    local = f"{_label(subject)}_capacity_provider_strategy"
    items: list[Value] = [
        {"capacity_provider": each.provider, "base": each.base, "weight": each.weight} for each in shares
    ]
    return STRATEGY_USE.format(local=local) + written([Block(kind="locals", attributes={local: items})])


def _label(subject: Subject) -> str:
    """The Terraform name of everything of this workload."""
    return f"trimtab_{subject.name.replace('-', '_')}"
