"""Benchmarks look at every CSV file of a folder, packed or not, and name what they cannot use."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sized
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from benchmarks import anomalies, forecasts, packing, policies, promises
from benchmarks.measure import csv_files

START = datetime(2024, 1, 1, tzinfo=UTC)
MODELS = 60


def hourly(days: int, columns: int = 1) -> str:
    """A file of so many days, by the hour, with a load that has a day in it."""
    head = "requests" if columns == 1 else ",".join(f"m{number}" for number in range(columns))
    counts = (3600 * (2 + np.sin(np.arange(24 * days) * 2 * np.pi / 24))).astype(int)
    rows = (f"{START + i * timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}" + f",{n}" * columns for i, n in enumerate(counts))
    return "\n".join([f"timestamp,{head}", *rows]) + "\n"


READERS: dict[str, Callable[[Path], Sized]] = {
    "anomalies": lambda folder: list(anomalies.traces_of(folder)),
    "forecasts": forecasts.usable,
    "packing": packing.fleets,
    "policies": policies.usable,
    "promises": lambda folder: list(promises.usable(folder)),
}


@pytest.mark.parametrize("reader", READERS)
def test_plain_and_packed_files_are_used_and_others_are_named(
    reader: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = hourly(22, MODELS if reader == "packing" else 1)
    (tmp_path / "plain.csv").write_text(text)
    (tmp_path / "packed.csv.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "prices.csv").write_text("cloud,value\naws,3\n")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "broken.csv.gz").write_bytes(b"no gzip")
    assert len(READERS[reader](tmp_path)) == 2
    captured = capsys.readouterr()
    for name in ("prices", "empty", "broken"):
        assert f"{name}" in captured.out + captured.err


def test_of_two_files_of_one_name_the_second_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.csv", "a.csv.gz", "b.csv.gz", "labels.json"):
        (tmp_path / name).write_text("")
    assert [path.name for path in csv_files(tmp_path)] == ["a.csv", "b.csv.gz"]
    assert "skipped a.csv.gz: a.csv has that name too" in capsys.readouterr().err
