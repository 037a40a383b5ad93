"""Instances kept warm: priced by hand, bought only where they are needed, and in the hours that need them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.load import LoadHistory
from domain.prices import HOURS_PER_MONTH, ServerlessTariff, WarmRates
from domain.workload import Resources, ServingMode, Slo
from optimizer.demand import Demand, by_hour
from optimizer.modes import Decided, Infeasible, ModesOptions, Quote, quote
from optimizer.modes.serverless import MODE, Bill, floor_usd, price, quoted
from optimizer.modes.warm import Warm
from optimizer.purchase import Terms
from tests.optimizer.cases import AS_OF, BOOK, WORKLOAD, demand, history, market, tariff

SECONDS_PER_MONTH = HOURS_PER_MONTH * 3600
QUICK = replace(WORKLOAD, slo=Slo(latency=timedelta(seconds=1)))  # a cold start takes 1.6 s
EVERY_TEN_MINUTES = np.tile([1.0 / 300.0, 0.0], 14 * 144)  # a request, and cold again after five
ONE = Warm((1,) * 24)


def rates(**other: Any) -> WarmRates:
    """Kept warm at a quarter of the price of serving; serving on it costs half of that."""
    facts: dict[str, Any] = {
        "usd_per_gib_second": 5e-6,
        "usd_per_vcpu_second": 0.0,
        "usd_per_gpu_second": 0.0,
        "serving_usd_per_gib_second": 1e-5,
        "serving_usd_per_vcpu_second": 0.0,
        "serving_usd_per_gpu_second": 0.0,
        "increment": timedelta(minutes=5),
        "source": "made up",
        "as_of": AS_OF,
    }
    return WarmRates(**(facts | other))


def of(load: LoadHistory) -> Demand:
    """The demand of a history that goes on as it was."""
    rate = float(np.nanmean(load.values))
    return replace(demand([1], rate_rps=rate, arrivals=load), hourly_rps=by_hour(load))


def quoted_for(offer: ServerlessTariff, load: LoadHistory, **other: Any) -> Quote:
    there = market(replace(BOOK, tariffs=(offer,)), **{"workload": QUICK, **other})
    found = quote(there, of(load), ServingMode.SERVERLESS)
    assert isinstance(found, Quote), found
    return found


def test_provisioned_concurrency_is_paid_while_it_is_configured_and_for_what_it_serves() -> None:
    """2 GiB at 0.000005 all month; 0.5 s of 2 GiB at 0.00001 and 0.000001 for each of the requests, none of them cold."""
    found = quoted_for(tariff(warm=rates()), history(EVERY_TEN_MINUTES))
    requests = SECONDS_PER_MONTH / 600
    assert found.warm == ONE
    assert found.usd_per_month == pytest.approx(SECONDS_PER_MONTH * 1e-5 + requests * (0.5 * 2e-5 + 1e-6), rel=1e-6)
    assert found.cold_share == pytest.approx(0.0, abs=1e-9)
    assert found.mean_replicas == 1.0


@given(
    busy=st.floats(1e-3, 30.0),
    pause=st.integers(0, 12),
    dearer=st.floats(0.4, 2.5),
    quick=st.booleans(),
    fast=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_a_tariff_that_is_not_priced_is_dearer_than_the_one_that_is_taken(
    busy: float, pause: int, dearer: float, quick: bool, fast: bool
) -> None:
    """Each of three tariffs costs at least its floor, and of all their quotes the cheapest is the answer."""
    load = history(np.tile([busy] + [0.0] * pause, 1 + 800 // (1 + pause)))
    offers = (
        tariff(service="kept", warm=rates()),
        tariff(service="plain", usd_per_gib_second=2e-5 * dearer, keep_alive=timedelta(minutes=2)),
        tariff(service="idle", bills_idle=True, cold_start=timedelta(seconds=0.1 if fast else 4.0)),
    )
    there = market(replace(BOOK, tariffs=offers), workload=QUICK if quick else WORKLOAD)
    answers = [quoted(there, of(load), each, 0.5) for each in offers]
    quotes = [each for each in answers if isinstance(each, Quote)]
    for offer, answer in zip(offers, answers, strict=True):
        if isinstance(answer, Quote):
            assert floor_usd(there, of(load), offer, 0.5) <= answer.usd_per_month
    found = price(there, of(load), None)
    if quotes:
        assert found == min(quotes, key=lambda each: (each.usd_per_month, each.offer))
    else:
        assert found == Infeasible(mode=MODE, reason="; ".join(each.reason for each in answers))  # type: ignore[union-attr]


def test_minimum_instances_at_an_idle_rate_pay_the_difference_while_they_serve() -> None:
    """1 processor and 2 GiB idle at 0.0000025 each, 0.0000215 more for the processor while it serves, by tenths of a second."""
    idle = rates(
        usd_per_gib_second=2.5e-6, usd_per_vcpu_second=2.5e-6, serving_usd_per_gib_second=0.0,
        serving_usd_per_vcpu_second=2.15e-5, increment=timedelta(seconds=0.1),
    )  # fmt: skip
    offer = tariff(
        usd_per_gib_second=2.5e-6, usd_per_vcpu_second=2.4e-5, usd_per_request=4e-7, warm=idle,
        increment=timedelta(seconds=0.1), minimum=timedelta(seconds=0.1),
    )  # fmt: skip
    found = quoted_for(offer, history(EVERY_TEN_MINUTES), service_time_s=0.42)
    requests = SECONDS_PER_MONTH / 600
    assert found.usd_per_month == pytest.approx(
        SECONDS_PER_MONTH * 7.5e-6 + requests * (0.5 * 2.15e-5 + 4e-7), rel=1e-6
    )


def test_active_workers_with_an_accelerator_cost_the_same_whether_they_serve_or_wait() -> None:
    """0.0006 a second all month, and nothing else: no fee, and serving is included."""
    gpu = replace(QUICK, resources=Resources(cpu_cores=1, memory_gib=2, model_gib=0.3, accelerator="A100"))
    offer = tariff(
        cloud="runpod", region="any", accelerator="A100", gpu_memory_gib=80.0, usd_per_gib_second=None,
        usd_per_gpu_second=0.00076, usd_per_request=0.0, bills_idle=True, bills_cold_start=True,
        warm=rates(usd_per_gib_second=0.0, usd_per_gpu_second=0.0006, serving_usd_per_gib_second=0.0),
    )  # fmt: skip
    allowed = ModesOptions(other_clouds=("runpod",))
    found = quoted_for(offer, history(EVERY_TEN_MINUTES), workload=gpu, options=allowed)
    assert found.usd_per_month == pytest.approx(SECONDS_PER_MONTH * 0.0006, rel=1e-6)
    assert {used.what: used.usd for used in found.prices}["fn: an instance kept warm"] == 0.0006


def test_what_comes_over_the_kept_ones_is_served_and_billed_as_ever() -> None:
    """Two requests at a time of 0.5 s, one kept: Erlang's loss of 1 Erlang on 1 server, a half, goes to plain instances."""
    load = history(np.full(14 * 288, 2.0))
    there = market(replace(BOOK, tariffs=(tariff(warm=rates()),)))
    found = price(there, of(load), Decided("fn", Terms(), ONE))
    assert isinstance(found, Quote)
    plain, on_warm = 0.5 * (0.5 * 4e-5), 0.5 * (0.5 * 2e-5)
    expected = SECONDS_PER_MONTH * (1e-5 + 2.0 * (plain + on_warm + 1e-6))
    assert found.usd_per_month == pytest.approx(expected, rel=0.01)


