"""What can be promised is said before any plan, with its cost, and what cannot is advised against."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from domain.load import LoadHistory
from domain.plan import Act, Hold
from domain.workload import ServingMode, Slo
from optimizer.calendar import CalendarOptions
from optimizer.options import Options
from optimizer.promise import ATTAINMENTS, Promise, promise, unforeseeable
from optimizer.prospect import Prospect, as_json, prospect
from optimizer.recommend import recommend
from optimizer.replay import replay
from optimizer.scaling import ScalingProblem, decide
from tests.optimizer.cases import BOOK, WORKLOAD, daily, history, observation

USD = 0.1
PROBLEM = ScalingProblem(capacity_rps=0.5, attainment=0.999)
STEPS = 14 * 288
QUIET = np.full(STEPS, 2.0)  # four replicas


def with_spikes(at: NDArray[np.int64]) -> LoadHistory:
    """Quiet load with single steps of 50 requests/s, a hundred replicas."""
    values = QUIET.copy()
    values[at] = 50.0
    return history(values)


def memoryless() -> LoadHistory:
    """Forty spikes more than two hours apart, at no time of the hour or day in particular."""
    return with_spikes(np.random.default_rng(11).choice(np.arange(288, STEPS, 31), 40, replace=False))


def ever_higher() -> LoadHistory:
    """The same spikes, each a little higher than the last: not even whoever keeps for the highest ever seen carries them."""
    values = memoryless().values.copy()
    values[values == 50.0] *= 1.01 ** np.arange(40)
    return history(values)


def said(load: LoadHistory, problem: ScalingProblem = PROBLEM) -> Promise:
    made = ahead(load, problem).promise
    assert made is not None
    return made


def ahead(load: LoadHistory, problem: ScalingProblem = PROBLEM) -> Prospect:
    return prospect(
        load,
        problem,
        decide(load, problem),
        first=len(load) // 2,
        usd_per_replica_hour=USD,
        options=CalendarOptions(),
    )


def test_smooth_load_may_be_promised_and_says_its_cost() -> None:
    answer = said(daily(14))
    assert answer.reachable
    assert answer.unforeseeable == 0.0
    assert answer.reason().code == "slo_reachable"
    assert answer.usd_per_month_wanted is not None
    assert f"{answer.usd_per_month_wanted:,.2f} USD a month" in answer.reason().detail
    # never under what perfect foresight pays for a month of this load, 730 h at the mean
    assert answer.usd_per_month_wanted > 730.0 * USD * daily(14).values.mean() / 0.5


def test_spikes_without_warning_are_counted_as_they_are() -> None:
    """Of each spike all but the ten replicas' worth that any plan carries."""
    load = memoryless()
    counted = load.values[2 * 288 :]
    expected = (50.0 - 10.0 * 0.5) * (counted == 50.0).sum() / counted.sum()
    assert unforeseeable(load, PROBLEM) == pytest.approx(expected, rel=0.1)


def test_what_cannot_be_reached_is_advised_against_with_what_can() -> None:
    answer = said(ever_higher())
    assert not answer.held
    assert not answer.reachable
    assert answer.advised in ATTAINMENTS
    assert answer.advised is not None
    assert answer.unforeseeable <= 1.0 - answer.advised
    reason = answer.reason()
    assert reason.code == "slo_unreachable"
    assert (reason.before, reason.after) == ("0.999", f"{answer.advised:g}")
    assert "came without warning" in reason.detail
    assert f"{answer.usd_per_month_advised:,.2f} USD a month" in reason.detail


@pytest.mark.parametrize(
    "at", [np.arange(6, STEPS, 12), np.arange(108, STEPS, 288)], ids=["every hour at half past", "every day at nine"]
)
def test_spikes_that_keep_to_the_clock_are_foreseen(at: NDArray[np.int64]) -> None:
    assert unforeseeable(with_spikes(at), PROBLEM) == 0.0


def test_under_ten_replicas_nothing_is_sudden() -> None:
    assert unforeseeable(memoryless(), replace(PROBLEM, capacity_rps=5.0)) == 0.0


def test_a_rise_seen_too_late_to_start_for_is_no_warning() -> None:
    """Bursts of two steps: half of each is announced to who starts within a step, nothing to who needs ten minutes."""
    first = np.random.default_rng(3).choice(np.arange(288, STEPS, 2), 40, replace=False)
    bursts = with_spikes(np.concatenate([first, first + 1]))
    fast = unforeseeable(bursts, replace(PROBLEM, startup=timedelta(0)))
    slow = unforeseeable(bursts, replace(PROBLEM, startup=timedelta(minutes=10)))
    assert fast == pytest.approx(0.5 * slow, rel=0.1)


