"""One plan for a fleet: who lives with whom, who refuses, who is away, and who pays what."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.plan import Act, Configuration, Evidence, Hold, Plan, Reason, recommendation_id
from domain.unknown import Unknown
from domain.workload import PurchaseMix, ServingMode
from optimizer.draft import Draft, NotReady, Ready
from optimizer.fleet import Answer, Before, Member, together
from optimizer.modes import ModesOptions
from optimizer.options import Options
from optimizer.placement import Placement, Seat, as_json, placement_of, seats_in
from optimizer.sharing.tenant import Tenant
from optimizer.tenancy import Tenancy
from tests.optimizer.cases import MONDAY, history
from tests.optimizer.sharing_cases import HOSTS, MACHINES, WHOLE, fleets, limits, tenant

NOT_READ: Any = None  # parts of a draft that only `settle` reads, which is stood in for
NOTHING = Unknown("not looked at here")
LATER = MONDAY + timedelta(hours=6)
OPTIONS = Options(modes=ModesOptions(machines=MACHINES, sharing=WHOLE))


def member(one: Tenant, *, ready: bool = True, refused: str | None = None) -> Member:
    """A workload whose draft is ready, not ready, or (refused) ready and no tenant."""
    tenancy = Tenancy(tenant=one, calendar=(), copies=1, mean_copies=1.0, growth=1.0)
    found = Ready(
        proposal=NOT_READ,
        grounds=(),
        certainty={},
        ahead=NOT_READ,
        evidence=Evidence(inputs_sha256=""),
        tenancy=tenancy if refused is None else Unknown(refused),
        allocation=NOT_READ,
        if_kept=NOT_READ,
        tenant_size=NOT_READ,
        rate_rps=one.rate_rps,
    )
    draft = Draft(inputs_sha256="", current=NOTHING, found=found if ready else NotReady(reasons=(), needs="more"))
    return Member(workload=one.workload, team=one.team, draft=draft)


@dataclass
class Deciding:
    """Takes every place, but for who refuses one (`refusing`), is held, or breaks; remembers what it was asked."""

    tenants: Mapping[str, Tenant]
    refusing: Collection[str] = ()
    held: Collection[str] = ()
    broken: Collection[str] = ()
    asked: list[tuple[str, Placement | None]] = field(default_factory=list)

    def __call__(self, name: str, placement: Placement | None) -> Answer:
        self.asked.append((name, placement))
        if name in self.broken:
            return None
        seated = placement is not None and bool(placement.seats)
        if name in self.held or (seated and name in self.refusing):
            return self.hold(name)
        if placement is not None and seated:
            way = configuration(ServingMode.SHARED, placement.offer, placement.usd_per_month)
        else:
            way = configuration(ServingMode.DEDICATED, "own", self.tenants[name].alone_usd)
        sharing: dict[str, Any] = {} if placement is None else {"placement": as_json(placement)}
        return Act(
            id=recommendation_id(name, MONDAY), workload=name, created_at=MONDAY, valid_until=LATER,
            current=NOTHING, plan=Plan(proposed=way, usd_per_month_low=0.0, usd_per_month_high=way.usd_per_month),
            saving=NOTHING, confidence=1.0, reasons=(), evidence=Evidence(inputs_sha256="", sharing=sharing),
        )  # fmt: skip

    def hold(self, name: str) -> Hold:
        return Hold(
            id=recommendation_id(name, MONDAY), workload=name, created_at=MONDAY, valid_until=LATER, current=NOTHING,
            last_good=NOTHING, needs="", reasons=(Reason(code="no", detail="a guardrail refused it"),),
            evidence=Evidence(inputs_sha256=""),
        )  # fmt: skip


def configuration(mode: ServingMode, offer: str, usd: float) -> Configuration:
    return Configuration(
        replicas=1, mean_replicas=1.0, mode=mode, purchase=PurchaseMix(on_demand=1.0), offer=offer, usd_per_month=usd
    )


def decided(tenants: list[Tenant], before: Before = Before(), **how: Any) -> tuple[dict[str, Answer], Deciding]:  # noqa: B008  frozen
    """All of them as members, decided together."""
    sharing = how.pop("sharing", WHOLE)
    options = replace(OPTIONS, modes=replace(OPTIONS.modes, sharing=sharing))
    settle = Deciding({each.workload: each for each in tenants}, **how)
    return together([member(each) for each in tenants], before, HOSTS, options, settle), settle


def seats(answers: Mapping[str, Answer]) -> dict[str, tuple[Seat, ...]]:
    """The seats of everybody who took some."""
    found = {name: seats_in(answer) for name, answer in answers.items() if isinstance(answer, Act)}
    return {name: each for name, each in found.items() if each}


def hosts(answers: Mapping[str, Answer]) -> dict[str, set[str]]:
    lives: dict[str, set[str]] = {}
    for name, each in seats(answers).items():
        for seat in each:
            lives.setdefault(seat.host, set()).add(name)
    return lives


def usd(answers: Mapping[str, Answer]) -> float:
    return math.fsum(each.plan.proposed.usd_per_month for each in answers.values() if isinstance(each, Act))


FOUR = [tenant(name, (0.9,), 1.9, 73.0) for name in "abcd"]


@settings(deadline=None, max_examples=60)
@given(fleets(), limits, st.data())
def test_the_fleet_costs_what_its_hosts_and_those_by_themselves_cost_and_no_host_is_counted_twice(
    tenants: list[Tenant], sharing: Any, data: st.DataObject
) -> None:
    """Also where some refuse their places or break; who shares pays no more than by itself."""
    some = st.sets(st.sampled_from([each.workload for each in tenants]), max_size=2)
    answers, settle = decided(tenants, sharing=sharing, refusing=data.draw(some), broken=data.draw(some))
    living, bills = hosts(answers), {}
    for name, places in seats(answers).items():
        assert math.fsum(seat.usd_per_month for seat in places) <= settle.tenants[name].most_usd + 1e-6
        for seat in places:
            bills[seat.host] = seat.host_usd_per_month
            assert set(seat.companions) == living[seat.host] - {name}, "companions are those who took their places"
            assert seat.companions, "nobody shares a host with nobody"
    alone = [n for n, each in answers.items() if isinstance(each, Act) and n not in seats(answers)]
    parts = math.fsum([*bills.values(), *(settle.tenants[name].alone_usd for name in alone)])
    assert usd(answers) == pytest.approx(parts)
    answered = math.fsum(each.alone_usd for each in tenants if isinstance(answers[each.workload], Act))
    assert usd(answers) <= answered + 1e-6


@settings(deadline=None, max_examples=40)
@given(fleets(), limits)
def test_the_same_fleet_is_decided_alike_and_decided_on_again_nobody_moves(tenants: list[Tenant], sharing: Any) -> None:
    first, _ = decided(tenants, sharing=sharing)
    assert seats(decided(tenants, sharing=sharing)[0]) == seats(first)
    again, _ = decided(tenants, Before(seats=seats(first)), sharing=sharing)
    assert hosts(again) == hosts(first)


def test_who_refuses_its_place_falls_out_and_the_others_are_packed_and_billed_without_it() -> None:
    assert list(hosts(decided(FOUR)[0]).values()) == [set("abcd")]
    refused, settle = decided(FOUR, refusing="c")
    assert "c" not in seats(refused)
    reason = next(place.why for name, place in reversed(settle.asked) if name == "c" and place is not None)
    assert reason == "a place was found, but a guardrail refused it"
    assert list(hosts(refused).values()) == [set("abd")]
    assert usd(refused) == pytest.approx(0.195 * 730 + 73.0), "three pay the whole host"


def test_who_is_away_stays_where_it_was_and_so_do_its_companions() -> None:
    """The source of b fails: nothing is moved into its room, and nobody is told to leave it."""
    before = seats(decided(FOUR)[0])
    (host,) = {seat.host for seat in before["b"]}
    here = [each for each in FOUR if each.workload != "b"]
    answers, _ = decided(here, Before(seats=before))
    for name in hosts(decided(FOUR)[0])[host] - {"b"}:
        assert [seat.host for seat in seats(answers)[name]] == [host]
        assert seats(answers)[name][0].usd_per_month == before[name][0].usd_per_month


def test_who_is_held_stays_where_it_was() -> None:
    before = seats(decided(FOUR)[0])
    answers, _ = decided(FOUR, Before(seats=before), held="b")
    assert isinstance(answers["b"], Hold)
    companions = {name for seat in before["b"] for name in seat.companions}
    assert companions
    assert all(seats(answers)[name] == before[name] for name in companions)


def test_a_place_that_a_person_refused_is_not_offered_until_then() -> None:
    answers, settle = decided(FOUR, Before(declined={"a": LATER}))
    assert settle.asked.count(("a", Placement.declined(LATER))) == 1
    assert "a" not in seats(answers)
    assert all("a" not in seat.companions for each in seats(answers).values() for seat in each)


def test_who_may_not_share_is_settled_once_without_a_place_and_who_has_no_draft_is_nobodys() -> None:
    """Not ready, or no tenant: neither is packed, both are answered; a draft that failed is None."""
    settle = Deciding({each.workload: each for each in FOUR})
    members = [
        member(FOUR[0], ready=False),
        member(FOUR[1], refused="sharing is switched off"),
        Member(workload="c", team=None, draft=None),
        member(FOUR[3]),
    ]
    answers = together(members, Before(), HOSTS, OPTIONS, settle)
    assert settle.asked[:2] == [("a", None), ("b", None)]
    assert answers["c"] is None
    assert [name for name, _ in settle.asked] == ["a", "b", "d"]
    assert seats(answers) == {}


@pytest.mark.parametrize("tenants", [[], FOUR[:1], [tenant(name, (0.0,), 0.5, 73.0) for name in "abc"]])
def test_fleets_of_nobody_of_one_and_of_the_idle_are_fleets(tenants: list[Tenant]) -> None:
    answers, _ = decided(tenants)
    assert answers.keys() == {each.workload for each in tenants}
    assert len(hosts(answers)) == (1 if len(tenants) > 1 else 0)


def test_groups_share_among_themselves_alone() -> None:
    apart = [
        replace(each, pool=each.pool._replace(isolation_group=group)) for each, group in zip(FOUR, "xxyy", strict=True)
    ]
    living = hosts(decided(apart)[0]).values()
    assert {frozenset(each) for each in living} == {frozenset("ab"), frozenset("cd")}


def test_what_would_have_been_missed_beside_the_companions_is_told_and_a_gap_makes_it_unknown() -> None:
    """Half of the time four meet with 1.5 cores each on a host of four: a third of that time's load is too much."""
    busy = [replace(each, past=history([1.5, 0.5] * 6)) for each in FOUR]
    answers, _ = decided(busy)
    assert [placement(answers[name]).missed for name in "abcd"] == [pytest.approx(0.25)] * 4
    blind = [replace(busy[0], past=history(np.full(12, np.nan))), *busy[1:]]
    answers, _ = decided(blind)
    beside = {name for seat in seats(answers)["a"] for name in seat.companions}
    assert all(placement(answers[name]).missed is None for name in beside)


def placement(answer: Answer) -> Placement:
    assert answer is not None
    found = placement_of(answer.evidence.sharing["placement"])
    assert found is not None
    return found


def test_a_placement_comes_back_from_json_as_it_went() -> None:
    for each in (
        *(placement(one) for one in decided(FOUR)[0].values()),
        Placement.declined(datetime(2026, 1, 2, tzinfo=MONDAY.tzinfo)),
    ):
        assert placement_of(as_json(each)) == each
