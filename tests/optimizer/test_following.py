"""Replicas that follow the numbers asked for, told from replicas that do not."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.following import SLOWNESS, followed, follows

MINUTE = timedelta(minutes=1)
counts = st.integers(0, 200)


@pytest.mark.parametrize(
    "ready,wanted,said",
    [
        (5, [5], True),
        (6, [5], False),  # below ten replicas the HPA acts on every step
        (4, [5], False),
        (5.4, [5], True),  # a mean over a step in which one was started
        (11, [10], True),
        (12, [10], False),
        (9, [10], True),
        (33, [30], True),
        (26, [30], False),
        (6, [5, 8], True),  # on its way from one number to the other
        (8, [8, 5], True),
        (9, [5, 8], False),
        (0, [0], True),
        (3, [], False),
    ],
)
def test_replicas_follow_within_what_an_autoscaler_leaves_alone(ready: float, wanted: list[int], said: bool) -> None:
    assert follows(ready, wanted) is said


@given(st.lists(counts, min_size=1, max_size=8), st.data())
def test_whatever_lies_between_the_numbers_follows_them(wanted: list[int], data: st.DataObject) -> None:
    assert follows(data.draw(st.integers(min(wanted), max(wanted))), wanted)


@given(st.lists(st.tuples(counts, counts), min_size=1, max_size=60))
def test_a_night_is_judged_step_by_step_on_the_numbers_of_the_time_a_start_takes(steps: list[tuple[int, int]]) -> None:
    ready, wanted = (np.array(column) for column in zip(*steps, strict=True))
    found = followed(ready.astype(np.float64), wanted, 5 * MINUTE, 5 * MINUTE)
    back = 1 + (5 * MINUTE + SLOWNESS) // (5 * MINUTE)
    expected = [
        follows(ready[i], [wanted[j] for j in range(len(steps)) if i - back <= j <= i]) for i in range(len(steps))
    ]
    assert found.tolist() == expected


def test_a_step_of_which_the_replicas_are_not_known_follows_nothing() -> None:
    assert followed(np.array([2.0, np.nan]), np.array([2, 2]), MINUTE, MINUTE).tolist() == [True, False]