def test_gaps_are_neither_load_nor_warning() -> None:
    load = memoryless()
    holed = load.values.copy()
    holed[1000:1012] = np.nan
    assert unforeseeable(history(holed), PROBLEM) == pytest.approx(unforeseeable(load, PROBLEM), rel=0.1)
    assert unforeseeable(history(np.full(600, np.nan)), PROBLEM) == 0.0


def test_where_nothing_reaches_it_is_said_so() -> None:
    """One burst is nine tenths of all requests."""
    values = QUIET.copy()
    values[STEPS - 500] = 100_000.0
    answer = said(history(values))
    assert answer.advised is None
    assert answer.reason().after == "none"
    assert "nothing from 50 % on" in answer.reason().detail


def test_an_attainment_kept_only_at_absurd_prices_is_not_promised() -> None:
    """The policy missed it, and only prices beyond three times the budget's own kept it."""
    load = daily(14)
    curve = ahead(load).curve
    assert curve is not None
    sane = [point for point in curve.points if point.price <= 3.0 / 0.001]
    poor = replace(curve.live, missed_share=0.004)
    points = tuple(replace(point, missed_share=0.003) if point in sane else point for point in curve.points)
    answer = promise(load, PROBLEM, replace(curve, live=poor, points=points))
    assert not answer.reachable
    assert answer.advised == 0.997
    assert "out of proportion" in answer.reason().detail


def test_what_our_own_policy_held_is_within_reach_at_what_it_cost() -> None:
    """It moves from price to price and may hold what none of them alone does; then its own row is the proof."""
    load = daily(14)
    curve = ahead(load).curve
    assert curve is not None
    held = replace(curve.live, missed_share=0.0009)
    answer = promise(
        load,
        PROBLEM,
        replace(curve, live=held, points=tuple(replace(point, missed_share=0.002) for point in curve.points)),
    )
    assert answer.reachable
    assert answer.advised == PROBLEM.attainment
    assert answer.least_missed == 0.0009
    assert answer.usd_per_month_wanted == pytest.approx(held.usd / curve.hours * 730.0, rel=0.01)


def test_without_requests_it_is_said_that_nothing_is_known_and_why() -> None:
    idle = history(np.zeros(STEPS))
    for problem in (PROBLEM, replace(PROBLEM, replica_hours_per_miss=0.1)):
        empty = ahead(idle, problem)
        assert (empty.curve, empty.promise) == (None, None)
        [reason] = empty.reasons(ServingMode.DEDICATED)
        assert reason.code == "slo_unknown"
        assert "no request came in the time that is scored" in reason.detail
        assert as_json(empty)["curve_unknown"] == "no request came in the time that is scored"
    assert "curve_unknown" not in as_json(ahead(daily(14)))


@pytest.mark.parametrize("wanted", [0.9, 0.999999999])
def test_an_attainment_is_told_with_all_its_nines(wanted: float) -> None:
    reason = said(daily(14), replace(PROBLEM, attainment=wanted)).reason()
    assert {0.9: "90 %", 0.999999999: "99.9999999 %"}[wanted] in reason.detail
    assert str(wanted) in {reason.before, reason.after}


def test_a_price_of_a_miss_below_the_least_there_is_is_told_as_raised() -> None:
    for worth, raised in ((1e-6, True), (0.1, False)):
        [reason] = ahead(daily(14), replace(PROBLEM, replica_hours_per_miss=worth)).reasons(ServingMode.DEDICATED)
        assert ("the least that is reckoned with, for what was given comes to less" in reason.detail) == raised


