"""Today's bill, and a saving that is never above it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.plan import Configuration, Plan, Saving
from domain.prices import HOURS_PER_MONTH
from domain.unknown import Unknown
from domain.workload import PurchaseMix, ServingMode
from optimizer.cost import missed_today, saving, today
from tests.optimizer.cases import BOOK, history, machine, market, price, running

ARRIVALS = history(np.full(288, 1.0))
NOT_RECORDED = np.full(288, np.nan)
amounts = st.floats(0, 1e5)


def configuration(usd: float) -> Configuration:
    return Configuration(
        replicas=1,
        mean_replicas=1.0,
        mode=ServingMode.DEDICATED,
        purchase=PurchaseMix(on_demand=1.0),
        offer="box",
        usd_per_month=usd,
    )


def bill(found: Configuration | Unknown) -> float:
    assert isinstance(found, Configuration), found
    return found.usd_per_month


def test_todays_bill_is_the_machines_of_the_recorded_replicas() -> None:
    recorded = np.where(np.arange(288) < 144, 4.0, 2.0)
    found = today(market(), running(2), recorded, ARRIVALS)
    assert bill(found) == pytest.approx(0.1 * 3 * HOURS_PER_MONTH)
    assert isinstance(found, Configuration)
    assert (found.replicas, found.mean_replicas) == (2, 3.0)


def test_machines_that_hold_several_replicas_are_counted_whole() -> None:
    found = today(market(), running(12, offer="big"), NOT_RECORDED, ARRIVALS)
    assert isinstance(found, Configuration)
    assert (found.replicas, found.replicas_per_machine, found.machines) == (12, 7, 2)
    assert found.usd_per_month == pytest.approx(2 * 0.36 * HOURS_PER_MONTH)


def test_what_is_shared_or_serverless_has_no_machines_of_its_own() -> None:
    for runs in (running(0, ServingMode.SERVERLESS, "fn"), running(3, ServingMode.SHARED, "big")):
        found = today(market(), runs, NOT_RECORDED, ARRIVALS)
        assert isinstance(found, Configuration)
        assert isinstance(found.machines, Unknown)


def test_steps_without_a_count_are_not_zero_replicas() -> None:
    recorded = np.where(np.arange(288) < 144, 4.0, np.nan)
    assert bill(today(market(), running(4), recorded, ARRIVALS)) == pytest.approx(0.4 * HOURS_PER_MONTH)


def test_without_records_the_number_that_runs_counts() -> None:
    assert bill(today(market(), running(5), NOT_RECORDED, ARRIVALS)) == pytest.approx(0.5 * HOURS_PER_MONTH)


def test_todays_serverless_bill_is_that_of_its_requests() -> None:
    runs = running(0, ServingMode.SERVERLESS, "fn")
    found = today(market(), runs, NOT_RECORDED, ARRIVALS)
    assert bill(found) == pytest.approx(2.1e-5 * 3600 * HOURS_PER_MONTH, rel=1e-3)


def test_reserved_and_spot_machines_of_today_are_billed_at_their_prices() -> None:
    book = replace(BOOK, offers=(machine("box", 0.1, spot=price(0.04)),))
    runs = replace(running(4), purchase=PurchaseMix(reserved=2.0, on_demand=1.0, spot=1.0))
    found = today(market(book), runs, NOT_RECORDED, ARRIVALS)
    assert bill(found) == pytest.approx((2 * 0.07 + 0.1 + 0.04) * HOURS_PER_MONTH)


@pytest.mark.parametrize(
    "runs,why",
    [
        (Unknown("`offer` is not declared"), "`offer` is not declared"),
        (running(2, offer="unheard of"), "unheard of is not in the price book"),
        (running(2, ServingMode.SERVERLESS, "unheard of"), "not among the serverless tariffs"),
    ],
)
def test_what_cannot_be_priced_is_unknown(runs: Unknown, why: str) -> None:
    found = today(market(), runs, NOT_RECORDED, ARRIVALS)
    assert isinstance(found, Unknown)
    assert why in found.reason
    assert isinstance(
        saving(found, Plan(proposed=configuration(1), usd_per_month_low=1, usd_per_month_high=1)), Unknown
    )


@given(amounts, amounts, amounts, amounts)
def test_a_saving_is_never_above_the_bill_and_its_ends_enclose_it(bill_: float, a: float, b: float, c: float) -> None:
    low, usd, high = sorted((a, b, c))
    plan = Plan(proposed=configuration(usd), usd_per_month_low=low, usd_per_month_high=high)
    found = saving(configuration(bill_), plan)
    assert isinstance(found, Saving)
    assert found.low <= found.usd_per_month <= found.high <= bill_
    assert found.usd_per_month == bill_ - usd


def test_misses_of_today_count_only_where_both_are_known() -> None:
    load, ready = np.array([1.0, 4.0, np.nan, 9.0]), np.array([2.0, 2.0, 1.0, np.nan])
    assert missed_today(load, ready, 1.0) == pytest.approx(2.0 / 5.0)
    assert isinstance(missed_today(load, np.full(4, np.nan), 1.0), Unknown)
