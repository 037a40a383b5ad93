"""Late answers of replicas with one queue, against a simulation of every single request, and how a past is judged."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import simulation
from benchmarks.simulation import Ready
from domain.load import LoadHistory
from optimizer.margin import Late, error, late_of, parts_of
from optimizer.queueing import late_share
from optimizer.shares import drawn, level_within
from tests.optimizer.cases import FIVE_MINUTES, MONDAY, history


def estimated(busy: float, replicas: float, waits: float) -> float:
    return float(late_share(np.array([busy]), np.array([replicas]), waits)[0])


def simulated(busy: float, replicas: int, waits: float) -> float:
    """30,000 requests of one second each, all of which may wait `waits` seconds."""
    load = history(np.full(int(30_000 / busy / 300) + 1, busy))
    always = np.full(len(load), replicas, dtype=np.int64)
    parts = simulation.stretches(load, begin=0, run_in_s=0.0)
    done = simulation.fleet(parts, service_s=1.0, latency_s=1.0 + waits, ready=Ready(always, always, 0.0))
    return done.late / done.requests


@pytest.mark.parametrize("replicas", [1, 5, 20])
@pytest.mark.parametrize("use", [0.5, 0.8, 0.95, 1.0, 1.5])
@pytest.mark.parametrize("waits", [1.0, 4.0, 19.0])
def test_late_answers_are_those_of_a_simulation(replicas: int, use: float, waits: float) -> None:
    """Within a quarter, or two percent of requests."""
    truth = simulated(use * replicas, replicas, waits)
    assert estimated(use * replicas, replicas, waits) == pytest.approx(truth, rel=0.25, abs=0.02)


def test_without_replicas_all_are_late_and_without_requests_none() -> None:
    assert estimated(1.0, 0.0, 5.0) == pytest.approx(1.0)
    assert estimated(0.0, 0.0, 5.0) == 0.0


@given(st.floats(0.01, 40.0), st.integers(1, 40), st.floats(0.1, 20.0))
def test_more_load_is_never_answered_better_and_more_replicas_never_worse(
    busy: float, replicas: int, waits: float
) -> None:
    now = estimated(busy, replicas, waits)
    assert 0.0 <= now <= 1.0
    assert estimated(busy * 1.1, replicas, waits) >= now - 1e-9
    assert estimated(busy, replicas + 1, waits) <= now + 1e-9


def test_the_margin_is_the_spread_of_the_days() -> None:
    """Days of 1, 2 and 3 % of 1,000 requests: their mean has a standard error of 10 requests a day x sqrt(3) over 3,000."""
    hit, came = np.array([10.0, 20.0, 30.0]), np.full(3, 1000.0)
    assert error(hit, came) == pytest.approx(np.sqrt(2 * 3 * 100.0) / 3000)


def test_alike_days_leave_the_margin_of_single_requests() -> None:
    """20 of 1,000 each day: 60 independent hits vary by sqrt(60), twice in the square for the days ahead."""
    assert error(np.full(3, 20.0), np.full(3, 1000.0)) == pytest.approx(np.sqrt(2 * 60) / 3000)
    assert error(np.zeros(3), np.zeros(3)) == 0.0


def test_few_days_are_judged_in_eight_stretches() -> None:
    assert parts_of(np.repeat(np.arange(6), 2)).tolist() == np.repeat(np.arange(6), 2).tolist()
    assert np.bincount(parts_of(np.zeros(16, dtype=np.int64))).tolist() == [2] * 8


def test_a_share_is_never_taken_for_more_than_all() -> None:
    days = np.repeat(np.arange(10), 1)
    assert late_of(np.array([1.0] * 5 + [0.0] * 5), np.ones(10), days).at_most == 1.0
    assert late_of(np.zeros(10), np.ones(10), days) == Late()


def test_the_level_lets_its_share_of_requests_over() -> None:
    """Of 1, 1, 1 and 7 requests a tenth is 1: 6 holds all but one."""
    assert level_within(np.array([1.0, 7.0, 1.0, 1.0]), 0.1) == pytest.approx(6.0)
    assert level_within(np.array([]), 0.1) == 0.0


@given(st.lists(st.floats(0.0, 100.0), min_size=1, max_size=30), st.floats(0.0, 0.5))
def test_over_the_level_comes_no_more_than_its_share(loads: list[float], budget: float) -> None:
    values = np.array(loads)
    level = level_within(values, budget)
    assert np.maximum(0.0, values - level).sum() <= budget * values.sum() + 1e-6


def test_a_share_follows_the_days_before_and_what_today_exceeded() -> None:
    """Five days of 2 requests/s, then 6 at noon: raised from then on, for requests one start-up later, and let go after a week."""
    values = np.full(14 * 288, 2.0)
    noon = 5 * 288 + 144
    values[noon] = 6.0
    found = drawn(history(values), startup=timedelta(minutes=10), budget=0.0)
    assert found.held[288 : noon + 1].tolist() == [2.0] * (noon + 1 - 288)
    assert found.held[noon + 1] == 6.0
    assert found.ready[noon + 1 : noon + 3].tolist() == [2.0, 2.0]
    assert found.ready[noon + 3] == 6.0
    assert found.held[12 * 288 : 12 * 288 + 2].tolist() == [6.0, 6.0]
    assert found.held[13 * 288 + 2] == 2.0


def test_a_share_sees_nothing_later() -> None:
    rng = np.random.default_rng(4)
    values = rng.uniform(0, 5, 4 * 288)
    other = np.concatenate([values[:600], rng.uniform(0, 50, 4 * 288 - 600)])
    one, two = (drawn(history(each), startup=FIVE_MINUTES, budget=0.05) for each in (values, other))
    assert one.held[:601].tolist() == two.held[:601].tolist()
    assert one.ready[:601].tolist() == two.ready[:601].tolist()


def test_steps_of_seconds_are_looked_at_in_minutes() -> None:
    """A single second of 60 is 1 request/s over its minute."""
    values = np.zeros(7200)
    values[90] = 60.0
    load = LoadHistory(start=MONDAY, step=timedelta(seconds=1), values=values)
    found = drawn(load, startup=timedelta(minutes=1), budget=0.0)
    assert found.held[120:].tolist() == [1.0] * (7200 - 120)
    assert found.held[60:120].max() == 0.0
