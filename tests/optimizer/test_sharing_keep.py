"""Hosts stay as they stand: nobody moves for less than a change is worth."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.sharing.options import SharingOptions
from optimizer.sharing.pool import Housing, Standing, housed
from optimizer.sharing.tenant import Tenant
from tests.optimizer.sharing_cases import assert_may_live_together, conditions, fleets, limits, tenant


def stands(housing: Housing) -> list[Standing]:
    return [
        Standing(
            name=host.name,
            offer=host.type.offer.instance_type,
            workloads=tuple(each.workload for each in host.tenants),
        )
        for host in housing.hosts
    ]


def lives(housing: Housing) -> dict[str, set[str]]:
    """Names of hosts, and who lives there."""
    return {host.name: {each.workload for each in host.tenants} for host in housing.hosts}


FOUR = [tenant(name, (0.9,), 1.9, 73.0) for name in "abcd"]


def test_the_same_tenants_keep_their_hosts_by_name() -> None:
    first = housed(FOUR, [], conditions(FOUR), afresh=True)
    again = housed(FOUR, stands(first), conditions(FOUR), afresh=True)
    assert lives(again) == lives(first)
    assert again.as_before
    assert not first.as_before


def test_a_packing_that_is_only_a_little_better_moves_nobody() -> None:
    """Pairs the other way round cost the same; one on a larger host than it needs costs more than a change is worth."""
    other_pairs = [
        Standing(name="one", offer="small", workloads=("a", "c")),
        Standing(name="two", offer="small", workloads=("b", "d")),
    ]
    kept = housed(FOUR, other_pairs, conditions(FOUR), afresh=True)
    assert lives(kept) == {"one": {"a", "c"}, "two": {"b", "d"}}
    oversized = [replace(other_pairs[0], offer="middle"), other_pairs[1]]
    moved = housed(FOUR, oversized, conditions(FOUR), afresh=True)
    assert not moved.as_before
    assert moved.usd < 0.6 * sum(each.most_usd for each in FOUR)
    loath = housed(FOUR, oversized, conditions(FOUR, min_saving_usd=1000.0), afresh=True)
    assert lives(loath) == {"one": {"a", "c"}, "two": {"b", "d"}}


def test_a_new_workload_moves_into_the_room_that_is_left() -> None:
    roomy = [Standing(name="one", offer="middle", workloads=("a", "b", "c"))]
    found = housed(FOUR, roomy, conditions(FOUR, min_saving_usd=1000.0), afresh=True)
    assert lives(found) == {"one": {"a", "b", "c", "d"}}


def test_who_has_outgrown_a_host_leaves_it_and_the_others_stay() -> None:
    grown = [tenant("a", (1.8,), 1.9), *FOUR[1:]]
    found = housed(
        grown,
        [Standing(name="one", offer="middle", workloads=("a", "b", "c", "d"))],
        conditions(grown, min_saving_usd=1000.0),
        afresh=True,
    )
    assert lives(found)["one"] == {"b", "c", "d"}


def test_a_host_whose_machine_type_is_gone_is_packed_anew() -> None:
    gone = [Standing(name="one", offer="retired", workloads=("a", "b"))]
    found = housed(FOUR, gone, conditions(FOUR), afresh=True)
    assert found.usd == pytest.approx(0.195 * 730)
    assert "one" not in lives(found)


@given(fleets(most=6), limits, st.data())
@settings(max_examples=60, deadline=None)
def test_whatever_stood_before_what_comes_of_it_is_lawful(
    tenants: list[Tenant], sharing: SharingOptions, data: st.DataObject
) -> None:
    names = [*(each.workload for each in tenants), "gone"]
    standing = [
        Standing(name=f"h{i}", offer=offer, workloads=tuple(sorted(living)))
        for i, (offer, living) in enumerate(
            data.draw(
                st.lists(
                    st.tuples(
                        st.sampled_from(["small", "large", "retired"]), st.sets(st.sampled_from(names), min_size=1)
                    ),
                    max_size=3,
                )
            )
        )
    ]
    for afresh in (True, False):
        found = housed(tenants, standing, conditions(tenants, sharing), afresh=afresh)
        assert_may_live_together(found.hosts, tenants, sharing)
        assert len(lives(found)) == len(found.hosts)
