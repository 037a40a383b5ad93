"""Five-field cron expressions as cron reads them: Sunday is 0 and 7, where APScheduler counts from Monday."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apscheduler.triggers.cron import CronTrigger

DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
RUNS_LOOKED_AT = 100


def trigger_of(expression: str, zone: tzinfo) -> CronTrigger:
    """When `expression` is due; ValueError where it is none."""
    from apscheduler.triggers.cron import CronTrigger  # noqa: PLC0415  only `serve` needs the scheduler

    *rest, weekdays = expression.split()
    named = ",".join(_named(part) for part in weekdays.split(","))
    return CronTrigger.from_crontab(" ".join((*rest, named)), timezone=zone)


def longest_gap(expression: str, zone: tzinfo, after: datetime) -> timedelta:
    """The longest time between two of the next runs after `after`."""
    trigger, due = trigger_of(expression, zone), [after]
    for _ in range(RUNS_LOOKED_AT):
        coming = trigger.get_next_fire_time(due[-1], due[-1] + timedelta(seconds=1))
        if coming is None:
            break
        due.append(coming)
    return max((later - earlier for earlier, later in pairwise(due[1:])), default=timedelta(0))


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
