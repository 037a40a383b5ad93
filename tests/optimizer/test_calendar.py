"""The week's floor: never below what is wanted, few changes, as cheap as any other of its kind."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations, pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from domain.plan import CalendarStep
from optimizer.calendar import CalendarOptions, calendar
from tests.optimizer.cases import MONDAY

HOUR = timedelta(hours=1)
NO_STARTUP = timedelta(0)
paths = st.lists(st.integers(0, 12), min_size=1, max_size=30)


def floor_at(steps: tuple[CalendarStep, ...], hours: int) -> int:
    """What the calendar keeps during hour `hours`."""
    return next(step.replicas for step in reversed(steps) if step.at <= MONDAY + hours * HOUR)


def made(path: list[int], **options: float) -> tuple[CalendarStep, ...]:
    facts = CalendarOptions(changes=int(options.get("changes", 14)), slack=options.get("slack", 0.0))
    return calendar(np.array(path), MONDAY, HOUR, startup=timedelta(options.get("startup_days", 0.0)), options=facts)


def hours_held(steps: tuple[CalendarStep, ...], count: int) -> int:
    return sum(floor_at(steps, hour) for hour in range(count))


@given(paths, st.integers(0, 5))
def test_the_floor_covers_the_path_with_no_more_changes_than_allowed(path: list[int], changes: int) -> None:
    steps = made(path, changes=changes)
    assert len(steps) <= changes + 1
    assert steps[0].at == MONDAY
    assert all(floor_at(steps, hour) >= wanted for hour, wanted in enumerate(path))


@given(st.lists(st.integers(0, 9), min_size=1, max_size=8), st.integers(0, 3))
def test_no_calendar_with_as_few_changes_is_cheaper(path: list[int], changes: int) -> None:
    """Against every way of cutting the path."""
    every = [
        sum(max(path[a:b]) * (b - a) for a, b in zip((0, *cuts), (*cuts, len(path)), strict=True))
        for count in range(min(changes, len(path) - 1) + 1)
        for cuts in combinations(range(1, len(path)), count)
    ]
    assert hours_held(made(path, changes=changes), len(path)) == min(every)


@given(paths, st.floats(0.001, 0.5))
def test_a_long_start_up_only_ever_raises_the_floor(path: list[int], days: float) -> None:
    steps = made(path, startup_days=days)
    assert all(floor_at(steps, hour) >= wanted for hour, wanted in enumerate(path))
    assert all(before.at < after.at for before, after in pairwise(steps))


def test_rises_come_a_start_up_early_and_falls_on_time() -> None:
    steps = made([2] * 8 + [10] * 10 + [2] * 6, startup_days=5 / 1440)
    assert [(step.at - MONDAY, step.replicas) for step in steps] == [
        (timedelta(0), 2),
        (timedelta(hours=7, minutes=55), 10),
        (timedelta(hours=18), 2),
    ]


def test_fine_steps_are_gathered_into_hours_of_the_clock() -> None:
    """From 00:40 on the first change can come at 01:00."""
    path = np.array([1] * 4 + [5] * 12)
    steps = calendar(
        path, MONDAY + timedelta(minutes=40), timedelta(minutes=5), startup=NO_STARTUP, options=CalendarOptions()
    )
    assert [(step.at - MONDAY, step.replicas) for step in steps] == [
        (timedelta(minutes=40), 1),
        (timedelta(hours=1), 5),
    ]


def test_a_change_that_saves_next_to_nothing_is_left_out() -> None:
    path = [100] * 20 + [99] * 4
    assert len(made(path, slack=0.0)) == 2
    assert len(made(path, slack=0.02)) == 1


def test_no_path_makes_no_calendar() -> None:
    assert made([]) == ()
