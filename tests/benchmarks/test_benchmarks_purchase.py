"""What spot is held against: SkyServe's rule as published, equal misses, and the bound that hindsight sets."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import purchase
from benchmarks.hindsight import bound
from benchmarks.spot_zones import zones
from benchmarks.spothedge import ALL_ON_DEMAND, Point, at_misses, points, spothedge
from optimizer.spot import SpotProblem, hold
from optimizer.spot.fleet import Wish, new_fleet, settle
from tests.optimizer.spot_cases import MINUTES, availability, constantly, joined, mostly, stretches_of
from trimtab.prices import bundled

PROBLEM = SpotProblem(startup=timedelta(minutes=5), price=0.3, budget=0.005)


def test_the_rule_asks_for_spot_and_stands_in_on_demand_until_it_is_ready() -> None:
    """Start-up one step: on-demand until spot serves, and again for a step and a start-up after it was taken back."""
    there = availability([1, 1, 1, 1, 0, 1, 1, 1])
    run = spothedge(there, constantly(1, 8), PROBLEM, extra=0, base=0)
    assert run.spot.tolist() == [0, 1, 1, 1, 0, 1, 1, 1]
    assert run.on_demand.tolist() == [1, 1, 0, 0, 0, 1, 0, 0]
    assert run.missed.tolist() == [0, 0, 0, 0, 1, 1, 0, 0]


def test_extra_spot_keeps_on_demand_while_it_is_short_and_a_base_is_always_there() -> None:
    there = availability(np.ones(20))
    extra = spothedge(there, constantly(1, 20), PROBLEM, extra=1, base=0)
    assert (extra.on_demand == 1).all(), "one spot of two is short by one, so on-demand stands in"
    base = spothedge(there, constantly(2, 20), PROBLEM, extra=0, base=1)
    assert base.spot[-1] == base.on_demand[-1] == 1


def test_equal_misses_are_read_off_the_lower_envelope() -> None:
    """Half way in misses between a point and on-demand alone is half way in cost; a dominated point does not count."""
    found = [ALL_ON_DEMAND, Point(0.4, 0.02, "plain"), Point(1.2, 0.01, "worse")]
    assert at_misses(found, 0.0) == 1.0
    assert at_misses(found, 0.01) == pytest.approx(0.7)
    assert at_misses(found, 0.5) == 0.4


def cheapest_by_force(there: list[int], penalty: float) -> float:
    """Every plan of a unit in a few steps, moved through the fleet: least cost + penalty * missed."""
    best = np.inf
    for wishes in itertools.product(range(4), repeat=len(there) - 1):
        fleet = new_fleet(constantly(1, len(there)), PROBLEM.delay(MINUTES))
        settle(fleet, 0, Wish(1, 0, 1), there[0])
        for t, wish in enumerate(wishes, 1):
            settle(fleet, t, Wish(1, wish & 1, wish >> 1), there[t])
        total = fleet.on_demand.sum() + PROBLEM.price * fleet.paid_spot.sum() + penalty * fleet.missed.sum()
        best = min(best, float(total))
    return best


@settings(deadline=None, max_examples=8)
@given(st.lists(st.integers(0, 1), min_size=2, max_size=5))
def test_hindsight_is_the_best_of_all_plans(there: list[int]) -> None:
    """With no miss allowed the bound is the best plan that misses nothing: a penalty no plan can pay."""
    found = bound(availability([float(each) for each in there]), 1, replace(PROBLEM, budget=0.0))
    assert found * len(there) == pytest.approx(cheapest_by_force(there, 1000.0), rel=1e-6)


@settings(deadline=None, max_examples=20)
@given(stretches_of)
def test_nothing_within_the_budget_beats_hindsight(stretches: list[tuple[int, int]]) -> None:
    there = availability(joined(stretches))
    wanted = constantly(1, len(there))
    least = bound(there, 1, PROBLEM)
    ours = hold(there, wanted, PROBLEM)
    every = [Point(1 - ours.saving(0.3), ours.missed_share, "ours"), *points(there, wanted, PROBLEM)]
    assert all(least <= point.cost + 1e-9 for point in every if point.missed <= PROBLEM.budget)
    assert least <= 1.0 + 1e-9


def folder_of(path: Path) -> Path:
    for name, zone in (
        ("avail_1node_aws02152023_uswest2a_v100_1", mostly(20)),
        ("zone_of_my_own", mostly(20, up_h=12.0)),
        ("preem_4node_aws08032023_useast2a_v100_1", availability(np.zeros(500))),
    ):
        moments = (
            f"{zone.start + i * zone.step:%Y-%m-%dT%H:%M:%SZ},{value:g}\n" for i, value in enumerate(zone.values)
        )
        (path / f"{name}.csv").write_text("timestamp,value\n" + "".join(moments), encoding="utf-8")
    (path / "load.csv").write_text("timestamp,requests\n2024-01-01T00:00:00Z,1\n", encoding="utf-8")
    return path


def test_a_folder_is_replayed_and_what_cannot_be_used_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.json"
    monkeypatch.setattr(
        "sys.argv", ["purchase.py", "--traces", str(folder_of(tmp_path)), "--json", str(out), "--leave-out"]
    )
    assert purchase.main() == 0
    figures = json.loads(out.read_text(encoding="utf-8"))
    assert "skipped load.csv: " in capsys.readouterr().out
    assert figures["zones"] == 3
    assert 0 < figures["saving"] < 1
    assert 0 <= figures["extra_miss"] <= 0.005
    rows = {row["zone"]: row for row in figures["zone_rows"]}
    assert rows["preem_4node_aws08032023_useast2a_v100_1"]["answer"] == "on demand: none could ever be had"
    assert rows["preem_4node_aws08032023_useast2a_v100_1"]["cost"] == 1.0
    assert figures["command"].startswith("python purchase.py")


def test_prices_are_those_of_the_book_or_say_that_they_are_assumed(tmp_path: Path) -> None:
    found = {zone.name: zone for zone in zones(folder_of(tmp_path), bundled())}
    known = found["avail_1node_aws02152023_uswest2a_v100_1"]
    assert known.price == pytest.approx(0.2)
    assert known.basis == "p3.2xlarge in us-east-1"
    assert known.region == "aws02152023 uswest2 v100_1"
    assert found["zone_of_my_own"].basis.startswith("assumed: ")


@pytest.mark.parametrize("arguments", [[], ["--traces", "none"]])
def test_without_a_folder_it_says_what_it_needs(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["purchase.py", *arguments])
    assert purchase.main() == 2
    assert capsys.readouterr().err.count("\n") == 1