def test_only_the_hours_that_need_it_are_kept_warm() -> None:
    """Requests every ten minutes from 8 to 12 o'clock, nothing else: four hours of 24 are paid for."""
    values = np.where((np.arange(14 * 288) % 288) // 12 // 4 == 2, EVERY_TEN_MINUTES, 0.0)
    found = quoted_for(tariff(warm=rates()), history(values))
    assert found.warm.counts == (0,) * 8 + (1,) * 4 + (0,) * 12
    requests = SECONDS_PER_MONTH / 600 / 6
    assert found.usd_per_month == pytest.approx(SECONDS_PER_MONTH * 1e-5 / 6 + requests * (0.5 * 2e-5 + 1e-6), rel=1e-6)
    assert "1 from 08:00 to 12:00 UTC" in next(each.detail for each in found.reasons if each.code == "kept_warm")


def test_hours_that_change_from_day_to_day_are_not_told_apart() -> None:
    """Four requests a day, on each day in other hours: a timetable made of the other days would miss them."""
    values = np.zeros(20 * 288)
    rng = np.random.default_rng(8)
    for day in range(20):
        values[day * 288 + rng.permutation(24)[:4] * 12] = 1.0 / 300.0
    assert sum(quoted_for(tariff(warm=rates()), history(values)).warm.counts) >= 22


@pytest.mark.parametrize("days,hours", [(14, 4), (14, 24), (1.5, 4)])
def test_the_share_that_may_be_late_is_told_and_within_the_slo(days: float, hours: int) -> None:
    """Of hours of their own, of one number at all hours, and where hours are not told apart."""
    steps = np.arange(int(days * 288))
    values = np.where((steps % 288) // 12 < hours, np.where(steps % 2 == 0, 1.0 / 300.0, 0.0), 0.0)
    found = quoted_for(tariff(warm=rates()), history(values))
    assert found.warm.kept
    assert found.late_at_most is not None
    assert 0.0 <= found.late_at_most <= 0.05
    cold = quoted_for(tariff(warm=rates()), history(values), workload=WORKLOAD)
    assert cold.late_at_most == 0.0  # its SLO has room for a cold start


def test_under_two_days_of_history_all_hours_are_alike() -> None:
    values = np.where((np.arange(36 * 12) % 288) // 12 // 4 == 2, EVERY_TEN_MINUTES[: 36 * 12], 0.0)
    assert quoted_for(tariff(warm=rates()), history(values)).warm == ONE


def test_one_number_for_all_hours_is_judged_by_what_it_left_cold() -> None:
    """Nothing in it was fitted to the hours: the cheapest that holds is never passed over for a timetable that costs more."""
    rng = np.random.default_rng(5)
    for busy in (0.05, 0.3, 1.0):
        load = history(rng.poisson(busy * rng.integers(0, 3, 10 * 288)) / 300)
        there, wanted, offer = (
            market(replace(BOOK, tariffs=(tariff(warm=rates()),)), QUICK),
            of(load),
            tariff(warm=rates()),
        )
        board = Bill.of(there, wanted, offer, 0.5).board
        even = [np.full(24, row) for row in range(len(board.rows))]
        held = [board.usd_per_hour(each) for each in even if board.late_of(each) <= 0.05]
        assert held
        chosen = board.cheapest(0.05)
        assert chosen is not None
        assert board.usd_per_hour(chosen) <= min(held) + 1e-12


def test_cold_starts_are_those_of_the_past_whatever_hours_the_forecast_fills() -> None:
    """Nights with a request every ten minutes, days with one every minute: a forecast of nights alone changes the bill, not the share."""
    day = np.arange(14 * 288) % 288 >= 144
    load = history(np.where(day, 5.0 / 300.0, EVERY_TEN_MINUTES))
    there, offer = market(replace(BOOK, tariffs=(tariff(),)), QUICK), tariff()
    night = replace(of(load), hourly_rps=np.where(np.arange(24) < 12, 1.0 / 600.0, 0.0))
    plain = np.zeros(24, dtype=np.int64)
    shares = [Bill.of(there, each, offer, 0.5).board.late_of(plain) for each in (of(load), night)]
    assert shares[0] == shares[1]
    assert shares[0] == pytest.approx(0.09, abs=0.02)


def test_nothing_is_kept_warm_where_cold_starts_hold_the_slo_and_warmth_costs() -> None:
    patient = quoted_for(tariff(warm=rates()), history(EVERY_TEN_MINUTES), workload=WORKLOAD)
    assert patient.warm == Warm()
    assert patient.cold_share == pytest.approx(1.0, abs=0.01)


def test_a_busy_tariff_is_kept_warm_where_that_is_cheaper_alone() -> None:
    """Two are busy on average, the first of them for two thirds: 0.000005 + 2/3 * 0.00001 is less than 2/3 * 0.00002."""
    found = quoted_for(tariff(warm=rates()), history(np.full(14 * 288, 4.0)), workload=WORKLOAD)
    assert min(found.warm.counts) >= 1


def test_a_tariff_without_warm_rates_is_refused_with_its_cold_starts() -> None:
    there = market(replace(BOOK, tariffs=(tariff(),)), QUICK)
    refused = quote(there, of(history(EVERY_TEN_MINUTES)), ServingMode.SERVERLESS)
    assert isinstance(refused, Infeasible)
    assert "would start cold and take 1.6 s, over the 1 s that 95% of them must hold" in refused.reason


def test_a_decided_timetable_is_priced_as_it_stands() -> None:
    there = market(replace(BOOK, tariffs=(tariff(warm=rates()),)), QUICK)
    load = history(EVERY_TEN_MINUTES)
    two = quoted(there, of(load), tariff(warm=rates()), 0.5, Warm((2,) * 24))
    one = quoted(there, of(load), tariff(warm=rates()), 0.5, ONE)
    none = quoted(there, of(load), tariff(warm=rates()), 0.5, Warm())
    assert isinstance(one, Quote)
    assert isinstance(two, Quote)
    assert isinstance(none, Quote)
    assert none.usd_per_month < one.usd_per_month
    assert two.usd_per_month - one.usd_per_month == pytest.approx(SECONDS_PER_MONTH * 1e-5, rel=1e-6)


METERS = ("usd_per_gib_second", "usd_per_request")
WARM_METERS = ("usd_per_gib_second", "serving_usd_per_gib_second")


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from([*METERS, *(f"warm {name}" for name in WARM_METERS)]),
    st.floats(1.0, 5.0),
    st.floats(0.002, 3.0),
    st.booleans(),
)
def test_a_dearer_meter_never_makes_the_bill_smaller(meter: str, factor: float, rate: float, patient: bool) -> None:
    """Whatever the load, and whether instances are kept warm or not."""
    now, then = tariff(warm=rates()), tariff(warm=rates())
    if meter.startswith("warm "):
        name = meter.removeprefix("warm ")
        then = replace(then, warm=rates(**{name: getattr(rates(), name) * factor}))
    else:
        then = replace(then, **{meter: getattr(then, meter) * factor})
    load = history(np.random.default_rng(3).poisson(rate * 300, 7 * 288) / 300)
    asked = WORKLOAD if patient else QUICK
    bills = [quote(market(replace(BOOK, tariffs=(each,)), asked), of(load), MODE) for each in (now, then)]
    cheap, dear = (each.usd_per_month for each in bills if isinstance(each, Quote))
    assert dear >= cheap * (1 - 1e-9)


@pytest.mark.parametrize(
    "counts,said",
    [
        ((0,) * 24, "0 at all hours"),
        ((2,) * 24, "2 at all hours"),
        ((0,) * 8 + (1,) * 12 + (0,) * 4, "1 from 08:00 to 20:00 UTC"),
        ((1,) * 2 + (0,) * 20 + (1,) * 2, "1 from 22:00 to 02:00 UTC"),
        ((1,) * 12 + (3,) * 12, "3 from 12:00 to 00:00, 1 from 00:00 to 12:00 UTC"),
        ((1, 0) * 12, "0 to 1 by the hour of the day, 0.5 on average"),
    ],
)
def test_a_timetable_reads_as_a_person_says_it(counts: tuple[int, ...], said: str) -> None:
    assert sorted(str(Warm(counts)).removesuffix(" UTC").split(", ")) == sorted(said.removesuffix(" UTC").split(", "))
