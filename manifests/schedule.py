"""The schedule that serves alone, for those who run no controller: as KEDA cron triggers.

On ECS it is the floor of the service (`terraform`) or, again alone, a script of scheduled actions (`ecs`).
"""

from __future__ import annotations

from pathlib import PurePosixPath

from domain.artifact import Artifact
from domain.unknown import Unknown
from manifests.calendar import cron_windows, lowest
from manifests.hpa import kubectl_notes
from manifests.keda import cron_triggers, following_object
from manifests.subject import Made, Subject

NO_SCHEDULE = Unknown("the plan has no schedule that serves alone")
ALONE = (
    "# Serves by the week's schedule alone. What that costs and misses is the row `schedule` of the recommendation's\n"
    "# replay; the saving below is that of following the recommendation.\n"
)


def keda_schedule_form(subject: Subject) -> Made:
    """`keda-schedule/<name>.yaml`: a ScaledObject with nothing but cron triggers."""
    steps, options = subject.act.plan.schedule, subject.options
    if not steps:
        return NO_SCHEDULE
    base, top = lowest(steps) or 0, max(step.replicas for step in steps)
    if not cron_windows(steps, base, options.timezone):
        return Unknown(f"the schedule is {top} replicas all week, a plain number")
    maximum = max(1, top)
    triggers = cron_triggers(steps, subject.counts(base, maximum), options)
    path = PurePosixPath("keda-schedule") / f"{subject.name}.yaml"
    written = subject.file(path, following_object(subject, base, maximum, triggers), kubectl_notes(path, subject))
    return (Artifact(path=path, text=ALONE + written.text),)
