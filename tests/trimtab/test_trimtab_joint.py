"""A whole fleet from facts to recommendations: places, money, and the same answer again from what was handed over."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import numpy as np
import pytest

from domain.observation import Observation
from domain.plan import Act, Hold, Recommendation
from domain.unknown import Unknown
from domain.workload import ServingMode
from optimizer import fleet
from optimizer.options import Options, ReplayOptions
from optimizer.placement import placement_in, seats_in
from optimizer.recommend import recommend
from tests.optimizer.cases import BOOK, WORKLOAD, daily, observation, running
from trimtab import joint
from trimtab.decide import Decided, Failed
from trimtab.joint import Joint
from trimtab.records import Record, Status, no_place_before
from trimtab.store.codec import decode, encode
from trimtab.totals import totals_of

PRICES = replace(BOOK, tariffs=())  # nothing serverless: they live on machines
OPTIONS = Options(replay=ReplayOptions(policies=()), sensitivity=False)
JOINT = Joint(book=PRICES, options=OPTIONS, processes=1)


def fleet_of(count: int) -> list[Observation]:
    """Small workloads whose days begin one after the other, each on a box of its own today."""
    found = []
    for k in range(count):
        load = daily(14, low=0.05, high=0.45, seed=k)
        moved = replace(load, values=np.roll(load.values, 72 * k))
        workload = replace(WORKLOAD, id=f"m{k}", resources=replace(WORKLOAD.resources, memory_gib=1.0))
        found.append(observation(moved, workload=workload, running=running(1)))
    return found


SEEN = fleet_of(4)


def acts(decided: Sequence[Decided]) -> dict[str, Act]:
    found = {each.workload: each for each in decided if isinstance(each, Act)}
    assert len(found) == len(decided)
    return found


@pytest.fixture(scope="module")
def first() -> dict[str, Act]:
    """The first decision on the four."""
    return acts(JOINT.all(SEEN, {}, {}))


def records(decided: Mapping[str, Act]) -> list[Record]:
    return [Record(recommendation=each, observed_at=each.created_at) for each in decided.values()]


def test_four_small_ones_whose_days_differ_share_a_host_and_say_so(first: Mapping[str, Act]) -> None:
    """The reason names host, companions, share and bill, and what it would cost alone."""
    for name, act in first.items():
        (seat,) = seats_in(act)
        assert set(seat.companions) == first.keys() - {name}
        assert (act.plan.proposed.mode, act.plan.proposed.offer) == (ServingMode.SHARED, seat.offer)
        assert act.plan.proposed.usd_per_month == seat.usd_per_month
        assert act.evidence.sharing["alone_usd_per_month"] == 73.0 > seat.usd_per_month
        said = next(reason.detail for reason in act.reasons if reason.code == "shares_host")
        assert said.startswith(f"lives on host {seat.host} ({seat.offer}) with {', '.join(seat.companions)}: ")
        assert f"{seat.usd_per_month:.2f} of {seat.host_usd_per_month:.2f} USD a month" in said
        assert [reason.code for reason in act.reasons].count("slo_proved") == 1


def test_on_a_shared_host_prices_spot_and_allocation_are_those_of_the_host(first: Mapping[str, Act]) -> None:
    for act in first.values():
        prices = cast("dict[str, Any]", act.evidence.prices)
        assert prices["used"]
        assert all(
            used["age_days"] >= 0 and used["what"].startswith(act.plan.proposed.offer) for used in prices["used"]
        )
        assert prices["spot"] is None
        assert act.plan.allocation is not None
        assert act.plan.allocation.usd_per_month == act.plan.proposed.usd_per_month
        assert not act.plan.allocation.spot_eligible
        assert cast("dict[str, Any]", act.evidence.allocation["spot"])["eligible"] is False


def test_the_total_is_the_sum_of_its_parts_and_counts_the_host_once(first: Mapping[str, Act]) -> None:
    totals = totals_of(records(first), SEEN[0].observed_at)
    (bill,) = totals.hosts.values()
    assert totals.plan == pytest.approx(bill)
    assert totals.bill == pytest.approx(4 * 73.0)
    assert totals.saving == pytest.approx(math.fsum(act.saving.usd_per_month for act in first.values()))  # type: ignore[union-attr]
    assert totals.low <= totals.saving <= totals.high <= totals.bill


def test_each_is_decided_again_from_what_the_fleet_handed_to_it_also_after_a_way_through_the_store(
    first: Mapping[str, Act],
) -> None:
    for seen in SEEN:
        old = first[seen.workload.id]
        placement = placement_in(decode(encode(old)))
        assert placement is not None
        assert encode(recommend(seen, PRICES, OPTIONS, None, placement)) == encode(old)
        moved = replace(placement, seats=(replace(placement.seats[0], share=0.9),))
        other = recommend(seen, PRICES, OPTIONS, None, moved)
        assert other.evidence.inputs_sha256 != old.evidence.inputs_sha256


def test_an_hour_later_nobody_moves(first: Mapping[str, Act]) -> None:
    again = acts(JOINT.all(SEEN, first, {}))
    assert {name: seats_in(act)[0].host for name, act in again.items()} == {
        name: seats_in(act)[0].host for name, act in first.items()
    }


def test_where_one_is_not_known_any_more_it_is_held_and_nobody_else_moves(first: Mapping[str, Act]) -> None:
    """First its load is Unknown; then it is not observed at all."""
    blind = [replace(SEEN[0], load=Unknown("the query failed")), *SEEN[1:]]
    held, *others = JOINT.all(blind, first, {})
    assert isinstance(held, Hold)
    assert seats_in(held) == seats_in(first["m0"]), "what it has is handed on, for the decision after this one"
    away = JOINT.all(SEEN[1:], first, {})
    for some in (others, away):
        assert {name: seats_in(act) for name, act in acts(some).items()} == {
            name: seats_in(first[name]) for name in ("m1", "m2", "m3")
        }


def test_who_has_outgrown_its_seat_leaves_a_host_where_somebody_cannot_be_asked(first: Mapping[str, Act]) -> None:
    """m0 keeps its room; m1 needs half as much again, and it is not known whether that is there at all hours."""
    assert not isinstance(SEEN[1].load, Unknown)
    grown = replace(SEEN[1], load=replace(SEEN[1].load, values=SEEN[1].load.values * 1.5))
    answers = acts(JOINT.all([grown, *SEEN[2:]], first, {}))
    (host,) = seats_in(first["m0"])
    assert all(seat.host != host.host for act in answers.values() for seat in seats_in(act))


def test_a_place_that_was_dismissed_is_not_offered_again_for_a_week(first: Mapping[str, Act]) -> None:
    """And the decision on it can be made again: the refusal is among what the fleet hands over."""
    now = SEEN[0].observed_at
    record = Record(recommendation=first["m0"], observed_at=now, decision=Status.DISMISSED, decided_at=now)
    until = no_place_before(record)
    assert until == now + timedelta(days=7)
    after = acts(JOINT.all(SEEN, first, {"m0": until}))
    assert after["m0"].plan.proposed.mode is ServingMode.DEDICATED
    assert "m0" not in seats_in(after["m1"])[0].companions
    again = recommend(SEEN[0], PRICES, OPTIONS, first["m0"], placement_in(after["m0"]))
    assert encode(again) == encode(after["m0"])
    open_now = Record(recommendation=after["m0"], observed_at=now)
    assert no_place_before(open_now) == until, "the next decision knows it from this one"
    assert seats_in(acts(JOINT.all(SEEN, first, {"m0": now}))["m0"]), "and then it may have a place again"


def test_a_fault_in_one_workload_or_in_the_plan_for_all_takes_nobody_else_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A workload that breaks is Failed, and the others share. Where the plan breaks, who cannot share is still decided."""
    odd = replace(SEEN[0], time_to_ready=None)  # type: ignore[arg-type]
    broken, *others = JOINT.all([odd, *SEEN[1:]], {}, {})
    assert isinstance(broken, Failed)
    assert all(set(seats_in(act)[0].companions) < {"m1", "m2", "m3"} for act in acts(others).values())

    alone = replace(SEEN[3], workload=replace(SEEN[3].workload, modes=frozenset({ServingMode.DEDICATED})))

    def breaks(*_: object) -> dict[str, fleet.Answer]:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(joint, "together", breaks)
    *some, last = JOINT.all([*SEEN[:3], alone], {}, {})
    assert some == [Failed(workload=name, problem="ZeroDivisionError: by nothing") for name in ("m0", "m1", "m2")]
    assert isinstance(last, Act)


def test_a_workload_that_may_only_share_is_held_until_it_has_company(first: Mapping[str, Act]) -> None:
    only = [
        replace(each, workload=replace(each.workload, modes=frozenset({ServingMode.SHARED})), running=Unknown("new"))
        for each in SEEN[:2]
    ]
    (lonely,) = JOINT.all(only[:1], {}, {})
    assert isinstance(lonely, Hold)
    assert lonely.needs.startswith("workloads that may share a host with it")
    assert all(seats_in(act) for act in acts(JOINT.all(only, {}, {})).values())


def test_what_stands_in_the_evidence_is_json(first: Mapping[str, Recommendation]) -> None:
    for each in first.values():
        json.dumps(dict(each.evidence.sharing), allow_nan=False)
