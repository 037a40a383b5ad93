"""The plan's calendar as cron windows: at every minute of the week at least what the plan asks for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.plan import CalendarStep
from manifests.calendar import CronWindow, cron_windows, highest_between, lowest
from tests.manifests.advice import MONDAY, OFFICE

SUNDAY = datetime(2026, 1, 4, tzinfo=UTC)
WEEK = timedelta(days=7)


def minutes(cron: str) -> list[int]:
    """The minutes of the week, Sunday first, at which a five-field cron line fires."""
    minute, hour, _, _, days = cron.split()
    weekdays = range(7) if days == "*" else [int(day) for day in days.split(",")]
    return [day * 1440 + int(hour) * 60 + int(minute) for day in weekdays]


def active(window: CronWindow, at: int) -> bool:
    """KEDA's rule: active when the next end comes before the next start."""
    week = 7 * 1440
    until_start, until_end = (
        min((fires - at - 1) % week for fires in minutes(cron)) for cron in (window.start, window.end)
    )
    return until_end < until_start


def asked(steps: tuple[CalendarStep, ...], at: datetime) -> int:
    """What a one-week calendar asks for at `at`, the week before the first step being its end."""
    at = at if at >= steps[0].at else at + WEEK
    return next(step.replicas for step in reversed(steps) if step.at <= at)


def test_office_hours_are_one_window() -> None:
    assert cron_windows(OFFICE, 9, "UTC") == (
        CronWindow(start="0 7 * * 1,2,3,4,5", end="0 19 * * 1,2,3,4,5", replicas=16),
    )


def test_a_window_over_midnight_ends_the_next_day() -> None:
    steps = (
        CalendarStep(at=MONDAY.replace(hour=22), replicas=5),
        CalendarStep(at=MONDAY.replace(hour=4) + timedelta(days=1), replicas=1),
    )
    assert cron_windows(steps, 1, "UTC") == (CronWindow(start="0 22 * * 1", end="0 4 * * 2", replicas=5),)


def test_every_day_is_a_star() -> None:
    steps = tuple(
        CalendarStep(at=MONDAY.replace(hour=hour) + timedelta(days=day), replicas=replicas)
        for day in range(7)
        for hour, replicas in ((9, 4), (17, 1))
    )
    assert cron_windows(steps, 1, "UTC") == (CronWindow(start="0 9 * * *", end="0 17 * * *", replicas=4),)


def test_times_are_those_of_the_time_zone() -> None:
    """Monday 07:00 UTC is 02:00 in New York in January."""
    assert cron_windows(OFFICE, 9, "America/New_York")[0].start == "0 2 * * 1,2,3,4,5"


def test_the_same_number_all_week_is_a_minimum_and_no_calendar() -> None:
    assert cron_windows((CalendarStep(at=MONDAY, replicas=7),), 0, "UTC") == ()
    assert cron_windows((), 0, "UTC") == ()
    assert lowest(()) is None
    assert highest_between((), MONDAY, MONDAY + WEEK) is None


def test_seconds_never_start_late_nor_end_early() -> None:
    steps = (
        CalendarStep(at=MONDAY + timedelta(seconds=30), replicas=5),
        CalendarStep(at=MONDAY + timedelta(hours=1, seconds=30), replicas=1),
    )
    assert cron_windows(steps, 1, "UTC") == (CronWindow(start="0 8 * * 1", end="1 9 * * 1", replicas=5),)


def test_what_holds_until_expiry_counts_the_step_already_running() -> None:
    assert highest_between(OFFICE, MONDAY, MONDAY + timedelta(hours=1)) == 16
    assert highest_between(OFFICE, MONDAY.replace(hour=19), MONDAY.replace(hour=20)) == 9


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=2, max_size=12), st.integers(0, 6), st.integers(0, 167))
def test_at_every_time_the_windows_ask_for_what_the_plan_asks_for(levels: list[int], above: int, first: int) -> None:
    hours = sorted({first + index * 167 // len(levels) for index in range(len(levels))})
    steps = tuple(
        CalendarStep(at=SUNDAY + timedelta(hours=hour), replicas=level)
        for hour, level in zip(hours, levels, strict=False)
    )
    steps = (steps[0], *(step for before, step in pairwise(steps) if before.replicas != step.replicas))
    windows = cron_windows(steps, above, "UTC")
    for half_hour in range(336):
        at = steps[0].at + half_hour * timedelta(minutes=30)
        minute = int((at - SUNDAY) / timedelta(minutes=1)) % (7 * 1440)
        floors = [window.replicas for window in windows if active(window, minute)]
        wanted = asked(steps, at)
        if len({step.replicas for step in steps}) == 1:
            assert windows == ()
        else:
            assert max(floors, default=above) == max(wanted, above)
