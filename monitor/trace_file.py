"""Reading one recorded history file: CSV with `timestamp` and `requests`, and where it has them `replicas`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from domain.load import LoadHistory
from monitor.grid_file import read_grid


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One recorded history: `requests` in requests/s, `replicas` that ran (None without such a column)."""

    path: Path
    requests: LoadHistory
    replicas: LoadHistory | None


def read_trace(path: Path) -> Trace:
    """Read one file: `requests` are counts per step and become requests/s; an empty cell of `replicas` is unknown.

    Raises TraceError naming file, row, value and fix.
    """
    columns = read_grid(path, "requests", optional=("replicas",))
    counts = columns["requests"]
    return Trace(
        path=path, requests=replace(counts, values=counts.values / counts.step_s), replicas=columns.get("replicas")
    )
