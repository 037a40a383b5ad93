"""The parts of the ledger's arithmetic: the walk from promise to outcome, the line through what ran, and what got worse."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ledger import LedgerNight, exact
from domain.unknown import Unknown
from optimizer.guardrails import GuardrailOptions
from optimizer.ledger.gap import Steps, gap_of
from optimizer.ledger.misses import missed_of
from optimizer.ledger.ways import line_of
from optimizer.ledger.worse import worse
from tests.fakes.ledger import NIGHT, a_night
from tests.optimizer.cases import history, observation

amounts = st.floats(-1e6, 1e6).map(exact)
perhaps = amounts | st.builds(Unknown, st.text(max_size=5))
NOISE = GuardrailOptions(min_saving_usd=5.0, min_saving_share=0.05)


@given(
    amounts,
    amounts,
    st.builds(
        Steps,
        on_load=perhaps,
        at_prices=perhaps,
        with_capacity=perhaps,
        capacity=st.none() | st.builds(Unknown, st.text(max_size=5)),
        tracking=amounts,
    ),
)
def test_the_parts_add_up_to_the_gap_to_the_last_bit_whatever_is_unknown(
    promised: float, realised: float, steps: Steps
) -> None:
    gap = gap_of(promised, steps, realised)
    assert gap.usd == realised - promised
    if not any(
        isinstance(value, Unknown) for value in (steps.on_load, steps.at_prices, steps.with_capacity, steps.capacity)
    ):
        assert gap.other == steps.tracking


def test_each_step_of_the_walk_is_one_part() -> None:
    steps = Steps(on_load=9.0, at_prices=9.5, with_capacity=7.5, capacity=None, tracking=-0.25)
    gap = gap_of(10.0, steps, 4.0)
    assert (gap.load, gap.price, gap.capacity, gap.not_applied, gap.other) == (-1.0, 0.5, -2.0, -3.25, -0.25)


loads = st.lists(st.floats(0, 1000), min_size=1, max_size=40)


@given(loads, st.data())
def test_the_line_keeps_the_mean_of_what_ran_and_never_falls(load: list[float], data: st.DataObject) -> None:
    ran = np.array(data.draw(st.lists(st.integers(0, 50), min_size=len(load), max_size=len(load))), dtype=np.float64)
    line = line_of(np.array(load), ran, 7.0)
    assert line.level >= 0
    assert line.slope >= 0
    assert np.mean(line.level + line.slope * np.array(load)) == pytest.approx(ran.mean(), abs=1e-6)
    assert (line.at(np.array(load)) >= ran.min()).all()


def test_what_did_not_move_stays_and_what_followed_follows() -> None:
    load = np.array([1.0, 2.0, 3.0, np.nan])
    assert line_of(load, np.full(4, 24.0), 0.0).at(np.array([0.0, 99.0, np.nan])).tolist()[:2] == [24.0, 24.0]
    assert line_of(load, 2 * load, 0.0).at(np.array([10.0]))[0] == 20.0
    assert line_of(load, 2 * load, 0.0).at(np.array([0.1]))[0] == 2.0, "no fewer than ever ran"
    assert line_of(load, np.array([3.0, 2.0, 1.0, 1.0]), 0.0).at(np.array([99.0]))[0] == 2.0, "not fewer with more load"
    assert line_of(load, np.full(4, np.nan), 5.0).at(load)[0] == 5.0


def nights(count: int, **facts: Any) -> list[LedgerNight]:
    return [replace(a_night(NIGHT + timedelta(days=n)), **facts) for n in range(count)]


def codes(rows: list[LedgerNight]) -> list[str]:
    return [reason.code for reason in worse(rows, NOISE)]


@pytest.mark.parametrize(
    "facts,said",
    [
        ({}, []),
        ({"ran_usd": 18.5}, []),  # within 5 % of what ran before
        ({"ran_usd": 19.5}, ["dearer"]),
        ({"ran_usd": 19.5, "followed_share": 0.4}, []),  # it hardly ran as proposed
        ({"ran_usd": 19.5, "followed_share": Unknown("gone")}, []),
        ({"ran_usd": 19.5, "would_have_missed": 0.002}, []),  # what ran before would not have carried the load
        ({"ran_usd": 19.5, "would_have_missed": Unknown("serverless")}, ["dearer"]),
        ({"baseline_usd": 0.1, "ran_usd": 0.2}, []),  # three dollars a month are noise
        ({"ran_usd": Unknown("gone"), "baseline_usd": Unknown("gone")}, []),
        ({"missed_share": 0.002}, ["slo_broken"]),
        ({"missed_share": 0.002, "missed_before": 0.0011}, []),  # it was broken before
        ({"missed_share": 0.002, "missed_before": Unknown("not measured")}, []),
        ({"missed_share": Unknown("not measured")}, []),
        ({"missed_share": 0.002, "ran_usd": 30.0}, ["dearer", "slo_broken"]),
    ],
)
def test_worse_is_what_is_shown_to_be(facts: dict[str, Any], said: list[str]) -> None:
    assert codes(nights(1, **facts)) == said
    assert codes(nights(7, **facts)) == said


def test_one_dear_night_of_a_cheap_week_is_not_dearer_and_one_bad_night_of_a_week_counts_by_its_requests() -> None:
    week = nights(6)
    dear = replace(a_night(NIGHT + timedelta(days=6)), ran_usd=20.0)
    assert codes([*week, dear]) == []
    assert codes([dear]) == ["dearer"]
    bad = replace(dear, ran_usd=13.0, missed_share=0.004)
    assert codes([*week, bad]) == []
    assert codes([*week, replace(bad, requests=8_640_000.0)]) == ["slo_broken"]


def test_only_the_last_week_counts_in_whatever_order() -> None:
    old = nights(7, ran_usd=40.0)
    later = [replace(a_night(NIGHT + timedelta(days=n))) for n in range(7, 14)]
    assert codes(old + later) == codes(later + old) == []


def test_what_is_said_of_it_has_its_figures() -> None:
    [dearer, broken] = worse(nights(2, ran_usd=20.0, missed_share=0.002), NOISE)
    assert dearer.detail == "4.00 USD dearer over the last 2 nights than what ran before would have been"
    assert (dearer.before, dearer.after) == ("36.00 USD", "40.00 USD")
    assert broken.detail.startswith("at least 0.200% of the requests of the last 2 nights were missed, over the 0.100%")


def test_misses_are_those_that_are_sure() -> None:
    load = history([1.0, 1.0, 0.0, 2.0])
    errors = replace(load, values=np.array([0.5, 0.0, np.nan, 0.01]))
    latency = replace(load, values=np.array([9.0, 9.0, np.nan, 0.1]))
    found = missed_of(observation(load, errors=errors, latency=latency), load, 1.0)
    assert not isinstance(found, Unknown)
    assert found.measured
    assert found.share == pytest.approx((0.5 + 0.05 + 0.02) / 4)


def test_misses_that_nothing_tells_of_are_unknown() -> None:
    load = history([1.0, 1.0])
    nothing = missed_of(observation(load), load, Unknown("no capacity"))
    assert isinstance(nothing, Unknown)
    idle = history([0.0, 0.0])
    assert isinstance(missed_of(observation(idle), idle, 1.0), Unknown)
