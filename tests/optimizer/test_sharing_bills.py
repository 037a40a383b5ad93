"""Who pays what: everything is paid, by use, and nobody pays more than it would by itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.sharing.bills import bills
from optimizer.sharing.options import SharingOptions
from optimizer.sharing.pool import housed
from optimizer.sharing.tenant import Tenant
from tests.optimizer.sharing_cases import conditions, fleets, limits

amounts = st.floats(0.01, 1e4)


@given(st.lists(st.tuples(st.floats(0, 1), amounts), min_size=1, max_size=20), st.floats(0, 1))
def test_the_parts_add_up_to_the_bill_and_none_is_above_what_it_would_pay(
    tenants: list[tuple[float, float]], part: float
) -> None:
    shares, most = (np.array(column) for column in zip(*tenants, strict=True))
    usd = part * float(most.sum())
    paid = bills(usd, shares, most)
    assert math.fsum(paid) == pytest.approx(usd, abs=1e-9)
    assert (paid >= 0).all()
    assert (paid <= most + 1e-6).all()


def test_it_is_by_use_until_a_limit_is_met_and_the_others_pay_the_rest_by_use() -> None:
    assert bills(60.0, np.array([0.1, 0.2, 0.3]), np.array([99.0, 99.0, 99.0])).tolist() == pytest.approx([10, 20, 30])
    assert bills(60.0, np.array([0.1, 0.2, 0.3]), np.array([99.0, 99.0, 24.0])).tolist() == pytest.approx([12, 24, 24])


def test_the_idle_share_a_host_that_nobody_uses_evenly() -> None:
    assert bills(10.0, np.zeros(2), np.array([9.0, 9.0])).tolist() == pytest.approx([5.0, 5.0])


def test_a_host_that_nobody_would_pay_for_is_no_host() -> None:
    with pytest.raises(ValueError, match="too little"):
        bills(11.0, np.array([0.5, 0.5]), np.array([5.0, 5.0]))


@given(fleets(most=6), limits)
@settings(max_examples=40, deadline=None)
def test_on_every_host_the_tenants_pay_the_whole_of_it_and_save_by_it(
    tenants: list[Tenant], sharing: SharingOptions
) -> None:
    found = housed(tenants, [], conditions(tenants, sharing), afresh=True)
    paid = {each.workload: each.most_usd for each in tenants}
    for host in found.hosts:
        assert math.fsum(host.paid) == pytest.approx(host.bill.usd_per_month, abs=1e-9)
        for each in host.tenants:
            paid[each.workload] = 0.0
    for host in found.hosts:
        for each, usd in zip(host.tenants, host.paid, strict=True):
            paid[each.workload] += usd
    assert all(paid[each.workload] <= each.most_usd + 1e-6 for each in tenants)
    assert math.fsum(paid.values()) == pytest.approx(found.usd)
