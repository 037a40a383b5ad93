"""Bundled traces as histories, and the shared scorer where it stands beside the checkout."""

from __future__ import annotations

import csv
import gzip
import importlib.util
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType

import numpy as np

from domain.load import Floats, LoadHistory

ROOT = Path(__file__).resolve().parents[2]
TRACES = ROOT / "examples" / "traces"
SCORER = ROOT.parent / "shared" / "tools" / "score_policy.py"


def history_of(name: str) -> LoadHistory:
    """A bundled trace in requests/s; a missing row is a gap."""
    with gzip.open(TRACES / f"{name}.csv.gz", "rt", newline="") as lines:
        rows = [(datetime.fromisoformat(row["timestamp"]), float(row["requests"])) for row in csv.DictReader(lines)]
    times = np.array([at.timestamp() for at, _ in rows])
    step_s = float(np.median(np.diff(times)))
    values = np.full(round((times[-1] - times[0]) / step_s) + 1, np.nan)
    values[np.round((times - times[0]) / step_s).astype(int)] = [count / step_s for _, count in rows]
    return LoadHistory(start=rows[0][0], step=timedelta(seconds=step_s), values=values)


def tenth_of_mean(history: LoadHistory) -> float:
    """A capacity that needs ten replicas at the mean load, in requests/s, rounded as in the benchmarks."""
    return round(float(np.nanmean(history.values)) / 10, 6)


def plain_decisions(history: LoadHistory, capacity_rps: float) -> Floats:
    """Decisions of a fixed simple rule, so that what is pinned here does not move with the policy."""
    load = np.nan_to_num(history.values / capacity_rps)
    recent = np.array([load[max(0, i - 5) : i + 1].max() for i in range(len(load))])
    return np.maximum(1, np.ceil(1.3 * recent))


def scorer() -> ModuleType | None:
    """The shared scorer as a module; None where it is not there."""
    if not SCORER.exists():
        return None
    spec = importlib.util.spec_from_file_location("score_policy", SCORER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
