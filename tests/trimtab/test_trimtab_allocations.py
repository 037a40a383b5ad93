"""What a replica should ask for, and promises on tokens, stored and shown without loss."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.allocation import Allocation, AllocationBasis
from domain.plan import Act
from domain.unknown import Unknown
from domain.workload import Slo
from tests.fakes.recommendations import NOON, a_record, a_workload, an_act
from trimtab.present import recommendation_body
from trimtab.store.codec import decode, encode
from trimtab.store.workload_codec import to_workload, workload_body

amounts = st.floats(0.0, 1e6)
money = amounts | st.builds(Unknown, st.text())
allocations = st.builds(
    Allocation,
    basis=st.sampled_from(AllocationBasis),
    cpu_request_cores=amounts,
    cpu_limit_cores=st.none() | amounts,
    memory_request_gib=amounts,
    memory_limit_gib=amounts,
    accelerator=st.none() | st.text(),
    accelerator_count=st.integers(0, 8),
    usd_per_month=money,
    declared_usd_per_month=money,
    detail=st.text(),
)
durations = st.none() | st.integers(1, 10**6).map(lambda ms: timedelta(milliseconds=ms))


def with_allocation(allocation: Allocation | None) -> Act:
    act = an_act()
    return replace(act, plan=replace(act.plan, allocation=allocation))


@given(st.none() | allocations)
def test_an_allocation_comes_back_from_the_store_as_it_went_in(allocation: Allocation | None) -> None:
    assert decode(encode(with_allocation(allocation))) == with_allocation(allocation)


@given(first=durations, each=durations, stateless=st.none() | st.booleans())
def test_promises_on_tokens_come_back_too(
    first: timedelta | None, each: timedelta | None, stateless: bool | None
) -> None:
    workload = replace(a_workload(), slo=Slo(time_to_first_token=first, inter_token=each), stateless=stateless)
    assert to_workload(workload_body(workload)) == workload


def test_what_was_stored_before_there_were_allocations_can_still_be_read() -> None:
    body = json.loads(encode(an_act()))
    del body["plan"]["allocation"], body["evidence"]["allocation"]
    assert decode(json.dumps(body)) == an_act()
    old = workload_body(a_workload())
    del old["stateless"]
    assert to_workload(old) == a_workload()


@given(allocations)
def test_an_unknown_price_is_shown_as_null_with_its_reason(allocation: Allocation) -> None:
    body = recommendation_body(a_record(with_allocation(allocation)), NOON)
    for name in ("usd_per_month", "declared_usd_per_month"):
        told = getattr(allocation, name)
        if isinstance(told, Unknown):
            assert body["allocation"][name] is None
            assert body["unknown"][f"allocation.{name}"] == told.reason
        else:
            assert body["allocation"][name] == told
