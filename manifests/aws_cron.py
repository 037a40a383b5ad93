"""A week's numbers as schedules of AWS Application Auto Scaling.

`cron(minutes hours day-of-month month day-of-week year)`, where one of the two days is `?` (AWS, Application Auto Scaling
user guide, "Schedule recurring scaling actions using cron expressions").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.plan import CalendarStep
from manifests.calendar import weekly_changes

DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")  # as cron counts them
NAMESPACE = "ecs"
DIMENSION = "ecs:service:DesiredCount"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """From this moment of each week on, `replicas`."""

    schedule: str
    replicas: int


def changes(steps: Sequence[CalendarStep], timezone: str) -> tuple[Change, ...]:
    """One for each time of the week at which the number changes, in the order of the day; none where it never does."""
    return tuple(
        Change(schedule=cron(change.minute_of_day, change.days), replicas=change.replicas)
        for change in weekly_changes(steps, timezone)
    )


def cron(minute_of_day: int, days: Sequence[int]) -> str:
    """AWS's six fields for a time of day on these days of the week (0 is Sunday)."""
    at = f"{minute_of_day % 60} {minute_of_day // 60}"
    if len(days) == len(DAYS):
        return f"cron({at} * * ? *)"
    return f"cron({at} ? * {','.join(DAYS[day] for day in sorted(days))} *)"


def resource_id(cluster: str, service: str) -> str:
    """How Application Auto Scaling names an ECS service."""
    return f"service/{cluster}/{service}"
