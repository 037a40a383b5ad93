"""Cold starts and idle instances: counted, against every single request served; and served, by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from benchmarks import simulation
from benchmarks.simulation import Served
from domain.load import LoadHistory
from optimizer.coldstarts import MOST_PLACED, Starts, counted, placed, starts
from optimizer.placed import Service, left_over, moments_of, passed, whole_requests
from tests.optimizer.cases import history

MINUTE = timedelta(minutes=1)


def simulated(load: LoadHistory, service: Service, warm: int = 0) -> Served:
    """What became of every request of the load, with so many instances kept warm at all times."""
    parts = simulation.stretches(load, begin=0, run_in_s=0.0)
    return simulation.serverless(parts, service, 1e9, np.full(len(load), warm, dtype=np.int64))


def steady(rate_rps: float, requests: int) -> LoadHistory:
    """Poisson counts per minute."""
    steps = int(requests / rate_rps / 60)
    return history(np.random.default_rng(7).poisson(rate_rps * 60, steps) / 60, MINUTE)


def bursts(peak_rps: float, base_rps: float) -> LoadHistory:
    """Ten minutes of every hour at the peak, for a week."""
    return history(np.tile([peak_rps] + [base_rps] * 5, 24 * 7), timedelta(minutes=10))


@pytest.mark.parametrize(
    "rate_rps,service_s,keep_alive_s",
    [
        (0.001, 0.5, 300.0),
        (0.005, 0.5, 300.0),
        (0.02, 5.0, 300.0),
        (0.2, 5.0, 60.0),
        (2.0, 2.0, 300.0),
        (5.0, 1.0, 30.0),
    ],
)
def test_at_a_steady_rate_shares_and_waiting_are_those_of_a_simulation(
    rate_rps: float, service_s: float, keep_alive_s: float
) -> None:
    """Cold within a third of the simulated share, or a twentieth of a percent of requests; waiting within a seventh."""
    load = steady(rate_rps, min(40_000, int(rate_rps * 600_000) + 1))
    found = counted(load, service_s, keep_alive_s, 0.0)
    done = simulated(load, Service(service_s, 0.0, keep_alive_s))
    assert found.cold_share == pytest.approx(done.cold / done.requests, rel=0.34, abs=5e-4)
    assert found.idle == pytest.approx(done.idle_s / (len(load) * 60.0), rel=0.15)


@pytest.mark.parametrize(
    "load,service",
    [
        (bursts(1.8, 0.07), Service(2.0, 0.0, 5.0)),
        (bursts(1.8, 0.07), Service(2.0, 85.0, 5.0)),
        (history(np.tile([1.0] + [0.0] * 12, 168)), Service(0.1, 1.0, 600.0)),
        (history(np.tile([5.0] + [0.0] * 12, 168)), Service(0.2, 6.0, 600.0)),
        (history(np.tile([1.0] * 4 + [0.0] * 20, 168), MINUTE), Service(2.0, 85.0, 300.0)),
        (history(np.tile([1.0, 0, 0, 0, 0, 0], 1680), MINUTE), Service(0.2, 0.0, 300.0)),
    ],
)
def test_bursts_start_what_they_find_cold_and_what_is_still_starting(load: LoadHistory, service: Service) -> None:
    """While instances start, for 85 s, those that would have found them warm start others."""
    found = counted(load, service.service_s, service.keep_alive_s, service.cold_s)
    done = simulated(load, service)
    assert found.cold_share == pytest.approx(done.cold / done.requests, rel=0.34)


@pytest.mark.parametrize("warm", [1, 2, 4, 6])
def test_kept_instances_take_the_first_requests(warm: int) -> None:
    """Day and night of 0.1 to 3.9 requests/s that take 2 s each: the k-th busy instance serves what the others cannot."""
    rates = 2.0 + 1.9 * np.cos(np.arange(1440 * 2) / 1440 * 2 * np.pi)
    load = history(rates, MINUTE)
    found = counted(load, 2.0, 300.0, 0.0)
    done = simulated(load, Service(2.0, 0.0, 300.0), warm)
    row = found.kept.tolist().index(warm)
    total = found.requests.sum()
    assert found.over[row].sum() / total == pytest.approx(1 - done.by_warm / done.requests, rel=0.02)
    assert found.cold[row].sum() / total == pytest.approx(done.cold / done.requests, rel=0.34, abs=5e-4)
    assert found.idle_s[row].sum() == pytest.approx(done.idle_s, rel=0.2)


Way = Callable[[LoadHistory, float, float, float], Starts]
BOTH = pytest.mark.parametrize("way", [placed, counted])


def share(way: Way, values: NDArray[np.float64], keep_alive_s: float = 600.0) -> float:
    return way(history(values), 0.1, keep_alive_s, 0.0).cold_share


@BOTH
def test_one_request_after_each_long_pause_is_cold(way: Way) -> None:
    """A request each hour, kept warm for five minutes: all cold."""
    assert share(way, np.tile([1.0 / 300.0] + [0.0] * 11, 24), 300.0) == pytest.approx(1.0, abs=0.1)


@BOTH
def test_a_burst_after_a_pause_has_one_cold_start(way: Way) -> None:
    """300 requests in five minutes after an hour without: one of 300 and the odd overlap."""
    assert 1 / 300 * 0.9 <= share(way, np.tile([1.0] + [0.0] * 12, 24)) <= 0.01


@BOTH
def test_an_unknown_step_is_not_a_pause(way: Way) -> None:
    known = share(way, np.tile([1.0] + [0.0] * 12, 24))
    assert share(way, np.tile([1.0] + [np.nan] * 12, 24)) < known / 3


@BOTH
def test_without_requests_nothing_is_cold(way: Way) -> None:
    assert share(way, np.zeros(10)) == 0.0
    unknown = way(history(np.full(3, np.nan)), 0.1, 300.0, 0.0)
    assert (unknown.cold_share, unknown.idle) == (0.0, 0.0)


@BOTH
def test_idle_time_is_what_the_keep_alive_adds(way: Way) -> None:
    """A request each hour keeps an instance for five of sixty minutes; a busy one always has one waiting."""
    hourly = history(np.tile([1.0 / 300.0] + [0.0] * 11, 100))
    assert way(hourly, 1e-3, 300.0, 0.0).idle == pytest.approx(300 / 3600, rel=0.01)
    assert way(history(np.full(100, 0.5)), 1e-3, 300.0, 0.0).idle == pytest.approx(1.0, abs=0.3)


def test_histories_of_few_requests_are_served_and_heavy_ones_counted_with_what_that_may_miss() -> None:
    few, many = (history(np.full(1000, rate * MOST_PLACED / 300_000)) for rate in (0.99, 1.01))
    assert starts(few, 0.1, 300.0, 0.0).unseen == 1.0
    assert starts(many, 0.1, 300.0, 0.0).unseen == pytest.approx(4 / 3)
    assert np.array_equal(starts(few, 0.1, 300.0, 0.0).cold, placed(few, 0.1, 300.0, 0.0).cold)


def test_parts_of_requests_are_carried_on_until_they_are_whole() -> None:
    """0.3 requests a step are one in every third or fourth, and none is lost."""
    found = whole_requests(np.full(1000, 0.001), 300.0)
    assert found.max() == 1
    assert found.sum() == 300
    assert whole_requests(np.array([1.0, 0.0, 2.0]), 5.0).tolist() == [5, 0, 10]


def test_waiting_belongs_to_the_steps_it_lies_in() -> None:
    """Served from 50 s to 60 s, kept until 360 s: whole minutes from the second to the sixth, and none that was never cold."""
    done = passed(np.array([50.0]), np.zeros(10, dtype=np.int64), Service(10.0, 0.0, 300.0), 60.0)
    assert done.idle_s.tolist() == [0.0] + [60.0] * 5 + [0.0] * 4
    assert done.cold.tolist() == [1.0] + [0.0] * 9
    kept = passed(np.array([50.0]), np.ones(10, dtype=np.int64), Service(10.0, 0.0, 300.0), 60.0)
    assert (kept.cold.sum(), kept.by_warm.tolist(), kept.idle_s.sum()) == (0.0, [1.0] + [0.0] * 9, 0.0)
    short = passed(np.array([50.0]), np.zeros(10, dtype=np.int64), Service(5.0, 0.0, 100.0), 60.0)
    assert short.idle_s.tolist() == pytest.approx([5.0, 60.0, 35.0] + [0.0] * 7)


def by_hand(moments: list[float], kept: int, service: Service) -> tuple[int, int, float]:
    """Requests left over by the kept instances, which of them start cold, and the seconds that all others wait."""
    until, free_from = [-math.inf] * kept, list[float]()
    left, cold, waited = 0, 0, 0.0
    for now in moments:
        idle = [i for i in range(kept) if until[i] <= now]
        if idle:
            until[idle[-1]] = now + service.service_s
            continue
        left += 1
        warm = [free for free in free_from if free <= now <= free + service.keep_alive_s]
        if warm:
            free_from.remove(max(warm))
            waited += now - max(warm)
        cold += not warm
        free_from.append(now + service.service_s + (0.0 if warm else service.cold_s))
    return left, cold, waited + len(free_from) * service.keep_alive_s


@given(
    st.lists(st.integers(0, 600), max_size=60).map(sorted),
    st.integers(0, 4),
    st.builds(Service, *(st.sampled_from(seconds) for seconds in ((0.5, 3.0, 40.0), (0.0, 7.0), (0.0, 5.0, 120.0)))),
)
def test_what_kept_instances_leave_over_is_served_as_if_all_were_asked_for_every_request(
    moments: list[int], kept: int, service: Service
) -> None:
    """Whichever of the free ones serves: taken one by one here, and there with all lists at hand."""
    left = np.array(moments, dtype=np.float64) + 0.25
    expected = by_hand(left.tolist(), kept, service)
    at_once = passed(left, np.full(100, kept), service, 60.0)
    for _ in range(kept):
        left = left_over(left, service.service_s)
    by_turns = passed(left, np.zeros(100, dtype=np.int64), service, 60.0)
    assert (len(moments) - at_once.by_warm.sum(), len(left)) == (expected[0], expected[0])
    for done in (at_once, by_turns):
        assert done.cold.sum() == expected[1]
        assert done.idle_s.sum() == pytest.approx(expected[2])
    assert np.array_equal(at_once.cold, by_turns.cold)


@given(st.lists(st.one_of(st.integers(0, 5), st.integers(0, 400)), min_size=1, max_size=20), st.integers(0, 3))
def test_moments_are_those_that_were_drawn_put_in_order(counts: list[int], seed: int) -> None:
    """Sorted as a whole they are the very same numbers, and each lies in its step."""
    found = moments_of(np.array(counts), 300.0, np.random.default_rng(seed))
    steps = np.repeat(np.arange(len(counts)), counts)
    assert np.array_equal(found, np.sort((steps + np.random.default_rng(seed).random(len(steps))) * 300.0))
    assert np.array_equal(np.bincount((found // 300.0).astype(int), minlength=len(counts)), counts)


def test_a_history_is_drawn_once_for_all_tariffs_that_look_back_as_far() -> None:
    """Two that differ in their cold starts alone serve the same requests at the same moments: the slower one more of them cold."""
    load = history(np.tile([0.02, 0.0, 0.1], 100))
    quick, slow = (placed(load, 1.0, 300.0, cold_s) for cold_s in (1.0, 90.0))
    assert quick.requests.sum() == slow.requests.sum()
    assert quick.cold_share < slow.cold_share


def test_slots_are_hours_of_the_day_with_all_that_is_known_of_them() -> None:
    """25 hours from midnight on, the second unknown: hour 0 twice, hour 1 only once and without seconds."""
    values = np.ones(25 * 12)
    values[12:24] = np.nan
    found: Starts = starts(history(values), 0.1, 300.0, 0.0)
    assert found.hour.tolist() == [0, *range(2, 24), 0]
    assert (found.known_s == 3600.0).all()
    assert np.allclose(found.requests, 3600.0)
    assert len(set(found.day.tolist())) == 2


def test_a_burst_that_holds_most_of_the_requests_is_judged_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """One hour of 21 days holds nine tenths of what comes: whatever stretches are taken, all requests are stood for."""
    monkeypatch.setattr(simulation, "MOST_REQUESTS", 4_000)
    values = np.full(21 * 24, 10.0) / 3600
    values[301] = 45_000.0 / 3600
    load = history(values, timedelta(hours=1))
    parts = simulation.stretches(load, begin=240, run_in_s=1800.0)
    assert any(301 in part.steps[part.lead :] for part in parts)
    assert sum(part.stands_for * part.requests for part in parts) == pytest.approx(values[240:].sum() * 3600)
    assert sum(len(part.steps) - part.lead for part in parts) < len(values) - 240
