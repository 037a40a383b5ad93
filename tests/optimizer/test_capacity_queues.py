"""Capacity learned from simulated servers: within a few per cent of the rate at which a long run breaks the SLO."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from benchmarks.made_up import queue_observed
from benchmarks.queues import KINDS, WINDOW_S, Kind, knee_rps, simulated, tides
from domain.capacity import CapacityBasis, CapacityModel
from domain.load import LoadHistory
from domain.observation import Observation
from domain.unknown import Unknown
from domain.workload import Slo
from optimizer.capacity import CapacityOptions, CapacityStudy, in_usual_requests, reasons_of, studied, study_json
from optimizer.capacity.fits import Curve, Staircase, binned
from optimizer.capacity.pairs import Pairs, drained
from optimizer.capacity.reading import highest_held
from tests.optimizer.cases import WORKLOAD, history

OPTIONS = CapacityOptions()


WINDOW = timedelta(seconds=WINDOW_S)


def study(seen: Observation, options: CapacityOptions = OPTIONS) -> CapacityStudy:
    return studied(in_usual_requests(seen, options), options)


def learned(seen: Observation) -> CapacityModel:
    found = study(seen).capacity
    assert isinstance(found, CapacityModel), found
    return found


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


@pytest.fixture(scope="module")
def knee(kind: Kind) -> float:
    return knee_rps(kind.server, kind.slo_s, 5, 75)


def test_the_knee_is_learned_from_tides(kind: Kind, knee: float) -> None:
    seen = simulated(tides(kind.quiet_rps, kind.busy_rps), kind.server, seed=2)
    found = learned(queue_observed(seen, kind.slo_s, replicas=3.0))
    assert found.basis is CapacityBasis.LEARNED
    assert found.rate_rps == pytest.approx(knee, rel=0.05)


def test_the_knee_is_learned_from_days_that_overflow(kind: Kind, knee: float) -> None:
    """Hours of a growing queue, and the steps in which it drains again, do not move it."""
    seen = simulated(tides(kind.quiet_rps, kind.over_rps), kind.server, seed=3)
    for queue in (True, False):
        found = learned(queue_observed(seen, kind.slo_s, queue=queue))
        assert found.rate_rps == pytest.approx(knee, rel=0.06)


def test_below_the_knee_it_is_a_lower_bound(kind: Kind, knee: float) -> None:
    seen = simulated(tides(kind.quiet_rps / 3, 0.45 * knee), kind.server, seed=4)
    found = learned(queue_observed(seen, kind.slo_s))
    assert found.basis is CapacityBasis.LOWER_BOUND
    assert found.high_rps is None
    assert found.rate_rps == pytest.approx(0.45 * knee, rel=0.12)
    assert "never observed above" in found.detail


@pytest.mark.parametrize("name", ["M/D/1", "M/M/1"])
def test_a_growing_queue_tells_what_no_latency_does(name: str) -> None:
    """Load jumps from half the knee to far over it: nothing was seen near the knee but what was served meanwhile."""
    kind = KINDS[name]
    knee = knee_rps(kind.server, kind.slo_s, 5, 49)
    jumps = np.tile(np.r_[np.full(6, kind.over_rps), np.full(30, kind.quiet_rps)], 20)
    seen = simulated(np.concatenate([tides(kind.quiet_rps, 0.5 * knee), jumps]), kind.server, seed=5)
    with_queue, without = (learned(queue_observed(seen, kind.slo_s, queue=queue)) for queue in (True, False))
    assert with_queue.rate_rps == pytest.approx(knee, rel=0.13)
    assert abs(with_queue.rate_rps - knee) < abs(without.rate_rps - knee)
    assert with_queue.high_rps is not None
    assert with_queue.low_rps < 0.6 * knee < 1.2 * knee < with_queue.high_rps  # the gap is part of the interval


def test_batches_are_drawn_by_the_staircase_and_single_workers_by_the_curve() -> None:
    """Which fit is believed is told by days left out, and both stand in the evidence."""
    for name, believed in (("batches", "isotonic"), ("M/D/1", "queueing")):
        kind = KINDS[name]
        seen = simulated(tides(kind.quiet_rps, kind.busy_rps), kind.server, seed=6)
        fits = study(queue_observed(seen, kind.slo_s)).learned.fits
        assert fits[0].name == believed
        assert {fit.name for fit in fits} == {"queueing", "isotonic"}
        assert all(np.isfinite(fit.error) for fit in fits)


def test_one_odd_step_in_twenty_moves_nothing() -> None:
    kind = KINDS["M/D/1"]
    seen = simulated(tides(kind.quiet_rps, kind.busy_rps), kind.server, seed=7)
    odd = seen.latency_s.copy()
    odd[::20] *= 20.0
    clean = learned(queue_observed(seen, kind.slo_s, queue=False))
    assert learned(queue_observed(replace(seen, latency_s=odd), kind.slo_s, queue=False)).rate_rps == pytest.approx(
        clean.rate_rps, rel=0.03
    )


def test_slow_quiet_hours_do_not_hide_what_a_busy_one_carries() -> None:
    """A cold cache makes the least load the slowest: the SLO is still known to hold above it."""
    load = np.linspace(1, 40, 400)
    pairs = pairs_at(load, np.where(load < 2, 0.5, 0.05))
    assert highest_held(pairs, 0.1, OPTIONS) == pytest.approx(40, rel=0.05)
    assert highest_held(pairs_at(load, np.full(400, 0.2)), 0.1, OPTIONS) == 0.0


def pairs_at(load_rps: np.ndarray, latency_s: np.ndarray) -> Pairs:
    count = len(load_rps)
    return Pairs(
        load_rps=load_rps,
        latency_s=latency_s,
        served_rps=load_rps,
        saturated=np.zeros(count, dtype=np.bool_),
        step=np.arange(count),
        per_day=288.0,
    )


def test_the_promise_that_breaks_first_decides() -> None:
    """A bound on first tokens that is met up to 20 requests/s, under one on whole requests met up to 34."""
    kind = KINDS["M/D/1"]
    seen = queue_observed(simulated(tides(kind.quiet_rps, kind.busy_rps), kind.server, seed=8), kind.slo_s)
    assert isinstance(seen.load, LoadHistory)
    first = history(0.01 * np.exp(seen.load.values / 20.0), step=WINDOW)
    slo = Slo(latency=timedelta(seconds=kind.slo_s), time_to_first_token=timedelta(seconds=0.01 * np.e))
    both = replace(seen, workload=replace(WORKLOAD, slo=slo), first_token=first)
    found = study(both)
    assert found.learned.bound.name == "time to first token"
    assert isinstance(found.capacity, CapacityModel)
    assert found.capacity.rate_rps == pytest.approx(20.0, rel=0.05)
    assert found.capacity.detail.startswith("time to first token")


def test_a_promise_that_nobody_measures_leaves_the_capacity_unknown() -> None:
    kind = KINDS["M/D/1"]
    seen = queue_observed(simulated(tides(kind.quiet_rps, kind.busy_rps), kind.server, seed=8), kind.slo_s)
    slo = Slo(latency=timedelta(seconds=kind.slo_s), inter_token=timedelta(milliseconds=50))
    found = study(replace(seen, workload=replace(WORKLOAD, slo=slo))).capacity
    assert isinstance(found, Unknown)
    assert "inter-token latency" in found.reason


@pytest.mark.parametrize("declared, contradicted", [(50.0, True), (34.0, False), (20.0, True)])
def test_a_declared_capacity_wins_and_what_contradicts_it_is_told(declared: float, contradicted: bool) -> None:
    kind = KINDS["M/D/1"]
    seen = simulated(tides(kind.quiet_rps, kind.busy_rps), kind.server, seed=9)
    found = study(replace(queue_observed(seen, kind.slo_s), declared_capacity_rps=declared))
    assert isinstance(found.capacity, CapacityModel)
    assert (found.capacity.rate_rps, found.capacity.basis) == (declared, CapacityBasis.DECLARED)
    told = {reason.code: reason for reason in reasons_of(found, OPTIONS)}
    assert ("capacity_contradicted" in told) is contradicted
    if contradicted:
        assert told["capacity_contradicted"].before == f"{declared:.3g} requests/s"
        assert "the declared value is used" in told["capacity_contradicted"].detail


def test_a_lower_bound_contradicts_only_what_is_declared_below_it() -> None:
    kind = KINDS["M/D/1"]
    seen = queue_observed(simulated(tides(5, 15), kind.server, seed=10), kind.slo_s)
    codes = {
        declared: [reason.code for reason in reasons_of(study(replace(seen, declared_capacity_rps=declared)), OPTIONS)]
        for declared in (8.0, 100.0)
    }
    assert "capacity_contradicted" in codes[8.0]
    assert "capacity_contradicted" not in codes[100.0]


def test_a_draining_queue_is_told_by_its_length_or_by_the_latency_before() -> None:
    load, slow = np.array([10.0, 60, 20, 20]), np.array([0.1, 5.0, 4.0, 0.1])
    limit = np.full(4, 2.0)
    assert drained(load, slow, np.array([0.0, 30, -25, -1]), limit, 1.0).tolist() == [False, False, True, False]
    assert drained(load, slow, np.full(4, np.nan), limit, 1.0).tolist() == [False, False, True, False]


def test_bins_are_medians_of_equally_many_steps() -> None:
    load, latency = binned(pairs_at(np.array([3.0, 1, 2, 6, 5, 4, 7]), np.array([3.0, 1, 9, 6, 5, 4, 7])), 3)
    assert load.tolist() == [1.5, 3.5, 6.0]
    assert latency.tolist() == [5.0, 3.5, 6.0]


def test_both_fits_invert_themselves() -> None:
    curve, stairs = Curve(0.1, 0.05, 20.0), Staircase(np.array([1.0, 2.0, 4.0]), np.array([0.1, 0.2, 0.4]))
    for fit in (curve, stairs):
        assert fit.load_at(float(fit.at(np.array([3.0]))[0])) == pytest.approx(3.0)
    assert curve.at(np.array([25.0]))[0] == np.inf
    assert (stairs.load_at(0.05), stairs.load_at(0.5)) == (0.0, float("inf"))


def test_the_evidence_is_json_without_made_up_zeros() -> None:
    kind = KINDS["M/D/1"]
    told = study_json(study(queue_observed(simulated(tides(5, 15), kind.server, seed=11), kind.slo_s)))
    assert told["learned"] is not None
    assert (told["drift"], told["tokens"]) == (None, None)
    assert told["no_tokens"]
    fits = {fit["name"]: fit["at_slo_rps"] for fit in told["fits"]}  # type: ignore[union-attr,index,call-overload]
    assert fits["isotonic"] is None  # it never reached the SLO
