"""What was lost in one incident is named, and how much of it is not chased."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from domain.load import LoadHistory
from optimizer.incidents import incidents
from optimizer.scaling import Decisions, Explanation, PriceRow, ScalingProblem, decide
from tests.optimizer.cases import MONDAY, daily, history

PROBLEM = ScalingProblem(capacity_rps=0.5, attainment=0.999)
FIRST = 7 * 288


def burst(at: int = 10 * 288 + 60, long: int = 4) -> LoadHistory:
    """A daily rhythm with twenty minutes of three hundred requests/s, once."""
    values = daily(14).values.copy()
    values[at : at + long] = 300.0
    return history(values)


def always(replicas: int, steps: int) -> Decisions:
    """Decisions for one number, whatever a miss costs."""
    wanted = np.full(steps, replicas, dtype=np.int64)
    row = PriceRow(
        prices=np.array([10.0, 1000.0]),
        wanted=np.stack([wanted, wanted], 1),
        needed=np.zeros_like(wanted),
        positions=np.zeros(steps),
        ratio=1,
    )
    said = Explanation(opinions=(), reasons=(), replicas=replicas)
    return Decisions(desired=wanted, explanation=said, row=row)


def test_an_incident_is_named_with_what_was_lost() -> None:
    load = burst()
    [found] = incidents(load, PROBLEM, decide(load, PROBLEM), first=FIRST)
    assert found.start == MONDAY + timedelta(days=10, hours=5)
    assert found.end <= found.start + timedelta(minutes=20)
    assert found.missed_share > PROBLEM.budget
    assert 0.0 < found.written_off_share <= found.missed_share
    total = load.values[FIRST:].sum() * 300.0
    assert found.missed_requests == pytest.approx(found.missed_share * total)
    reason = found.reason()
    assert reason.code == "incident_written_off"
    assert "2026-10-15 05:00" in reason.detail


def test_everyday_misses_are_no_incident() -> None:
    load = daily(14)
    assert incidents(load, PROBLEM, decide(load, PROBLEM), first=FIRST) == ()


def test_an_incident_before_the_window_is_not_told() -> None:
    load = burst(at=4 * 288)
    assert incidents(load, PROBLEM, decide(load, PROBLEM), first=FIRST) == ()


def test_misses_within_the_hour_are_one_incident_and_later_ones_another() -> None:
    values = burst().values.copy()
    values[10 * 288 + 70] = 300.0  # fifty minutes later
    values[12 * 288 + 61] = 300.0
    found = incidents(history(values), PROBLEM, always(25, len(values)), first=FIRST)
    assert [each.start.day for each in found] == [15, 17]
    assert found[0].end == MONDAY + timedelta(days=10, minutes=5 * 71)


def test_at_most_three_are_told_by_time() -> None:
    values = daily(14).values.copy()
    for day in range(8, 13):
        values[day * 288 + 31 * (day - 7)] = 300.0 + day
    found = incidents(history(values), PROBLEM, always(25, len(values)), first=FIRST)
    assert [each.start.day for each in found] == [15, 16, 17]


def test_where_a_miss_has_a_price_no_budget_is_chased() -> None:
    priced = replace(PROBLEM, replica_hours_per_miss=0.1)
    assert incidents(burst(), priced, decide(burst(), priced), first=FIRST) == ()


def test_a_gap_is_no_incident() -> None:
    values = daily(14).values.copy()
    values[10 * 288 : 10 * 288 + 30] = np.nan
    assert incidents(history(values), PROBLEM, decide(history(values), PROBLEM), first=FIRST) == ()
