"""The benchmark of sharing: what it reads, what it holds sharing against, and what it says of nothing."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import packing
from benchmarks.packing import FLEETS, fleets, one_host, read, row, tenants
from trimtab.prices import bundled


def test_the_bundled_fleet_is_read_as_it_was_recorded() -> None:
    """250 functions by the minute over eight hours."""
    (fleet,) = fleets(FLEETS)
    assert fleet.arrivals.shape == (250, 480)
    assert fleet.models[:2] == ("0_http", "2_timer")
    assert fleet.step.total_seconds() == 60.0


def test_a_model_needs_what_the_stated_rule_says() -> None:
    (fleet,) = fleets(FLEETS)
    models = tenants(fleet.first(8), bundled())
    assert [each.need[1].max() for each in models] == [0.5, 1.0, 2.0, 4.0] * 2
    busiest = fleet.arrivals[7, :20].max()
    assert models[7].need[0, 0] == pytest.approx(busiest / 60.0 * 2.0)


def test_one_host_each_is_the_cheapest_that_holds_the_peak_and_several_where_none_does() -> None:
    book = bundled()
    small, large = (one_host(np.array([cores, 1.0, 0.0, 0.0]), book) for cores in (0.1, 1000.0))
    assert 0 < small < 100
    assert large > 100 * small


def test_a_few_models_share_and_cost_less_than_a_host_each_and_no_less_than_the_bound() -> None:
    (fleet,) = fleets(FLEETS)
    found = row(fleet.first(10), bundled())
    assert found.usd_bound <= found.usd < found.usd_one_each
    assert (found.models, found.hosts_saved) == (10, 10 - found.hosts)
    assert found.gap_to_bound == pytest.approx(0.0), "so few are packed as cheaply as can be"


def test_what_is_no_fleet_is_named_and_nothing_to_do_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with gzip.open(tmp_path / "one.csv.gz", "wt") as file:
        file.write("timestamp,requests\n2024-01-01T00:00:00Z,1\n2024-01-01T00:01:00Z,1\n")
    assert isinstance(read(tmp_path / "one.csv.gz"), str)
    assert packing.main(["--traces", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "skipped one.csv.gz: it has no column `timestamp` and 50 of load beside it" in said
    assert "no fleet in" in said


def test_figures_are_written_with_the_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "fleets", lambda _: [fleets(FLEETS)[0].first(8)])
    assert packing.main(["--models", "4", "--json", str(tmp_path / "out.json")]) == 0
    written = json.loads((tmp_path / "out.json").read_text())
    assert [each["models"] for each in written["fleets"]] == [4, 8]
    assert all(each["gap_to_bound"] >= 0 for each in written["fleets"])
