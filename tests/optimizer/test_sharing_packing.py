"""Packing a pool: as cheap as can be where it is small, within a proved bound where it is large, and never unlawful."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.sharing import exact, packing, search
from optimizer.sharing.bound import lower_bound
from optimizer.sharing.options import SharingOptions
from optimizer.sharing.packing import grouped, pack, total_usd
from optimizer.sharing.pool import housed
from optimizer.sharing.tenant import Tenant
from tests.optimizer.cases import YEAR, machine
from tests.optimizer.sharing_cases import (
    HOSTS,
    RISK,
    WHOLE,
    assert_may_live_together,
    conditions,
    fleets,
    groups_named,
    least_usd,
    limits,
    pool_of,
    tenant,
)


def crowd(count: int, seed: int = 0) -> list[Tenant]:
    """So many tenants whose peaks come at any of four hours."""
    random = np.random.default_rng(seed)
    return [
        tenant(f"w{i:03}", random.choice([0.1, 0.3, 1.2], 4).tolist(), float(random.choice([0.5, 1.0, 2.0])), 60.0)
        for i in range(count)
    ]


def test_peaks_that_do_not_coincide_share_and_those_that_do_not_fit_together_stay_apart() -> None:
    """Two that need 1.5 cores at other hours live on one small host; two at the same hour would need the next size."""
    day, night = tenant("day", (1.5, 0.5, 0.5, 0.5)), tenant("night", (0.5, 1.5, 0.5, 0.5))
    pool, owner = pool_of([day, night])
    assert [pool.usd[0, group.kind] for group in pack(pool, owner).groups] == [pytest.approx(73.0)]
    other = tenant("other", (1.5, 0.5, 0.5, 0.5))
    pool, owner = pool_of([day, other])
    assert [pool.usd[0, group.kind] for group in pack(pool, owner).groups] == [pytest.approx(0.195 * 730)]


def test_memory_is_packed_as_well_as_load() -> None:
    pool, owner = pool_of([tenant("a", (0.1,), 3.0), tenant("b", (0.1,), 3.0)])
    assert [pool.usd[0, group.kind] for group in pack(pool, owner).groups] == [pytest.approx(0.195 * 730)]


@given(fleets(), limits)
@settings(max_examples=60, deadline=None)
def test_a_small_pool_is_packed_as_cheaply_as_can_be(tenants: list[Tenant], sharing: SharingOptions) -> None:
    pool, owner = pool_of(tenants, sharing)
    found = pack(pool, owner)
    assert found.usd == pytest.approx(least_usd(tenants, sharing))
    assert found.bound_usd == found.usd


@given(fleets(most=6), limits, st.booleans())
@settings(max_examples=60, deadline=None)
def test_what_is_packed_may_live_together(tenants: list[Tenant], sharing: SharingOptions, annealed: bool) -> None:
    """Isolation, anti-affinity, room at every hour, blast radius, parts: by either way of packing."""
    quick = mock.patch.multiple(search, REBUILDS=5, MOVES_PER_ITEM=300)
    with quick, mock.patch.object(exact, "MOST_TENANTS", 0 if annealed else 14):
        found = housed(tenants, [], conditions(tenants, sharing), afresh=True)
    assert_may_live_together(found.hosts, tenants, sharing)
    assert found.bound_usd is not None
    assert found.bound_usd <= found.usd + 1e-6


@given(fleets(), limits)
@settings(max_examples=60, deadline=None)
def test_no_way_of_living_is_cheaper_than_the_bound(tenants: list[Tenant], sharing: SharingOptions) -> None:
    pool, owner = pool_of(tenants, sharing)
    assert lower_bound(pool, owner) <= least_usd(tenants, sharing) + 1e-6


def test_a_large_pool_comes_near_the_bound_and_is_packed_alike_every_time() -> None:
    tenants = crowd(24)
    pool, owner = pool_of(tenants)
    found = pack(pool, owner)
    assert found.usd <= 1.05 * found.bound_usd
    assert found.usd < 0.5 * 60.0 * len(tenants)
    assert pack(pool, owner) == found


def test_where_moves_do_not_suffice_for_all_those_who_gain_most_have_them() -> None:
    """Twelve are worth several times what they use, and sixty not even that."""
    tenants = [tenant(f"w{i:02}", (0.2,), 0.4, 60.0 if i % 6 == 0 else 5.0) for i in range(72)]
    pool, owner = pool_of(tenants)
    gain = list(range(0, 72, 6))
    assert search.foremost(pool, len(gain)).tolist() == gain
    assert search.foremost(pool, 100).tolist() == list(range(72))
    with (
        mock.patch.object(search, "MOST_MOVES", len(gain) * search.MOVES_PER_ITEM),
        mock.patch.object(search, "REBUILDS", 0),
    ):
        found = pack(pool, owner)
    assert [group.items for group in found.groups] == [tuple(gain)]
    assert found.usd == pytest.approx(0.195 * 730 + 60 * 5.0)


def test_what_is_used_is_priced_by_the_resource_of_which_most_is_taken() -> None:
    """All are worth the same: first who takes little, then who takes more memory, then who takes still more of the cores."""
    steady, peaky, large = tenant("a", (0.2,)), tenant("b", (0.2, 1.8, 1.8, 1.8)), tenant("c", (0.2,), 3.0)
    pool, _ = pool_of([large, peaky, steady])
    assert [search.foremost(pool, count).tolist() for count in (1, 2)] == [[2], [0, 2]]


def test_a_packing_whose_bound_is_not_asked_for_is_the_same() -> None:
    pool, owner = pool_of(crowd(40))
    assert grouped(pool, owner) == pack(pool, owner).groups


def test_a_bound_that_is_not_solved_fails_the_packing_beside_it() -> None:
    pool, owner = pool_of(crowd(16))
    with (
        mock.patch.object(packing, "lower_bound", side_effect=ArithmeticError("not solved")),
        pytest.raises(ArithmeticError, match="not solved"),
    ):
        pack(pool, owner)


def test_the_order_of_the_tenants_does_not_matter_to_a_small_pool() -> None:
    tenants = crowd(8, seed=3)
    one, other = (pack(*pool_of(each)) for each in (tenants, tenants[::-1]))
    assert one.usd == pytest.approx(other.usd)


def test_annealing_a_small_pool_finds_what_enumerating_it_finds() -> None:
    tenants = crowd(10, seed=5)
    pool, owner = pool_of(tenants)
    best = pack(pool, owner)
    with mock.patch.object(packing, "best_sets", return_value=None):
        found = pack(pool, owner)
    assert found.usd == pytest.approx(best.usd, rel=0.05)
    assert found.bound_usd <= best.usd + 1e-6


def test_a_tenant_alone_and_one_without_any_host_stay_by_themselves() -> None:
    for tenants, book in (([tenant("a")], HOSTS), ([tenant("a"), tenant("b")], replace(HOSTS, offers=()))):
        found = pack(*pool_of(tenants, book=book))
        assert found.groups == ()
        assert found.usd == pytest.approx(73.0 * len(tenants))


def test_the_idle_are_packed_by_their_memory() -> None:
    """Twelve that never work need no processor, but their memory: 4 GiB on a small host and 8 on a middle one."""
    tenants = [tenant(f"w{i}", (0.0,), 1.0, 40.0) for i in range(12)]
    pool, owner = pool_of(tenants)
    found = pack(pool, owner)
    assert sorted(len(group.items) for group in found.groups) == [4, 8]
    assert found.usd == pytest.approx(total_usd(pool, found.groups))
    assert found.usd == pytest.approx((0.1 + 0.195) * 730)


def test_a_workload_of_two_parts_is_never_on_one_host_and_never_half_shared() -> None:
    pair = [tenant("a", (0.5,), 0.5, 140.0, parts=2), tenant("b", (0.5,), 0.5, 140.0, parts=2)]
    pool, owner = pool_of(pair)
    found = pack(pool, owner)
    assert groups_named(found.groups, owner, pair) == {frozenset({"a", "b"})}
    assert len(found.groups) == 2
    lonely = [replace(pair[0], most_usd=90.0), tenant("c", (0.5,), 0.5, 70.0)]
    assert pack(*pool_of(lonely)).groups == ()


def test_a_commitment_is_made_where_every_tenant_has_the_history_for_it() -> None:
    book = replace(HOSTS, commitments=(YEAR,))
    old = [tenant(name, risk=replace(RISK, history=timedelta(days=40))) for name in "ab"]
    for tenants, factor in ((old, 0.7), ([old[0], tenant("b")], 1.0)):
        (host,) = housed(tenants, [], conditions(tenants, book=book), afresh=True).hosts
        assert host.bill.usd_per_month == pytest.approx(73.0 * factor)
        assert (host.bill.held.reserved > 0) is (factor < 1)


def gpu(name: str, gib: float, compute: float = 0.1, **other: object) -> Tenant:
    """A model on one accelerator."""
    one = tenant(name, (0.5,), 4.0, 900.0, accelerators=1.0)
    need = one.need.copy()
    need[2], need[3] = compute, gib
    return replace(one, need=need, pool=one.pool._replace(accelerator="t4"), **other)  # type: ignore[arg-type]


def test_models_on_accelerators_each_find_a_device_that_holds_them() -> None:
    """Six of 9 GiB have room in the 64 GiB of four devices together, but no device of 16 GiB holds two of them."""
    quad = machine(
        "quad", 4.0, vcpus=48.0, memory_gib=192.0, accelerator="T4", accelerator_count=4, gpu_memory_gib=16.0
    )
    book = replace(HOSTS, offers=(quad,))
    for gib, most in ((9.0, 4), (8.0, 8)):
        tenants = [gpu(f"w{i}", gib) for i in range(9)]
        pool, owner = pool_of(tenants, book=book)
        assert max(len(group.items) for group in pack(pool, owner).groups) == most


def test_a_limit_on_a_teams_requests_leaves_one_of_its_workloads_on_a_host() -> None:
    """A workload alone of its team is no one's basket; two of a team are, once they carry too much of it."""
    sharing = replace(WHOLE, max_team_share=0.6)
    team = [tenant(f"w{i}", (0.2,), 0.5, team="a") for i in range(4)]
    pool, owner = pool_of(team, sharing)
    assert sorted(len(group.items) for group in pack(pool, owner).groups) == [2, 2]
    others = [team[0], tenant("x", (0.2,), 0.5, team="b"), tenant("y", (0.2,), 0.5)]
    assert [len(group.items) for group in pack(*pool_of(others, sharing)).groups] == [3]
