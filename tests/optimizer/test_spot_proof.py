"""What a history of availability proves: dollars and losses by replay, or why it speaks for on-demand."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from domain.load import LoadHistory
from domain.prices import PriceBook
from domain.unknown import Unknown
from domain.workload import Workload
from optimizer.machines import MachineOptions, Machines
from optimizer.proving import spot_proofs
from optimizer.purchase import PurchaseOptions, Risk
from optimizer.spot import SpotProblem, SpotProof, SpotYield, best_proof, hold, proof_of
from tests.optimizer.cases import WORKLOAD, machine, price
from tests.optimizer.spot_cases import availability, constantly, flapping, mostly, spot_history

PROBLEM = SpotProblem(startup=timedelta(minutes=5), price=0.3, budget=0.005)
DAYS_90 = timedelta(days=90)


def proved(available: LoadHistory, problem: SpotProblem = PROBLEM, at: datetime | None = None) -> SpotProof:
    found = proof_of(spot_history(available), problem, at=at or available.end, oldest=DAYS_90)
    assert isinstance(found, SpotProof)
    return found


def test_the_yield_is_what_the_replay_paid_and_missed() -> None:
    zone = mostly(machines=2)
    found = proved(zone)
    run = hold(zone, constantly(2, len(zone)), PROBLEM)
    assert found.refused == ("", "", "")
    assert found.yields.spot[2] == pytest.approx(run.spot.mean())
    assert found.yields.on_demand[2] == pytest.approx(run.on_demand.mean())
    assert found.yields.missed[2] == pytest.approx(run.missed.mean())
    assert found.yields.spot[1] + found.yields.on_demand[1] >= 1
    assert found.share == pytest.approx(30 / 31, abs=0.01)


def test_nothing_after_the_decision_is_seen() -> None:
    zone = mostly()
    half = zone.start + (len(zone) // 2) * zone.step
    changed = zone.values.copy()
    changed[len(zone) // 2 :] = 0.0
    assert proved(zone, at=half) == proved(replace(zone, values=changed), at=half)
    assert proved(zone, at=half) == proved(zone.until(half))


@pytest.mark.parametrize(
    "available,why",
    [
        (flapping(), "never there long enough"),
        (mostly(0.5), "too short for the budget of 0.500% to pay for one loss"),
    ],
    ids=["flapping", "too short"],
)
def test_what_is_not_proved_is_on_demand_and_says_why(available: LoadHistory, why: str) -> None:
    found = proved(available)
    assert why in found.refused[1]
    assert (found.yields.spot[1], found.yields.on_demand[1], found.yields.missed[1]) == (0.0, 1.0, 0.0)


def test_a_zone_that_never_had_a_machine_proves_nothing() -> None:
    found = proved(availability(np.zeros(4000)))
    assert found.refused == ("",)
    assert found.yields.of(np.array([0.0, 3.0]))[1].tolist() == [0.0, 3.0]


def test_an_old_or_empty_history_is_unknown() -> None:
    zone = mostly()
    later = proof_of(spot_history(zone), PROBLEM, at=zone.end + timedelta(days=91), oldest=DAYS_90)
    before = proof_of(spot_history(zone), PROBLEM, at=zone.start, oldest=DAYS_90)
    gap = proof_of(spot_history(availability(np.full(99, np.nan))), PROBLEM, at=zone.end, oldest=DAYS_90)
    assert isinstance(later, Unknown)
    assert "last seen 91 days before; at most 90 are trusted" in later.reason
    assert isinstance(before, Unknown)
    assert "not known for any time before 2024-01-01" in before.reason
    assert isinstance(gap, Unknown)


def test_more_units_than_were_ever_there_are_on_demand() -> None:
    yields = SpotYield(spot=(0.0, 0.8), on_demand=(0.0, 0.3), missed=(0.0, 0.001))
    spot, on_demand, missed = yields.of(np.array([0.0, 1.0, 5.0]))
    assert spot.tolist() == [0.0, 0.8, 0.8]
    assert on_demand.tolist() == pytest.approx([0.0, 0.3, 4.3])
    assert missed.tolist() == [0.0, 0.001, 0.001]


def test_of_several_zones_the_cheapest_is_taken() -> None:
    good, bad = (
        proof_of(spot_history(zone, zone=name), PROBLEM, at=zone.end, oldest=DAYS_90)
        for zone, name in ((mostly(), "us-east-1b"), (mostly(up_h=8.0), "us-east-1a"))
    )
    assert best_proof([bad, Unknown("no"), good], 0.3) == good
    assert best_proof([Unknown("no"), Unknown("neither")], 0.3) == Unknown("no")


RISK = Risk(history=timedelta(days=28), startup=timedelta(minutes=5), budget=0.01)


def proofs(book: PriceBook, workload: Workload = WORKLOAD, **options: float) -> dict[str, SpotProof | Unknown]:
    zone = mostly()
    machines = Machines.of(workload, book, MachineOptions())
    found = spot_proofs(workload, machines, book, at=zone.end, risk=RISK, options=PurchaseOptions(**options))  # type: ignore[arg-type]
    return dict(found)


def test_each_type_that_fits_is_proved_from_the_histories_of_its_own_region() -> None:
    spotty = machine("box", 1.0, spot=price(0.3))
    histories = (
        spot_history(mostly(up_h=8.0), zone="us-east-1a"),
        spot_history(mostly(), zone="us-east-1b"),
        spot_history(mostly(), zone="us-east-2a"),
        spot_history(mostly(), instance_type="unpriced"),
        spot_history(mostly(), instance_type="too small"),
    )
    small = machine("too small", 0.1, vcpus=0.5, spot=price(0.03))
    found = proofs(PriceBook(offers=(spotty, small), availability=histories))
    assert set(found) == {"box"}
    assert isinstance(found["box"], SpotProof)
    assert found["box"].zone == "us-east-1b"
    assert found["box"].budget == pytest.approx(0.25 * 0.01 / 0.5)


def test_nothing_is_proved_where_spot_is_no_cheaper_or_nothing_may_be_spot() -> None:
    history = (spot_history(mostly()),)
    assert proofs(PriceBook(offers=(machine("box", 1.0, spot=price(1.0)),), availability=history)) == {}
    spotty = PriceBook(offers=(machine("box", 1.0, spot=price(0.3)),), availability=history)
    assert proofs(spotty, firm_share=1.0) == {}


def test_where_hardly_anything_may_be_spot_it_may_lose_hardly_more_than_all_of_its_work() -> None:
    """Half a percent of the machines with the whole budget of 1 %: what is on spot is never taken to be needless."""
    book = PriceBook(offers=(machine("box", 1.0, spot=price(0.3)),), availability=(spot_history(mostly()),))
    found = proofs(book, firm_share=0.995, spot_budget_share=1.0)["box"]
    assert isinstance(found, SpotProof)
    assert found.budget < 1.0
