"""`trimtab replay` under a limit on replicas: the same for every policy, said where it is read, and unknown where nothing keeps it."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trimtab.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
TRACE = ROOT / "examples" / "traces" / "servegen_small_c36.csv.gz"  # about ten replicas
ASKED = ("replay", "--trace", TRACE, "--capacity", "1.3")
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def command(*arguments: object) -> tuple[int, str]:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        return code, capsys.readouterr().out

    return command


def test_every_policy_keeps_the_limit_and_what_cannot_be_had_is_null(run: Run, tmp_path: Path) -> None:
    decisions, chart = tmp_path / "d.csv", tmp_path / "c.svg"
    code, out = run(*ASKED, "--max-replicas", 6, "--output", "json", "--decisions", decisions, "--chart", chart)
    assert code == 0
    body: dict[str, Any] = json.loads(out)
    assert body["max_replicas"] == 6
    rows = {row["policy"]: row for row in body["policies"]}
    for name in ("hpa", "week", "fixed"):
        assert rows[name]["usd"] is None
        assert rows[name]["at_budget"] is None
        assert "at most 6 replicas may run" in rows[name]["detail"]
    for name in ("trimtab", "schedule", "threshold", "perfect"):
        assert rows[name]["mean_replicas"] <= 6.0
        assert rows[name]["at_budget"] is None
    assert max(int(row["desired_replicas"]) for row in csv.DictReader(decisions.read_text().splitlines())) == 6
    drawn = set(re.findall(r"<!-- (\w+) -->", chart.read_text(encoding="utf-8")))
    assert {"trimtab", "schedule"} <= drawn
    assert not drawn & {"hpa", "week"}


def test_the_table_says_the_limit_and_whom_it_binds(run: Run) -> None:
    _, limited = run(*ASKED, "--max-replicas", 6, "--policy", "fixed")
    assert "replicas are at most 6, whichever policy decides; what ran is as recorded" in limited
    row = next(line for line in limited.splitlines() if line.startswith("│ fixed"))
    assert [cell.strip() for cell in row.split("│")[2:9]] == ["-"] * 7
    _, free = run(*ASKED, "--policy", "fixed")
    assert "replicas are at most" not in free


def test_the_limit_of_the_settings_stands_where_none_is_given(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "trimtab.yaml"
    config.write_text(
        f"history: {{files: {{chat: '{TRACE}'}}}}\nworkloads: [{{id: chat, capacity_rps: 1.3, bounds: {{max_replicas: 6}}}}]\n"
    )
    asked = ("replay", "--config", config, "--policy", "perfect", "--output", "json")
    given = [json.loads(run(*asked, *more)[1])["max_replicas"] for more in ((), ("--max-replicas", 9))]
    assert given == [6, 9]
