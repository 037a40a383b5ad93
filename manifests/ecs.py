"""What the AWS command line takes for an ECS service: its capacity-provider strategy, and the schedule that serves alone.

In the schedule minimum and maximum are the same number, so that the service is moved to it both ways without a policy.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from domain.artifact import Artifact
from domain.plan import CalendarStep
from domain.unknown import Unknown
from manifests.aws_cron import DIMENSION, NAMESPACE, Change, changes, resource_id
from manifests.notes import Notes, scaled_back
from manifests.providers import strategy
from manifests.schedule import ALONE
from manifests.subject import Made, Subject

FOLDER = PurePosixPath("ecs")


def ecs_form(subject: Subject) -> Made:
    """`ecs/<name>.yaml`, and `ecs/<name>-schedule.sh` where the plan has a schedule; Unknown where it has neither."""
    providers = _capacity_providers(subject)
    scheduled = _schedule(subject)
    if isinstance(providers, Unknown):
        return scheduled or providers
    return (*providers, *scheduled)


def _capacity_providers(subject: Subject) -> tuple[Artifact, ...] | Unknown:
    """The input of `aws ecs update-service`."""
    shares = strategy(subject.act.plan.proposed.purchase, subject.target)
    if isinstance(shares, Unknown):
        return shares
    path = FOLDER / f"{subject.name}.yaml"
    body = {
        "cluster": subject.target.cluster,
        "service": subject.target.name,
        "capacityProviderStrategy": [
            {"capacityProvider": each.provider, "base": each.base, "weight": each.weight} for each in shares
        ],
        "forceNewDeployment": True,
    }
    service = f"--cluster {subject.target.cluster} --services {subject.target.name}"
    notes = Notes(
        apply=f"aws ecs describe-services {service} --query 'services[].capacityProviderStrategy', to have the way back; "
        f"then aws ecs update-service --cli-input-yaml file://{path} (version 2 of the command line)",
        back="the same with the strategy that you had",
    )
    return (subject.file(path, body, notes),)


def _schedule(subject: Subject) -> tuple[Artifact, ...]:
    """A script of scheduled actions; what it sets it names, so that running it again changes and never adds."""
    steps = subject.act.plan.schedule
    if not steps:
        return ()
    path = FOLDER / f"{subject.name}-schedule.sh"
    actions = scheduled_actions(subject, steps)
    commands = [_command("put-scheduled-action", action) for action in actions]
    text = subject.text(
        "set -eu\n" + "".join(f"{command}\n" for command in commands),
        Notes(
            apply=f"sh {path} (the service is a registered scalable target)",
            back=f"{_deletion(actions)} && {scaled_back(subject.act.current, subject.target)}",
        ),
    )
    return (Artifact(path=path, text="#!/bin/sh\n" + ALONE + text),)


def scheduled_actions(subject: Subject, steps: Sequence[CalendarStep]) -> list[dict[str, Any]]:
    """One input of `put-scheduled-action` for each change; a number that never changes is set once a day."""
    found = changes(steps, subject.options.timezone) or (
        Change(schedule="cron(0 0 * * ? *)", replicas=steps[0].replicas),
    )
    return [
        {
            **_whose(subject),
            "ScheduledActionName": f"trimtab-{subject.name}-{number}",
            "Schedule": change.schedule,
            "Timezone": subject.options.timezone,
            "ScalableTargetAction": {"MinCapacity": change.replicas, "MaxCapacity": change.replicas},
        }
        for number, change in enumerate(found, start=1)
    ]


def _whose(subject: Subject) -> dict[str, str]:
    return {
        "ServiceNamespace": NAMESPACE,
        "ResourceId": resource_id(subject.target.cluster, subject.target.name),
        "ScalableDimension": DIMENSION,
    }


def _command(verb: str, body: dict[str, Any]) -> str:
    return f"aws application-autoscaling {verb} --cli-input-json {shlex.quote(json.dumps(body))}"


def _deletion(actions: Sequence[dict[str, Any]]) -> str:
    first, numbers = actions[0], " ".join(str(number) for number in range(1, len(actions) + 1))
    stem = first["ScheduledActionName"].rpartition("-")[0]
    return (
        f"for n in {numbers}; do aws application-autoscaling delete-scheduled-action --service-namespace {NAMESPACE} "
        f"--resource-id {first['ResourceId']} --scalable-dimension {DIMENSION} --scheduled-action-name {stem}-$n; done"
    )
