"""What has to be served: replicas that carry the load, quantiles that fit the budget, gaps that are no zeros."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.load import Forecast
from domain.unknown import Unknown
from optimizer.demand import Sizing, Spread, expected, measured, within_budget
from optimizer.proposal import service_time_s
from tests.optimizer.cases import FIVE_MINUTES, MONDAY, daily, history, observation

LEVELS = (0.1, 0.5, 0.9, 0.99)
loads = st.lists(st.floats(0, 1e4), min_size=1, max_size=40).map(np.array)


def sizing(**other: object) -> Sizing:
    facts = {"capacity_rps": 2.0, "startup": FIVE_MINUTES, "min_replicas": 1, "max_replicas": None}
    return Sizing(**(facts | other))  # type: ignore[arg-type]


def forecast(*rows: list[float]) -> Forecast:
    quantiles = np.array(rows)
    return Forecast(
        origin=MONDAY, step=FIVE_MINUTES, levels=LEVELS, quantiles=quantiles, mean=quantiles[1], model="made up"
    )


FLAT = forecast([8.0] * 4, [10.0] * 4, [12.0] * 4, [13.0] * 4)


@given(loads, st.floats(0.01, 100), st.integers(0, 3600))
def test_the_replicas_carry_the_load_of_their_step_and_of_the_start_up_ahead(
    load: np.ndarray[tuple[int], np.dtype[np.float64]], capacity_rps: float, startup_s: int
) -> None:
    size = sizing(capacity_rps=capacity_rps, startup=timedelta(seconds=startup_s))
    replicas = size.replicas(load, FIVE_MINUTES)
    assert (replicas * capacity_rps >= load * (1 - 1e-6) - 1e-6).all()
    lead = startup_s // 300 + 1
    assert all(replicas[i] >= replicas_alone(size, load[i : i + lead]) for i in range(len(load)))


def replicas_alone(size: Sizing, load: np.ndarray[tuple[int], np.dtype[np.float64]]) -> int:
    """What the highest of these loads needs by itself."""
    return int(np.ceil(load.max() / size.capacity_rps - 1e-9))


@given(loads, st.integers(0, 5), st.integers(5, 20))
def test_bounds_hold_at_every_step(load: np.ndarray[tuple[int], np.dtype[np.float64]], least: int, most: int) -> None:
    replicas = sizing(min_replicas=least, max_replicas=most).replicas(load, FIVE_MINUTES)
    assert least <= replicas.min() <= replicas.max() <= most


def test_more_load_never_needs_fewer_replicas() -> None:
    arrivals = history(np.ones(10))
    needs = [
        expected(FLAT, sizing(), arrivals, level=0.9, base=0.1, scale=scale).replicas.mean for scale in (0.5, 1, 2, 9)
    ]
    assert needs == sorted(needs)


def test_what_is_sure_is_never_more_than_what_is_held() -> None:
    wanted = expected(FLAT, sizing(), history(np.ones(10)), level=0.9, base=0.1)
    assert (wanted.replicas.mean, wanted.base.mean) == (6.0, 4.0)
    assert wanted.rate_rps == 10.0
    assert wanted.peak_rps == 12.0


def test_gaps_take_no_part_in_a_measured_demand() -> None:
    load = history([2.0, np.nan, 4.0])
    found = measured(load, np.array([1, 9, 3]))
    assert found.rate_rps == 3.0
    assert found.replicas.mean == 2.0
    with pytest.raises(ValueError, match="no load is known"):
        measured(history([np.nan]), np.array([1]))


def test_the_share_over_a_capacity_is_of_requests_not_of_steps() -> None:
    found = measured(history([1.0, 1.0, 8.0]), np.array([1, 1, 1]))
    assert found.beyond(2.0) == pytest.approx(0.6)
    assert found.beyond(8.0) == 0.0
    assert measured(history([0.0, 0.0]), np.array([1, 1])).beyond(1.0) == 0.0


def test_the_quantile_is_the_lowest_whose_expected_misses_fit_the_budget() -> None:
    """Above p90 lie (12+13)/2-12 on 9 % and up to 2 on 1 %: 0.06 of 10 requests/s, 0.6 %."""
    assert within_budget(FLAT, 0.5) == 0.5
    assert within_budget(FLAT, 0.007) == 0.9
    assert within_budget(FLAT, 0.005) == 0.99
    assert within_budget(FLAT, 1e-9) == 0.99


@given(st.lists(st.integers(0, 50), min_size=1, max_size=50), st.integers(1, 9))
def test_whole_machines_hold_all_replicas(values: list[int], size: int) -> None:
    spread = Spread.of(np.array(values))
    machines = spread.in_units_of(size)
    assert machines.mean * size >= spread.mean - 1e-9
    assert machines.mean <= spread.mean + 1
    assert spread.mean == pytest.approx(np.mean(values))


def test_no_values_spread_over_nothing() -> None:
    with pytest.raises(ValueError, match="at least one value"):
        Spread.of(np.array([]))


def test_an_unmeasured_service_time_is_bounded_by_the_latencies_seen() -> None:
    """The fastest quarter of the latencies, each of which holds a whole request."""
    unmeasured = observation(daily(2), service_time_s=Unknown("not exported"))
    assert isinstance(service_time_s(unmeasured), Unknown)
    seen = replace(unmeasured, latency=history([0.1, 0.2, 0.3, 0.4, 0.5, np.nan]))
    assert service_time_s(seen) == pytest.approx(0.2)
    assert service_time_s(replace(seen, service_time_s=0.05)) == 0.05
