"""The ledger adds up: parts to their gap and rows to their totals, to the last bit, and nothing unknown is summed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ledger import GRAIN, PARTS, Gap, exact, ledger_of, totals_of
from domain.unknown import Unknown
from tests.fakes.ledger import NIGHT, a_night

amounts = st.floats(-1e6, 1e6).map(exact)


@given(st.floats(-1e9, 1e9))
def test_an_amount_is_kept_to_less_than_a_millionth_of_a_dollar(usd: float) -> None:
    assert abs(exact(usd) - usd) <= GRAIN / 2
    assert exact(exact(usd)) == exact(usd)


@given(st.lists(amounts, max_size=50), st.randoms())
def test_amounts_add_up_to_the_same_sum_in_any_order(usd: list[float], order: object) -> None:
    shuffled = sorted(usd, key=lambda _: order.random())  # type: ignore[attr-defined]
    assert sum(usd) == sum(shuffled)


@given(st.lists(st.tuples(amounts, amounts, amounts, amounts, amounts), max_size=20))
def test_totals_are_the_sums_of_their_rows_and_their_parts_the_whole_gap(rows: list[tuple[float, ...]]) -> None:
    nights = []
    for n, (promised, load, price, capacity, not_applied) in enumerate(rows):
        gap = Gap(load=load, price=price, capacity=capacity, not_applied=not_applied, other=exact(n / 3))
        row = replace(
            a_night(NIGHT + timedelta(days=n)), promised_usd=promised, realised_usd=promised + gap.usd, gap=gap
        )
        nights.append(row)
    totals = totals_of(nights)
    assert totals.known_nights == totals.nights == len(rows)
    assert totals.promised_usd == sum(row[0] for row in rows)
    assert totals.realised_usd - totals.promised_usd == sum(totals.gap.values())


@pytest.mark.parametrize("field", ["promised_usd", "realised_usd", "gap"])
def test_a_night_of_which_something_is_not_known_is_counted_and_not_summed(field: str) -> None:
    gone: dict[str, Any] = {field: Unknown("gone")}
    known, unknown = a_night(), replace(a_night(NIGHT + timedelta(days=1)), **gone)
    assert totals_of([known, unknown]) == replace(totals_of([known]), nights=2)


def test_a_part_that_cannot_be_told_is_no_zero_and_its_dollars_are_in_other() -> None:
    gap = Gap(load=-1.0, price=Unknown("no price"), capacity=Unknown("no price"), not_applied=0.5, other=-2.0)
    assert gap.usd == -2.5
    assert tuple(gap.parts()) == PARTS


def test_rows_are_in_order_of_night_and_workload() -> None:
    rows = [a_night(date(2026, 3, day), name) for day, name in ((2, "b"), (1, "c"), (2, "a"))]
    assert [(row.night.day, row.workload) for row in ledger_of(rows).nights] == [(1, "c"), (2, "a"), (2, "b")]
