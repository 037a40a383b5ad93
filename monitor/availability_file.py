"""Reading how many spot machines could be had: CSV with `timestamp` and `value`, one file a zone and machine type."""

from __future__ import annotations

from pathlib import Path

from domain.load import LoadHistory
from monitor.grid_file import read_grid


def read_availability(path: Path) -> LoadHistory:
    """Machines that could be held in each step; a missing row is unknown.

    Raises TraceError naming file, row, value and fix.
    """
    return read_grid(path, "value")["value"]
