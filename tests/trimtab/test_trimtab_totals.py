"""What a fleet costs and would cost: one sum, whatever is known, held, refused or shared."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.plan import Act, Hold, Saving
from domain.unknown import Unknown
from domain.workload import ServingMode
from optimizer.placement import Placement, Seat, as_json
from tests.fakes.recommendations import NOON, a_configuration, a_hold, a_record, an_act
from trimtab.records import Record, Status, still_decided
from trimtab.tables import write
from trimtab.totals import Totals, totals_of

usd = st.floats(0.0, 1e5, allow_subnormal=False)


@st.composite
def standing(draw: st.DrawFn) -> list[Record]:
    """A few recommendations of any standing, with any part of them unknown; a saving is never above the bill."""
    found = []
    for number in range(draw(st.integers(0, 6))):
        bill = draw(usd)
        saving = draw(st.floats(-100.0, 1.0)) * bill
        act = replace(
            an_act(f"w{number}"),
            current=a_configuration(usd=bill),
            saving=Saving(usd_per_month=saving, low=saving - 1.0, high=saving + 1.0),
        )
        kinds: list[Act | Hold] = [act, replace(act, saving=Unknown("no")), a_hold(f"w{number}")]
        made = draw(st.sampled_from(kinds))
        record = replace(a_record(made), decision=draw(st.sampled_from([Status.OPEN, Status.DISMISSED])))
        found.append(record)
    return found


@given(standing())
def test_the_total_is_the_sum_of_its_parts(records: list[Record]) -> None:
    """Bill = plan + saving; what was dismissed or is not known is in no saving, and nothing is counted as zero."""
    totals = totals_of(records, NOON)
    parts = [each.recommendation for each in records]
    bills = [each.current.usd_per_month for each in parts if not isinstance(each.current, Unknown)]
    followed = [each for each in records if each.decision is Status.OPEN and isinstance(each.recommendation, Act)]
    savings = [each.recommendation.saving for each in followed if isinstance(each.recommendation, Act)]
    known = [each.usd_per_month for each in savings if not isinstance(each, Unknown)]
    assert (totals.workloads, totals.billed, totals.saving_known) == (len(records), len(bills), len(known))
    assert totals.bill == pytest.approx(math.fsum(bills))
    assert totals.saving == pytest.approx(math.fsum(known))
    assert totals.plan + totals.saving == pytest.approx(totals.bill)
    assert totals.low <= totals.saving <= totals.high
    assert totals.saving <= totals.bill + 1e-6


def test_what_has_expired_counts_nowhere() -> None:
    totals = totals_of([a_record(), a_record(a_hold())], NOON + timedelta(hours=7))
    assert (totals.bill, totals.billed, totals.acts, totals.saving_known) == (0.0, 0, 0, 0)


def sharing(name: str, companion: str, host: str = "box-1") -> Act:
    """An act that pays 40 of the 73 USD of a host, or the companion's 33."""
    seat = Seat(
        host=host, offer="m5.large", companions=(companion,), share=0.4,
        usd_per_month=40.0 if name < companion else 33.0, host_usd_per_month=73.0, reserved=False,
    )  # fmt: skip
    act = an_act(name, mode=ServingMode.SHARED)
    placement = as_json(Placement(why="they fit", seats=(seat,)))
    return replace(act, evidence=replace(act.evidence, sharing={"placement": placement}))


def test_a_shared_host_is_counted_once() -> None:
    totals = totals_of([a_record(sharing("a", "b")), a_record(sharing("b", "a")), a_record(an_act("c"))], NOON)
    assert totals.hosts == {"box-1": 73.0}
    assert totals.hosts_usd == 73.0


def test_a_decision_of_a_person_holds_while_the_hosts_are_the_same_and_not_on_another_host() -> None:
    here = sharing("a", "b")
    assert still_decided(here, sharing("a", "b"))
    assert not still_decided(here, sharing("a", "c", "box-2"))


def test_the_oldest_price_of_what_is_summed_is_told_with_the_sum() -> None:
    """The first is priced on 2026-01-01, 60 days ago; the hold has a bill and no price, the last nothing at all."""
    act, held = a_record(an_act("a")), a_record(replace(a_hold("b"), current=a_configuration()))
    nothing = a_record(replace(a_hold("c"), current=Unknown("gone")))
    totals = totals_of([act, held, nothing], NOON)
    assert (totals.price_age, totals.unaged) == (timedelta(days=60), 1)
    assert totals.prices == "prices up to 60 d old (not known for 1 workload)"
    assert write("table", [act], NOON).endswith("; prices up to 60 d old\n")
    assert totals_of([held], NOON).prices == "the age of the prices is not known"
    assert totals_of([nothing], NOON).prices is None


def test_nothing_is_a_total_too() -> None:
    assert totals_of([], NOON) == Totals(
        workloads=0,
        billed=0,
        acts=0,
        saving_known=0,
        bill=0.0,
        saving=0.0,
        low=0.0,
        high=0.0,
        price_age=Unknown("no price of a known age is in the sums"),
    )
