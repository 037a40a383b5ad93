"""Reserved, spot and on demand: every number from the spread of what is held and the prices."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.prices import InstanceOffer
from domain.unknown import Unknown
from optimizer.demand import Spread
from optimizer.purchase import (
    PurchaseOptions,
    Risk,
    SpotAllowance,
    Terms,
    allowed_spot,
    bought,
    committed,
    decide,
    missed_share,
)
from optimizer.spot import SpotProof, SpotYield
from tests.optimizer.cases import YEAR, machine, price

RISK = Risk(history=timedelta(days=28), startup=timedelta(minutes=5), budget=0.001)
SPOTTY = machine("box", 1.0, spot=price(0.4), interruption_per_month=0.1)
NO_SPOT = PurchaseOptions(spot=False)
counts = st.lists(st.integers(0, 40), min_size=1, max_size=60)
offers = st.builds(
    lambda usd, spot, interrupted: machine(
        "box", usd, spot=price(usd * spot) if spot else None, interruption_per_month=interrupted
    ),
    st.floats(0.01, 50),
    st.none() | st.floats(0.05, 1.2),
    st.none() | st.sampled_from([0.05, 0.1, 0.2, 1.0]),
)


def spread(values: list[int]) -> Spread:
    return Spread.of(np.array(values))


def decided(values: list[int], offer: InstanceOffer, options: PurchaseOptions | None = None) -> Terms:
    units = spread(values)
    return decide(units, units, offer, commitments=(YEAR,), risk=RISK, options=options or PurchaseOptions())[0]


def test_what_is_used_for_more_than_the_discount_leaves_is_reserved() -> None:
    """At 30 % off a level pays from 70 % of the time on: the third box is used for 80 %, the fourth for 60 %."""
    values = [2] * 2 + [3] * 2 + [4] * 6
    assert decided(values, machine(), NO_SPOT).reserved == 3
    assert bought(spread(values), machine(usd=1.0), Terms(commitment=YEAR, reserved=3)) == pytest.approx(
        (3.0, 0.6, 0.0, 3 * 0.7 + 0.6, 0.0)
    )


def test_reserving_is_the_best_of_all_levels() -> None:
    values = [1, 5, 5, 2, 8, 3, 3, 3, 0, 9, 4, 4, 4, 4]
    chosen = decided(values, machine(usd=1.0), NO_SPOT)
    every = [bought(spread(values), machine(usd=1.0), Terms(commitment=YEAR, reserved=n)) for n in range(10)]
    best = min(every, key=lambda found: found.usd_per_hour)
    found = bought(spread(values), machine(usd=1.0), chosen)
    assert found.usd_per_hour == pytest.approx(best.usd_per_hour)


def test_a_short_history_commits_to_nothing_and_says_so() -> None:
    risk = replace(RISK, history=timedelta(days=6))
    terms, reasons = decide(spread([5]), spread([5]), machine(), commitments=(YEAR,), risk=risk, options=NO_SPOT)
    assert terms.reserved == 0
    assert "6.0 days of history are too short to commit on; needed: 28" in reasons[0].detail


def test_of_the_allowed_commitments_the_deepest_discount_is_taken() -> None:
    three = replace(YEAR, name="3yr", term=timedelta(days=1095), discount=0.5)
    upfront = replace(YEAR, name="1yr_all", discount=0.36, upfront_share=1.0)
    other = replace(YEAR, cloud="gcp", discount=0.9)
    options = PurchaseOptions()
    assert committed(machine(), (YEAR, three, upfront, other), RISK, options)[0] == YEAR
    willing = replace(options, max_term=timedelta(days=1095), max_upfront_share=1.0)
    assert committed(machine(), (YEAR, three, upfront, other), RISK, willing)[0] == three


def test_interruptions_cost_their_hazard_times_the_uncovered_start_up() -> None:
    """10 % a month is a hazard of 0.000144 an hour; five minutes less thirty seconds are 0.075 h."""
    expected = -math.log(0.9) / 730 * 0.075
    assert missed_share(0.1, timedelta(minutes=5), timedelta(seconds=30)) == pytest.approx(expected)
    assert missed_share(0.1, timedelta(seconds=20), timedelta(seconds=30)) == 0.0


def test_spot_leaves_the_firm_floor() -> None:
    """Of ten boxes half stay firm; of one box none is spot."""
    found = bought(spread([10]), SPOTTY, Terms(spot=SpotAllowance(share=0.5, why="said")))
    assert (found.on_demand, found.spot) == (5.0, 5.0)
    assert found.usd_per_hour == pytest.approx(5 * 1.0 + 5 * 0.4)
    assert bought(spread([1]), SPOTTY, Terms(spot=SpotAllowance(share=0.5, why="said"))).spot == 0.0


def test_where_every_machine_stays_firm_nothing_is_spot_and_settings_are_named() -> None:
    found = allowed_spot(SPOTTY, RISK, PurchaseOptions(firm_share=1.0))
    assert (found.share, found.why) == (0.0, "settings keep every machine reserved or on demand")


def test_a_slow_start_and_a_small_budget_leave_little_to_spot() -> None:
    slow = Risk(history=timedelta(days=28), startup=timedelta(hours=4), budget=0.0001)
    found = allowed_spot(SPOTTY, slow, PurchaseOptions())
    assert 0 < found.share < 0.1
    assert found.share * missed_share(0.1, timedelta(hours=4), timedelta(seconds=30)) <= 0.25 * 0.0001 * 1.0001
    assert "of requests" in found.why


@pytest.mark.parametrize(
    "offer,why",
    [
        (machine(), "no spot price"),
        (machine(usd=0.1, spot=price(0.2)), "no spot price below"),
        (machine(spot=price(0.01)), "no interruption figures"),
        (machine(spot=price(0.01), interruption_per_month=1.0), "no published upper bound"),
    ],
)
def test_where_spot_is_not_bounded_the_answer_is_on_demand_and_says_so(offer: InstanceOffer, why: str) -> None:
    terms, reasons = decide(spread([8]), spread([8]), offer, commitments=(), risk=RISK, options=PurchaseOptions())
    assert terms.spot.share == 0
    assert reasons[1].code == "no_spot"
    assert why in reasons[1].detail


def proof(refused: str = "", machines: int = 4) -> SpotProof:
    """A history in which half of each machine meant for spot was had, at a tenth of overlap and a small loss."""
    each = [n * (not refused) for n in range(machines + 1)]
    return SpotProof(
        zone="us-east-1a",
        source="made up",
        start=datetime(2024, 1, 1, tzinfo=UTC),
        end=datetime(2024, 2, 1, tzinfo=UTC),
        share=0.5,
        budget=0.0005,
        wait=timedelta(hours=2),
        refused=("", *([refused] * machines)),
        yields=SpotYield(
            spot=tuple(0.5 * n for n in each),
            on_demand=tuple(n - 0.4 * m for n, m in enumerate(each)),
            missed=tuple(0.0004 * n for n in each),
        ),
    )


def with_proof(values: list[int], found: SpotProof | Unknown, **options: Any) -> tuple[Terms, str]:
    offer = machine("box", 1.0, spot=price(0.4), interruption_per_month=1.0)
    units = spread(values)
    chosen = PurchaseOptions(**options)
    terms, why = decide(units, units, offer, commitments=(), risk=RISK, options=chosen, proof=found)
    return terms, f"{why[1].code}: {why[1].detail}"


def test_a_proof_decides_in_place_of_published_interruptions() -> None:
    """Eight boxes, four of them meant for spot: 2 are, 2.4 are on demand in their place; published rates have no bound."""
    terms, why = with_proof([8], proof())
    found = bought(spread([8]), machine("box", 1.0, spot=price(0.4)), terms)
    assert found == pytest.approx((0.0, 4 + 2.4, 2.0, 6.4 + 0.8, 0.0016))
    assert why.startswith("spot: 2 machines on spot on average, which loses 0.02 % of the requests: box: 31.0 days")
    assert "up to 4 machines at once paid, each after 2.0 h without a break" in why


def test_where_replay_refuses_spot_the_answer_is_on_demand_and_says_so() -> None:
    terms, why = with_proof([8], proof("1.200% would have been lost, over the budget of 0.050%"))
    assert terms.spot.share == 0
    assert bought(spread([8]), SPOTTY, terms) == pytest.approx((0.0, 8.0, 0.0, 8.0, 0.0))
    assert why.startswith("no_spot: no spot: box: 31.0 days of availability in us-east-1a")
    assert "on that history 1.200% would have been lost" in why


@pytest.mark.parametrize(
    "found,why",
    [(Unknown("it was last seen 200 days before"), "200 days before"), (proof(machines=0), "could ever be had")],
)
def test_without_proof_there_is_no_spot(found: SpotProof | Unknown, why: str) -> None:
    terms, said = with_proof([8], found)
    assert terms.spot.share == 0
    assert why in said


def test_published_rates_are_not_enough_where_settings_ask_for_proof() -> None:
    assert allowed_spot(SPOTTY, RISK, PurchaseOptions()).share > 0
    found = allowed_spot(SPOTTY, RISK, PurchaseOptions(spot_needs_proof=True))
    assert found.share == 0
    assert "settings ask for proof" in found.why


def test_a_proof_that_on_demand_undercuts_is_not_used_and_says_so() -> None:
    dear = proof()
    dear = replace(
        dear, yields=replace(dear.yields, on_demand=dear.yields.spot, spot=tuple(map(float, range(0, 10, 2))))
    )
    assert with_proof([8], dear)[1].startswith(
        "no_spot: no spot: reserved and on-demand machines are cheaper here, although"
    )


@settings(deadline=None)
@given(counts, st.integers(0, 6), st.booleans())
def test_a_proved_mix_is_never_dearer_than_all_on_demand(values: list[int], machines: int, refused: bool) -> None:
    found = proof("refused" if refused else "", machines)
    terms, _ = with_proof(values, found)
    units = spread(values)
    held = bought(units, machine("box", 1.0, spot=price(0.4)), terms)
    assert held.usd_per_hour <= units.mean * (1 + 1e-9)
    assert held.usd_per_hour == pytest.approx(held.on_demand + 0.4 * held.spot)
    assert held.missed == 0 or not refused


@settings(deadline=None)
@given(counts, offers)
def test_a_mix_is_never_dearer_than_all_on_demand(values: list[int], offer: InstanceOffer) -> None:
    units = spread(values)
    found = bought(units, offer, decided(values, offer))
    assert found.usd_per_hour <= units.mean * offer.on_demand.amount * (1 + 1e-9)


@settings(deadline=None)
@given(counts, offers)
def test_a_mix_holds_at_least_what_is_needed(values: list[int], offer: InstanceOffer) -> None:
    units = spread(values)
    found = bought(units, offer, decided(values, offer))
    assert found.reserved + found.on_demand + found.spot >= units.mean - 1e-9
    assert min(found) >= 0


@settings(deadline=None)
@given(counts, offers, st.floats(1.01, 10))
def test_cost_rises_with_price(values: list[int], offer: InstanceOffer, factor: float) -> None:
    dearer = replace(
        offer,
        on_demand=price(offer.on_demand.amount * factor),
        spot=price(offer.spot.amount * factor) if offer.spot else None,
    )
    now, then = (bought(spread(values), each, decided(values, each)).usd_per_hour for each in (offer, dearer))
    assert then >= now * (1 - 1e-9)


@settings(deadline=None)
@given(counts, st.floats(0, 1))
def test_exceeding_is_the_level_reached_that_often(values: list[int], share: float) -> None:
    level = spread(values).exceeding(share)
    reached = np.mean(np.array(values) >= level)
    assert reached >= share - 1e-9 or level == 0
