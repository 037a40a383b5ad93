"""How what is proposed is put into words on the page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.plan import Reason
from domain.unknown import Unknown
from domain.workload import PurchaseMix, ServingMode
from tests.fakes.recommendations import NOON, a_configuration, a_hold, a_record, an_act
from trimtab.bookkeeping import held_without_a_number
from trimtab.news import proposals
from trimtab.present import most_telling
from trimtab.store.codec import decode, encode
from trimtab.tables import write
from trimtab.web.view import TIMES, bought, runs


@pytest.mark.parametrize(
    "purchase,words",
    [
        (PurchaseMix(on_demand=3.0), []),
        (PurchaseMix(on_demand=1.0, spot=3.0), ["75% spot"]),
        (PurchaseMix(reserved=2.0, on_demand=1.0, spot=1.0), ["50% reserved", "25% spot"]),
    ],
)
def test_what_is_not_on_demand_is_said(purchase: PurchaseMix, words: list[str]) -> None:
    assert bought(purchase) == words


def test_what_has_to_be_kept_warm_stands_before_what_then_starts_cold() -> None:
    """It is part of the plan: serverless without it would not hold the SLO."""
    told = most_telling([Reason(code=code, detail="") for code in ("load_forecast", "cold_starts", "kept_warm")])
    assert [reason.code for reason in told] == ["kept_warm", "cold_starts", "load_forecast"]


def test_replicas_that_live_together_on_a_machine_are_not_called_machines() -> None:
    """In the table, on the page and in the message alike; the bill beside it is that of the machines."""
    twelve = replace(a_configuration(12, 223.0), offer="c6a.2xlarge", mean_replicas=9.5, replicas_per_machine=7)
    act = replace(an_act(), plan=replace(an_act().plan, proposed=twelve))
    assert runs(twelve).startswith(f"12 replicas (9.5 on average) on 2 {TIMES} c6a.2xlarge, dedicated, $223 a month")
    assert "12 replicas (9.5 on average) on 2 x c6a.2xlarge, dedicated" in write("markdown", [a_record(act)], NOON)
    seldom = replace(twelve, replicas=1, mean_replicas=0.0296, replicas_per_machine=Unknown("has none"), offer="lambda")
    assert runs(seldom).startswith("1 replica (0.03 on average) on lambda")
    [told] = proposals([a_record(act)], NOON)
    assert f"on 2 {TIMES} c6a.2xlarge" in told.detail
    assert decode(encode(act)) == act


def test_where_todays_cost_is_not_known_the_table_says_why() -> None:
    told = write("markdown", [a_record(an_act(saving=None)), a_record(a_hold())], NOON).splitlines()
    assert all("today's cost is not known: what it runs on is not declared |" in line for line in told[2:4])
    assert "not known:" not in write("markdown", [a_record(an_act())], NOON)
    said = held_without_a_number("a", "the source is away", NOON)
    assert write("markdown", [said], NOON).count("the source is away") == 1


def test_why_no_mode_would_do_comes_before_the_grounds() -> None:
    held = replace(
        a_hold(), reasons=(Reason(code="capacity", detail="declared"), Reason(code="no_mode", detail="no V100"))
    )
    assert "| no V100; needs more history" in write("markdown", [a_record(held)], NOON)


def test_a_machine_each_is_said_as_machines_and_a_place_on_a_shared_host_as_replicas() -> None:
    assert runs(a_configuration(8)).startswith(f"8 {TIMES} m5.large, dedicated")
    assert runs(a_configuration(1, mode=ServingMode.SHARED)).startswith("1 replica on m5.large, shared")
    assert runs(a_configuration(0, mode=ServingMode.SERVERLESS)).startswith("m5.large, serverless")