def test_what_was_held_without_any_warning_is_within_reach_but_not_to_be_promised() -> None:
    """Spikes in the first week, none in the second: the policy held the second, and nobody knows of the third."""
    at = np.random.default_rng(11).choice(np.arange(600, STEPS // 2 - 300, 31), 20, replace=False)
    answer = said(with_spikes(at))
    assert answer.missed <= 0.001
    assert answer.unforeseeable > 0.001
    assert answer.reachable
    assert answer.advised is not None
    assert answer.advised < 0.999
    reason = answer.reason()
    assert reason.code == "slo_uncertain"
    assert (reason.before, reason.after) == ("0.999", f"{answer.advised:g}")
    assert f"99.9 % was held on the recent past at {answer.usd_per_month_live:,.2f} USD a month, but" in reason.detail
    assert "came without warning" in reason.detail


def test_a_limit_on_replicas_that_is_the_reason_is_named() -> None:
    load = daily(14)
    answer = said(load, replace(PROBLEM, max_replicas=12))
    over = np.maximum(0.0, load.values[STEPS // 2 :] - 6.0).sum() / load.values[STEPS // 2 :].sum()
    assert not answer.reachable
    assert answer.over_limit == pytest.approx(over)
    assert f"{over:.3%} of requests came over what the most replicas that may run, 12, carry" in answer.reason().detail


@pytest.mark.parametrize("load", [daily(14), memoryless()], ids=["daily", "spikes"])
@pytest.mark.parametrize("attainment", [0.9999, 0.999, 0.99, 0.95])
@pytest.mark.parametrize("most", [None, 18])
def test_promise_and_replay_agree_on_what_our_policy_held(
    load: LoadHistory, attainment: float, most: int | None
) -> None:
    problem = replace(PROBLEM, attainment=attainment, max_replicas=most)
    answer = said(load, problem)
    row = replay(load, problem, warmup=timedelta(days=7), usd_per_replica_hour=USD, policies=("trimtab",)).row(
        "trimtab"
    )
    assert answer.held == row.slo_met
    assert answer.missed == pytest.approx(row.missed_share)
    if row.slo_met:
        assert answer.reachable
        assert row.usd is not None
        assert answer.usd_per_month_wanted is not None
        assert answer.usd_per_month_wanted <= row.usd / 168.0 * 730.0 * (1 + 1e-9)


@pytest.fixture(scope="module")
def spiky() -> Act | Hold:
    dedicated = frozenset({ServingMode.DEDICATED})
    slo = replace(WORKLOAD.slo, attainment=0.999, latency_quantile=0.9)  # what comes too late refuses no mode here
    workload = replace(WORKLOAD, slo=slo, modes=dedicated)
    return recommend(observation(memoryless(), workload=workload, declared_capacity_rps=0.5), BOOK, Options(), None)


def test_serverless_has_no_replicas_to_promise_for() -> None:
    assert ahead(memoryless()).reasons(ServingMode.DEDICATED)
    assert ahead(memoryless()).reasons(ServingMode.SERVERLESS) == ()


def test_a_recommendation_says_it_among_its_reasons_and_shows_the_curve(spiky: Act | Hold) -> None:
    [reason] = [each for each in spiky.reasons if each.code in {"slo_reachable", "slo_uncertain", "slo_unreachable"}]
    assert reason.code == "slo_uncertain"
    replayed: Any = json.loads(json.dumps(spiky.evidence.replay, allow_nan=False))
    assert 2 <= len(replayed["curve"]["points"]) <= 12
    assert (replayed["promise"]["held"], replayed["promise"]["reachable"]) == (True, True)
    assert replayed["promise"]["advised"] < 0.999
    assert {row["policy"] for row in replayed["rows"]} >= {"trimtab", "schedule"}
    [live] = [row for row in replayed["rows"] if row["policy"] == "trimtab"]
    assert live["slo_met"]
    assert replayed["curve"]["live"]["usd"] == pytest.approx(live["usd"], rel=1e-5)
    assert replayed["curve"]["live"]["missed_share"] == pytest.approx(live["missed_share"], rel=1e-5)


def test_a_priced_miss_takes_the_attainments_place() -> None:
    """Nothing is promised then: each miss has been weighed, and the proof against the budget is not asked for."""
    answers = []
    for worth in (0.001, 10.0):
        slo = Slo(attainment=0.999, latency=timedelta(seconds=2), usd_per_missed_request=worth)
        workload = replace(WORKLOAD, slo=slo, modes=frozenset({ServingMode.DEDICATED}))
        seen = observation(memoryless(), workload=workload, declared_capacity_rps=0.5)
        answer = recommend(seen, BOOK, Options(), None)
        assert isinstance(answer, Act)
        codes = {reason.code for reason in answer.reasons}
        assert {"miss_priced", "misses_weighed"} <= codes
        assert not codes & {"slo_unreachable", "slo_reachable", "slo_proved", "slo_not_proved"}
        answers.append(answer.evidence.replay["curve"])
        told = next(reason.detail for reason in answer.reasons if reason.code == "miss_priced")
        weighed: Any = answers[-1]
        assert weighed["chosen"]["usd_per_missed_request"] == pytest.approx(worth)
        assert f"weighed at {worth:.3g} USD:" in told
    cheap, dear = answers
    assert isinstance(cheap, dict)
    assert isinstance(dear, dict)
    assert cheap["chosen"]["set_by"] == "usd_per_missed_request"
    assert cheap["live"]["usd"] < dear["live"]["usd"]
    assert cheap["live"]["missed_share"] > dear["live"]["missed_share"]


def test_a_price_of_a_miss_must_be_an_amount() -> None:
    with pytest.raises(ValueError, match="usd_per_missed_request must be a positive amount, not -1"):
        Slo(usd_per_missed_request=-1.0)
