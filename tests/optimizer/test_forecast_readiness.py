"""Thin, stale or gappy history is a reason with what is needed, and several may hold at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from domain.load import LoadHistory
from domain.unknown import Unknown
from optimizer.readiness import Readiness, assess, length_of_history

START = datetime(2024, 1, 1, tzinfo=UTC)
STEP = timedelta(minutes=5)


def load(days: float) -> LoadHistory:
    return LoadHistory(start=START, step=STEP, values=np.ones(int(days * 288)))


def test_enough_fresh_history_is_ready() -> None:
    assert assess(load(2), observed_at=START + timedelta(days=2, minutes=4)) == ()


def test_one_day_is_held_and_says_what_is_needed() -> None:
    (reason,) = assess(load(1), observed_at=START + timedelta(days=1))
    assert reason.code == "thin_history"
    assert reason.detail == "1 d of load history; needed: 2 d, so 1 d more"


def test_an_old_newest_sample_is_stale_even_if_the_grid_goes_on() -> None:
    values = np.ones(4 * 288)
    values[-12:] = np.nan
    history = LoadHistory(start=START, step=STEP, values=values)
    (reason,) = assess(history, observed_at=history.end)
    assert reason.code == "stale_input"
    assert "60 min old" in reason.detail


def test_gaps_are_counted_over_the_last_days() -> None:
    values = np.ones(10 * 288)
    values[-1000:-1] = np.where(np.arange(999) % 2, np.nan, 1.0)
    history = LoadHistory(start=START, step=STEP, values=values)
    assert [reason.code for reason in assess(history, observed_at=history.end)] == ["gappy_history"]


def test_old_gaps_are_forgiven() -> None:
    values = np.ones(10 * 288)
    values[: 3 * 288 : 2] = np.nan
    history = LoadHistory(start=START, step=STEP, values=values)
    assert assess(history, observed_at=history.end) == ()


def test_nothing_known_and_nothing_answered_are_thin_history() -> None:
    silent = LoadHistory(start=START, step=STEP, values=np.full(1000, np.nan))
    assert [r.code for r in assess(silent, observed_at=silent.end)] == ["thin_history"]
    (reason,) = assess(Unknown("Prometheus has no such series"), observed_at=START)
    assert reason.code == "thin_history"
    assert "no such series" in reason.detail


def test_only_what_was_known_at_the_time_counts() -> None:
    assert [r.code for r in assess(load(9), observed_at=START + timedelta(days=1))] == ["thin_history"]


def test_history_is_as_long_as_it_was_seen_not_as_it_was_asked_for() -> None:
    asked = np.ones(28 * 288)

    def long(*unknown: slice) -> timedelta:
        values = asked.copy()
        for part in unknown:
            values[part] = np.nan
        return length_of_history(LoadHistory(start=START, step=STEP, values=values))

    assert long() == timedelta(days=28)
    assert long(slice(0, 20 * 288)) == timedelta(days=8)  # the source keeps no more
    assert long(slice(0, 3), slice(-2, None)) == timedelta(days=28)  # scrapes missed at the edges
    assert long(slice(288, 15 * 288)) == timedelta(days=14)  # one old day and two weeks of nothing
    assert long(slice(288, 4 * 288)) == timedelta(days=28)  # an outage over a weekend
    assert long(slice(0, None)) == timedelta(0)


def test_limits_can_be_set() -> None:
    limits = Readiness(min_history=timedelta(days=7))
    assert [r.code for r in assess(load(3), observed_at=load(3).end, limits=limits)] == ["thin_history"]
