"""The plan's calendar as cron windows of one week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from zoneinfo import ZoneInfo

from domain.plan import CalendarStep

MINUTES = 7 * 24 * 60
_DAY = 24 * 60
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CronWindow:
    """From `start` to `end` (cron, five fields), at least `replicas`."""

    start: str
    end: str
    replicas: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeklyChange:
    """At this minute of these days of the week (0 is Sunday) the number becomes `replicas`."""

    minute_of_day: int
    days: tuple[int, ...]
    replicas: int


def lowest(steps: Sequence[CalendarStep]) -> int | None:
    """The least that the calendar ever asks for; None for an empty one."""
    return min((step.replicas for step in steps), default=None)


def highest_between(steps: Sequence[CalendarStep], start: datetime, end: datetime) -> int | None:
    """The most that the calendar asks for in [start, end); None where it says nothing."""
    ordered = sorted(steps, key=lambda step: step.at)
    begun = [step for step in ordered if step.at <= start][-1:]
    later = [step for step in ordered if start < step.at < end]
    return max((step.replicas for step in (*begun, *later)), default=None)


def cron_windows(steps: Sequence[CalendarStep], above: int, timezone: str) -> tuple[CronWindow, ...]:
    """Weekly windows with more than `above` replicas; days with the same window share it.

    A step holds until the next, the last one until whole weeks after the first are full. Steps past a week fold
    onto it, the higher number wins. Times are whole minutes of `timezone` (a start is never later,
    an end never earlier, than the calendar's).
    """
    floors = _week(steps, ZoneInfo(timezone))
    days: dict[tuple[int, int, int], list[int]] = {}
    for start, end, replicas in _runs(floors):
        if replicas > above:
            days.setdefault((start % _DAY, end - start, replicas), []).append(start // _DAY)
    return tuple(
        CronWindow(
            start=_cron(time, starts),
            end=_cron((time + length) % _DAY, [day + (time + length) // _DAY for day in starts]),
            replicas=replicas,
        )
        for (time, length, replicas), starts in sorted(days.items())
    )


def weekly_changes(steps: Sequence[CalendarStep], timezone: str) -> tuple[WeeklyChange, ...]:
    """Every time of the week at which the calendar's number changes; days with the same change share it.

    Steps are read as by `cron_windows`. None where the number is the same all week.
    """
    days: dict[tuple[int, int], list[int]] = {}
    for start, _, replicas in _runs(_week(steps, ZoneInfo(timezone))):
        days.setdefault((start % _DAY, replicas), []).append(start // _DAY)
    return tuple(
        WeeklyChange(minute_of_day=minute, days=tuple(sorted({day % 7 for day in which})), replicas=replicas)
        for (minute, replicas), which in sorted(days.items())
    )


def _week(steps: Sequence[CalendarStep], zone: ZoneInfo) -> list[int]:
    """The floor of every minute of the week, Sunday 00:00 first, as cron counts days."""
    floors = [0] * MINUTES
    ordered = sorted(steps, key=lambda step: step.at)
    if not ordered:
        return floors
    weeks = (ordered[-1].at - ordered[0].at) // timedelta(days=7) + 1
    end = ordered[0].at + weeks * timedelta(days=7)
    for step, until in pairwise([*ordered, CalendarStep(at=end, replicas=0)]):
        first = _minute_of_week(step.at.astimezone(zone))
        last = first + -(-(until.at - step.at.replace(second=0, microsecond=0)) // _MINUTE)
        while first < last:
            start, length = first % MINUTES, min(last - first, MINUTES - first % MINUTES)
            _raise_to(step.replicas, floors, start, start + length)
            first += length
    return floors


def _raise_to(replicas: int, floors: list[int], start: int, end: int) -> None:
    """At least `replicas` in [start, end): at once where nothing stands yet, as nearly everywhere."""
    if any(floors[start:end]):
        floors[start:end] = [max(floor, replicas) for floor in floors[start:end]]
    else:
        floors[start:end] = [replicas] * (end - start)


def _minute_of_week(at: datetime) -> int:
    return (at.isoweekday() % 7) * _DAY + at.hour * 60 + at.minute


def _runs(floors: list[int]) -> list[tuple[int, int, int]]:
    """Stretches (start, end, replicas) of equal floors; one that spans the week's end is kept whole."""
    turn = next((minute for minute in range(MINUTES) if floors[minute] != floors[minute - 1]), None)
    if turn is None:
        return []  # the same all week: that is a minimum, no calendar
    runs, start = [], turn
    for replicas, group in groupby(floors[turn:] + floors[:turn]):
        end = start + len(list(group))
        runs.append((start, end, replicas))
        start = end
    return runs


def _cron(minute_of_day: int, days: Sequence[int]) -> str:
    weekdays = sorted({day % 7 for day in days})
    which = "*" if len(weekdays) == 7 else ",".join(str(day) for day in weekdays)
    return f"{minute_of_day % 60} {minute_of_day // 60} * * {which}"
