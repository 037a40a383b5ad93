"""Instances kept by calls: priced by hand, offered only where they keep something, and as good as ones kept warm."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.prices import ServerlessTariff
from domain.workload import ServingMode
from optimizer.demand import by_hour
from optimizer.modes import Decided, Infeasible, ModesOptions, Quote, quote
from optimizer.modes.calls import Calls
from optimizer.modes.instances import Instance
from optimizer.modes.serverless import Bill, price, quoted
from optimizer.modes.warm import Warm
from optimizer.placed import Service, moments_of, passed
from optimizer.purchase import Terms
from tests.optimizer.cases import BOOK, history, market, tariff
from tests.optimizer.test_keepwarm import EVERY_TEN_MINUTES, ONE, QUICK, SECONDS_PER_MONTH, of, rates

CALLED = Warm((1,) * 24, 150.0)
CALL_USD = 0.1 * 2 * 2e-5 + 1e-6  # 0.1 s of 2 GiB, and the fee
LOAD = history(EVERY_TEN_MINUTES)


def answered(offer: ServerlessTariff, calls: bool = True) -> Quote | Infeasible:
    there = market(replace(BOOK, tariffs=(offer,)), QUICK, options=ModesOptions(calls=calls))
    return quote(there, of(LOAD), ServingMode.SERVERLESS)


def test_calls_are_paid_like_short_requests_and_the_requests_as_ever() -> None:
    """One kept by a call every 150 s, half of the keep-alive; no provisioned rate is in the bill, nothing starts cold."""
    found = answered(tariff(warm=rates()))
    assert isinstance(found, Quote)
    assert found.warm == CALLED
    requests = SECONDS_PER_MONTH / 600 * (0.5 * 2 * 2e-5 + 1e-6)
    assert found.usd_per_month == pytest.approx(SECONDS_PER_MONTH / 150 * CALL_USD + requests, rel=1e-6)
    assert found.cold_share == pytest.approx(0.0, abs=1e-9)
    assert "fn: an instance kept warm" not in {used.what for used in found.prices}
    said = next(each.detail for each in found.reasons if each.code == "kept_warm")
    assert said == "instances kept warm: 1 by calls every 150 s at all hours, 0.088 USD a month before what they serve"


def test_a_replaced_instance_may_be_met_before_its_next_call() -> None:
    """Once a day, for up to 150 s: that share of the requests may be late although none was in the past."""
    found = answered(tariff(warm=rates()))
    assert isinstance(found, Quote)
    assert found.late_at_most == pytest.approx(150.0 / 86400.0)


def test_a_tariff_that_keeps_none_warm_is_held_by_calls_where_they_are_allowed() -> None:
    assert isinstance(answered(tariff()), Quote)
    refused = answered(tariff(), calls=False)
    assert isinstance(refused, Infeasible)
    assert "would start cold" in refused.reason
    assert "by calls" not in refused.reason


def test_what_a_few_calls_cannot_hold_says_so() -> None:
    """Thirty requests in five seconds every ten minutes, three at work at a time, and four are kept at most."""
    there = market(replace(BOOK, tariffs=(tariff(),)), QUICK, options=ModesOptions(calls=True))
    burst = history(np.tile([6.0] + [0.0] * 119, 300), timedelta(seconds=5))
    found = quote(there, of(burst), ServingMode.SERVERLESS)
    assert isinstance(found, Infeasible)
    assert "with 4 by calls every 150 s at all hours still up to" in found.reason


@pytest.mark.parametrize(
    "other", [{"bills_idle": True}, {"scales_to_zero": False}, {"keep_alive": timedelta(seconds=5)}]
)
def test_calls_are_none_where_waiting_is_billed_or_nothing_would_be_kept(other: dict[str, object]) -> None:
    offer = tariff(**other)
    assert Calls.of(offer, Instance.of(market(BOOK, QUICK), offer), 1.0) is None


def test_a_call_that_meets_no_idle_instance_pays_for_the_start_of_one() -> None:
    """Half at work of one: each second call starts another, which takes 0.1 s and its start."""
    offer = tariff(bills_cold_start=True)
    calls = Calls.of(offer, Instance.of(market(BOOK, QUICK), offer), 1.0)
    assert calls is not None
    started = 1.1 * 2 * 2e-5 + 1e-6
    assert calls.usd_per_hour(np.array(1.0), np.array(0.5)) == pytest.approx(24 * (CALL_USD + started) / 2)


def test_what_is_kept_by_calls_is_priced_as_it_stands_for_other_demand() -> None:
    there = market(replace(BOOK, tariffs=(tariff(warm=rates()),)), QUICK, options=ModesOptions(calls=True))
    called = price(there, of(LOAD), Decided("fn", Terms(), CALLED))
    bought = price(there, of(LOAD), Decided("fn", Terms(), ONE))
    assert isinstance(called, Quote)
    assert isinstance(bought, Quote)
    assert (called.warm, bought.warm) == (CALLED, ONE)
    assert called.usd_per_month < bought.usd_per_month
    assert called.late_at_most is not None
    assert bought.late_at_most is not None
    assert called.late_at_most > bought.late_at_most


def test_kept_ones_are_judged_at_the_load_ahead_and_plain_serverless_at_that_of_the_past() -> None:
    """Twice the load leaves at least twice as many over for those that are kept; that fewer start cold without any is not used."""
    pairs = history(np.tile([2.0 / 300.0, 0.0], 14 * 144))
    there = market(replace(BOOK, tariffs=(tariff(warm=rates()),)), QUICK)
    as_ever = of(pairs)
    doubled = replace(as_ever, hourly_rps=2 * by_hour(pairs), rate_rps=2 * as_ever.rate_rps)
    once, twice = (Bill.of(there, each, tariff(warm=rates()), 60.0).board for each in (as_ever, doubled))
    one, none = np.ones(24, dtype=np.int64), np.zeros(24, dtype=np.int64)
    assert 0.0 < once.late_of(one) < 0.5
    assert twice.late_of(one) == pytest.approx(2 * once.late_of(one))
    assert twice.late_of(none) == once.late_of(none)
    price_of_one = float(once.prices()[-1])
    assert twice.late_at_most(price_of_one) >= once.late_at_most(price_of_one)


def test_requests_between_calls_find_an_instance() -> None:
    """Every ten minutes, called every 150 s: only the first call starts one, and no request does."""
    calls = np.arange(0.0, 86400.0, 150.0)
    moments = np.arange(301.0, 86400.0, 600.0)
    none = np.zeros(288, dtype=np.int64)
    done = passed(moments, none, Service(0.5, 1.1, 300.0), 300.0, calls)
    assert (done.cold.sum(), done.started.sum()) == (0.0, 1.0)
    assert passed(moments, none, Service(0.5, 1.1, 300.0), 300.0).cold.sum() == len(moments)


def test_calls_made_at_once_keep_as_many_instances() -> None:
    """Two requests at once every ten minutes: one of them starts cold where one is called, none where two are."""
    moments = np.repeat(np.arange(301.0, 86400.0, 600.0), 2)
    every = np.arange(0.0, 86400.0, 150.0)
    none = np.zeros(288, dtype=np.int64)
    service = Service(0.5, 1.1, 300.0)
    one, two = (passed(moments, none, service, 300.0, np.repeat(every, count)) for count in (1, 2))
    assert one.cold.sum() == pytest.approx(len(moments) / 2, abs=1)
    assert (two.cold.sum(), two.started.sum()) == (0.0, 2.0)


@settings(deadline=None, max_examples=25)
@given(st.floats(0.0005, 0.05), st.integers(1, 4), st.floats(0.1, 20.0), st.integers(0, 99))
def test_instances_kept_by_calls_are_as_good_as_bought_ones(
    rate_rps: float, count: int, service_s: float, seed: int
) -> None:
    """Whatever comes, no more requests start cold than with as many kept warm, but for chance (a fiftieth, and three)."""
    rng = np.random.default_rng(seed)
    moments = moments_of(rng.poisson(rate_rps * 300.0, 3 * 288), 300.0, rng)
    service, kept = Service(service_s, 5.0, 300.0), np.full(3 * 288, count)
    bought = passed(moments, kept, service, 300.0).cold.sum()
    calls = np.repeat(np.arange(0.0, 3 * 86400.0, 150.0), count)
    called = passed(moments, 0 * kept, service, 300.0, calls).cold.sum()
    assert called <= bought + 0.02 * len(moments) + 3


def test_where_calls_are_no_longer_allowed_as_many_are_bought() -> None:
    there = market(replace(BOOK, tariffs=(tariff(warm=rates()),)), QUICK, options=ModesOptions(calls=False))
    found = quoted(there, of(LOAD), tariff(warm=rates()), 0.5, Warm((3,) * 24, 150.0))
    assert isinstance(found, Quote)
    assert found.warm == Warm((3,) * 24)
