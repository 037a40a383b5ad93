"""The schedule that serves alone, for those who run no controller: KEDA cron triggers, or AWS scheduled actions.

AWS: one input of `aws application-autoscaling put-scheduled-action` for each time of the week at which the number changes.
Minimum and maximum are the same number, so the service is moved to it both ways without a scaling policy. Schedules are
`cron(minutes hours day-of-month month day-of-week year)`, where one of the two days is `?`
(AWS, Application Auto Scaling user guide, "Schedule recurring scaling actions using cron expressions").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domain.plan import CalendarStep
from domain.workload import ScaleTarget
from manifests.bounds import API_VERSIONS
from manifests.calendar import cron_windows, lowest, weekly_changes
from manifests.keda import cron_triggers, one_step_behavior
from manifests.ladder import ladder
from manifests.options import ManifestOptions

DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")  # as cron counts them


def schedule_object(
    metadata: dict[str, Any], target: ScaleTarget, steps: Sequence[CalendarStep], options: ManifestOptions
) -> dict[str, Any] | None:
    """A ScaledObject with nothing but cron triggers; None where the number never changes (that is `replicas`)."""
    base, top = lowest(steps) or 0, max((step.replicas for step in steps), default=0)
    if not cron_windows(steps, base, options.timezone):
        return None
    rungs = tuple(range(base, top + 1)) if options.exact_tolerance else ladder(base, top)
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": metadata,
        "spec": {
            "scaleTargetRef": {"apiVersion": API_VERSIONS[target.kind], "kind": target.kind, "name": target.name},
            "pollingInterval": int(options.polling.total_seconds()),
            "minReplicaCount": rungs[0],
            "maxReplicaCount": max(1, top),
            "advanced": {"horizontalPodAutoscalerConfig": {"behavior": one_step_behavior(max(1, top), options)}},
            "triggers": cron_triggers(steps, rungs, options),
        },
    }


def scheduled_actions(
    name: str, target: ScaleTarget, steps: Sequence[CalendarStep], options: ManifestOptions
) -> list[dict[str, Any]]:
    """One input for each change, in the order of the week; a number that never changes is set once a day."""
    changes = [
        (change.minute_of_day, change.days, change.replicas) for change in weekly_changes(steps, options.timezone)
    ]
    if not changes and steps:
        changes = [(0, tuple(range(7)), steps[0].replicas)]
    return [
        {
            "ServiceNamespace": "ecs",
            "ScheduledActionName": f"trimtab-{name}-{number}",
            "ResourceId": f"service/{target.namespace}/{target.name}",
            "ScalableDimension": "ecs:service:DesiredCount",
            "Schedule": cron(minute, days),
            "Timezone": options.timezone,
            "ScalableTargetAction": {"MinCapacity": replicas, "MaxCapacity": replicas},
        }
        for number, (minute, days, replicas) in enumerate(changes, start=1)
    ]


def cron(minute_of_day: int, days: Sequence[int]) -> str:
    """AWS's six fields for a time of day on these days of the week (0 is Sunday)."""
    at = f"{minute_of_day % 60} {minute_of_day // 60}"
    if len(days) == len(DAYS):
        return f"cron({at} * * ? *)"
    return f"cron({at} ? * {','.join(DAYS[day] for day in sorted(days))} *)"
