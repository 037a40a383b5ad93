"""Costs that are far from a workload's own last days."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.unknown import Unknown
from trimtab.unusual import unusual

STEADY = [10.0, 11.0, 10.5, 9.8, 10.2, 10.9, 10.1]


def test_a_cost_far_from_the_last_days_is_told_with_what_is_usual() -> None:
    (found,) = unusual({"a": 30.0}, {"a": STEADY})
    assert (found.cost, found.usual, found.low, found.high, found.days) == (30.0, 10.2, 9.8, 11.0, 7)
    assert [each.workload for each in unusual({"a": 0.5}, {"a": STEADY})] == ["a"]


def test_small_sums_few_days_wide_spreads_and_unknown_costs_are_not_told() -> None:
    assert not list(unusual({"a": 11.5}, {"a": STEADY}))
    assert not list(unusual({"a": 0.9}, {"a": [0.1] * 14}))
    assert not list(unusual({"a": 99.0}, {"a": STEADY[:6]}))
    assert not list(unusual({"a": 30.0}, {"a": [1.0, 40.0, 10.0, 25.0, 5.0, 33.0, 18.0]}))
    assert not list(unusual({"a": Unknown("no price"), "b": 5.0}, {"a": STEADY}))


@given(st.lists(st.floats(min_value=0, max_value=1e6), min_size=7, max_size=14), st.floats(min_value=0, max_value=1e6))
def test_no_usual_cost_is_unusual(days: list[float], cost: float) -> None:
    """The median itself never is, and the largest difference comes first."""
    usual = (
        sorted(days)[len(days) // 2]
        if len(days) % 2
        else sum(sorted(days)[len(days) // 2 - 1 : len(days) // 2 + 1]) / 2
    )
    assert not list(unusual({"a": usual}, {"a": days}))
    found = list(unusual({"a": cost, "b": 2 * cost}, {"a": days, "b": days}))
    gaps = [abs(each.cost - each.usual) for each in found]
    assert gaps == sorted(gaps, reverse=True)
