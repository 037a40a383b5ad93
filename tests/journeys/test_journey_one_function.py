"""What replay promises is what the cycle does: both ask one function, and give the same number."""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.recorded import read_trace
from trimtab.__main__ import main

TRACES = Path(__file__).resolve().parents[2] / "examples" / "traces"
# Guardrails that let everything pass: what the policy wants is what is recommended.
UNGUARDED = {"max_step_down": 0.999, "min_saving_usd": 0, "min_saving_share": 0, "min_confidence": 0}


def settings(folder: Path, trace: str, *, interval_s: float = 60, **workload: Any) -> Path:
    """A settings file for one recorded workload, dedicated machines only."""
    content = {
        "history": {"files": {"one": str(TRACES / trace)}, "step_s": 60, "lookback_days": 28},
        "workloads": [{"id": "one", "modes": ["dedicated"], "mode": "dedicated", **workload}],
        "decisions": {**UNGUARDED, "interval_s": interval_s},
        "store": {"url": "sqlite:///store.db"},
    }
    file = folder / "trimtab.yaml"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return file


CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "minutes": ("azfn_bd33.csv.gz", {
        "capacity_rps": 4, "time_to_ready_s": 90, "replicas": 60, "offer": "c6i.large",
        "slo": {"attainment": 0.999}, "bounds": {"min_replicas": 2, "max_replicas": 60},
    }),
    "minutes, decided on every ten": ("azfn_bd33.csv.gz", {
        "capacity_rps": 4, "time_to_ready_s": 90, "replicas": 60, "offer": "c6i.large", "interval_s": 600,
        "slo": {"attainment": 0.999}, "bounds": {"min_replicas": 2, "max_replicas": 60},
    }),
    "ten-minutes": ("servegen_large_c48.csv.gz", {
        "capacity_rps": 0.3, "time_to_ready_s": 300, "replicas": 20, "offer": "c6i.large",
        "slo": {"attainment": 0.99}, "bounds": {"min_replicas": 1, "max_replicas": 40},
    }),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_replay_and_recommend_want_the_same_replicas(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last decision of `trimtab replay --decisions` is the number that `trimtab recommend` proposes."""
    trace, workload = CASES[case]
    config = settings(tmp_path, trace, **workload)
    out = tmp_path / "decisions.csv"
    given = ["--config", str(config), "--workload", "one"]
    assert main(["replay", *given, "--policy", "trimtab", "--decisions", str(out)]) == 0
    with out.open(newline="") as text:
        rows = list(csv.DictReader(text))
    load = read_trace(TRACES / trace).requests
    assert len(rows) == len(load)
    assert rows[-1]["timestamp"] == f"{load.end - load.step:%Y-%m-%dT%H:%M:%SZ}"

    capsys.readouterr()
    assert main(["recommend", "--config", str(config), "--output", "json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found["kind"] == "act", found["reasons"]
    assert found["proposed"]["mode"] == "dedicated"
    assert found["proposed"]["replicas"] == found["replicas"] == int(rows[-1]["desired_replicas"])
    week = rows[-int(timedelta(days=7) / load.step) :]
    mean = sum(int(row["desired_replicas"]) for row in week) / len(week)
    assert found["proposed"]["mean_replicas"] == pytest.approx(mean, rel=1e-9)
