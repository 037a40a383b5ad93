"""Five-field cron expressions as cron reads them: Sunday is 0 and 7, where APScheduler counts from Monday."""

from __future__ import annotations

import re
from datetime import tzinfo
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apscheduler.triggers.cron import CronTrigger

DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")


def trigger_of(expression: str, zone: tzinfo) -> CronTrigger:
    """When `expression` is due; ValueError where it is none."""
    from apscheduler.triggers.cron import CronTrigger  # noqa: PLC0415  only `serve` needs the scheduler

    *rest, weekdays = expression.split()
    named = ",".join(_named(part) for part in weekdays.split(","))
    return CronTrigger.from_crontab(" ".join((*rest, named)), timezone=zone)


def _named(part: str) -> str:
    """Days by their names, one by one; what has no numbers stays as it is."""
    if part == "*":
        return part
    match = re.fullmatch(r"(\*|[0-7])(?:-([0-7]))?(?:/([1-7]))?", part)
    if match is None:
        return part
    first, last, step = match.groups()
    begin = 0 if first == "*" else int(first)
    end = 6 if first == "*" or (step and not last) else int(last or first)
    if end < begin:
        raise ValueError(f"the days {part} end before they begin")
    return ",".join(DAYS[begin : end + 1 : int(step or 1)])
