"""Capacity: declared, learned from production, or a lower bound, or not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from domain.capacity import CapacityBasis, CapacityModel
from domain.load import LoadHistory
from domain.observation import Observation
from domain.unknown import Unknown
from domain.workload import Slo
from optimizer.capacity import CapacityOptions, in_usual_requests, studied
from optimizer.capacity.fits import Curve
from optimizer.capacity.pairs import settled
from optimizer.pairing import on_grid_of
from tests.optimizer.cases import FIVE_MINUTES, MONDAY, WORKLOAD, history, observation

BASE_S, WAIT_S, CEILING_RPS = 0.1, 0.05, 20.0
NOT_DECLARED = Unknown("no capacity is declared")


def curve_s(load_rps: NDArray[np.float64]) -> NDArray[np.float64]:
    return BASE_S + WAIT_S * load_rps / (CEILING_RPS - load_rps)


def production(*, peak: float = 18.0, replicas: float = 3.0, days: int = 7, slo_s: float = 0.5) -> Observation:
    """Days of load up to `peak` requests/s a replica, with latencies on a known curve, one in twenty noisy."""
    rng = np.random.default_rng(1)
    steps = days * 288
    each = peak * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(steps) / 288.0)) + 0.1
    latency = curve_s(each) * np.exp(rng.normal(0.0, 0.05, steps))
    workload = replace(WORKLOAD, slo=Slo(latency=timedelta(seconds=slo_s)))
    return observation(
        history(each * replicas),
        workload=workload,
        latency=history(latency),
        replicas=history(np.full(steps, replicas)),
        declared_capacity_rps=NOT_DECLARED,
    )


def capacity_of(seen: Observation, options: CapacityOptions | None = None) -> CapacityModel | Unknown:
    options = options or CapacityOptions()
    return studied(in_usual_requests(seen, options), options).capacity


def learned(seen: Observation, options: CapacityOptions | None = None) -> CapacityModel:
    found = capacity_of(seen, options)
    assert isinstance(found, CapacityModel), found
    return found


def test_what_is_declared_wins_over_everything_learned() -> None:
    found = learned(replace(production(), declared_capacity_rps=7.0))
    assert (found.basis, found.rate_rps, found.low_rps, found.high_rps) == (CapacityBasis.DECLARED, 7.0, 7.0, 7.0)


def test_the_curve_is_read_where_it_meets_the_slo() -> None:
    """L(x) = 0.1 + 0.05 x / (20 - x) reaches 0.4 s at x = 20 * 0.3 / 0.35 = 17.14."""
    found = learned(production(slo_s=0.4))
    assert found.basis is CapacityBasis.LEARNED
    assert found.rate_rps == pytest.approx(17.14, rel=0.05)
    assert found.high_rps is not None
    assert found.low_rps <= found.rate_rps <= found.high_rps
    assert found.low_rps < 17.14 * 1.02
    assert found.high_rps > 17.14 * 0.98


def test_the_curve_inverts_itself() -> None:
    curve = Curve(BASE_S, WAIT_S, CEILING_RPS)
    assert curve.load_at(float(curve_s(np.array([13.0]))[0])) == pytest.approx(13.0)
    assert curve.load_at(0.05) == 0.0


def test_a_load_that_never_came_near_the_knee_gives_a_lower_bound() -> None:
    found = learned(production(peak=6.0, slo_s=0.5))
    assert found.basis is CapacityBasis.LOWER_BOUND
    assert found.high_rps is None
    assert 5.5 <= found.rate_rps <= 6.1
    assert "never observed above" in found.detail
    assert "load test" in found.detail


def test_a_slo_that_no_load_ever_held_gives_no_number() -> None:
    found = capacity_of(production(slo_s=0.05))
    assert isinstance(found, Unknown)
    assert "above its SLO" in found.reason


def test_outages_do_not_teach() -> None:
    """Two hours of failures at 3 s a request leave the capacity where it was."""
    seen = production(slo_s=0.4)
    assert isinstance(seen.latency, LoadHistory)
    slow, errors = seen.latency.values.copy(), np.zeros(len(seen.latency))
    slow[500:524], errors[500:524] = 3.0, 0.4
    broken = replace(seen, latency=history(slow), errors=history(errors))
    clean = replace(seen, errors=history(np.where(errors > 0, 1.0, 0.0)))
    assert learned(broken).rate_rps == pytest.approx(learned(clean).rate_rps, rel=1e-3)


def test_steps_around_a_change_of_replicas_do_not_teach() -> None:
    ready = np.array([1.0, 1, 1, 2, 2, 2, 2, 2, np.nan, 2, 2, 2, 2])
    found = settled(ready, timedelta(minutes=10), FIVE_MINUTES)
    assert found.tolist() == [False] * 6 + [True, True] + [False] * 4 + [True]


@pytest.mark.parametrize("missing", ["latency", "replicas"])
def test_without_latency_or_replicas_nothing_is_learned(missing: str) -> None:
    gone = Unknown("the query found nothing")
    seen = production()
    broken = replace(seen, latency=gone) if missing == "latency" else replace(seen, replicas=gone)
    found = capacity_of(broken)
    assert isinstance(found, Unknown)
    assert "the query found nothing" in found.reason


def test_too_few_pairs_are_counted_and_refused() -> None:
    seen = production()
    assert isinstance(seen.latency, LoadHistory)
    thin = seen.latency.values.copy()
    thin[30:] = np.nan
    found = capacity_of(replace(seen, latency=history(thin)))
    assert isinstance(found, Unknown)
    assert "needed: 50" in found.reason


def test_the_interval_is_the_same_each_time() -> None:
    seen = production(days=5, slo_s=0.4)
    assert learned(seen) == learned(seen)


def test_what_comes_after_the_observation_teaches_nothing() -> None:
    seen = production(slo_s=0.4)
    assert isinstance(seen.load, LoadHistory)
    cut = replace(seen, observed_at=MONDAY + timedelta(days=4))
    load = seen.load.values.copy()
    load[4 * 288 :] *= 0.1
    assert learned(replace(cut, load=history(load))) == learned(cut)


def test_a_simulated_queue_is_learned_to_ten_percent() -> None:
    """One worker, 20 ms a request, Poisson arrivals: p95 within 0.1 s up to the rate found by a finer simulation."""
    rng, steps = np.random.default_rng(4), 4 * 288
    rates = 20.0 + 28.0 * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(steps) / 288.0))
    latency = np.array([queue_p95_s(rate, 60.0, rng) for rate in rates])
    grid = np.arange(28.0, 44.0, 0.5)
    truth = float(grid[[queue_p95_s(rate, 6000.0, rng) <= 0.1 for rate in grid]].max())
    seen = observation(
        history(rates),
        workload=replace(WORKLOAD, slo=Slo(latency=timedelta(seconds=0.1))),
        latency=history(latency),
        replicas=history(np.ones(steps)),
        declared_capacity_rps=NOT_DECLARED,
    )
    assert learned(seen).rate_rps == pytest.approx(truth, rel=0.1)


def queue_p95_s(rate_rps: float, seconds: float, rng: np.random.Generator) -> float:
    """95th percentile of time in an M/D/1 queue by Lindley's recursion: W = S - min over the past of S."""
    gaps = rng.exponential(1.0 / rate_rps, int(rate_rps * seconds))
    walk = np.concatenate([[0.0], np.cumsum(0.02 - gaps[1:])])
    waits = walk - np.minimum.accumulate(walk)
    return float(np.quantile(waits + 0.02, 0.95))


def test_signals_on_different_grids_are_refused() -> None:
    with pytest.raises(ValueError, match="share a grid"):
        on_grid_of(history([1.0, 2.0]), history([1.0], step=timedelta(minutes=1)))


def test_a_signal_is_placed_by_its_time() -> None:
    later = LoadHistory(start=MONDAY + FIVE_MINUTES, step=FIVE_MINUTES, values=np.array([7.0, 8.0, 9.0]))
    assert np.array_equal(on_grid_of(history([1.0, 2.0, 3.0]), later), [np.nan, 7.0, 8.0], equal_nan=True)
