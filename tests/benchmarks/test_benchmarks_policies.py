"""The policy benchmark names what it cannot judge, and goes on."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.policies import capacity_of, usable

START = datetime(2024, 1, 1, tzinfo=UTC)


def test_traces_without_load_or_days_enough_are_named_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, days, count in (("busy", 12, 360), ("still", 12, 0), ("brief", 3, 360)):
        rows = [f"{(START + timedelta(hours=hour)).isoformat()},{count}" for hour in range(days * 24)]
        (tmp_path / f"{name}.csv.gz").write_bytes(gzip.compress("\n".join(["timestamp,requests", *rows]).encode()))
    ((path, history, warmup),) = usable(tmp_path)
    assert path.name == "busy.csv.gz"
    assert capacity_of(history) == pytest.approx(0.01)
    assert warmup == timedelta(days=7)
    said = capsys.readouterr().out
    assert "still.csv.gz: hardly a request came" in said
    assert "brief.csv.gz: 3 days, 0:00:00 is too short" in said
