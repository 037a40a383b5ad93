"""Availability for the tests of spot: made-up stretches, and the real recordings where they stand beside the checkout."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from domain.load import LoadHistory
from domain.prices import SpotHistory

START = datetime(2024, 1, 1, tzinfo=UTC)
MINUTES = timedelta(minutes=5)
RECORDED = Path(__file__).resolve().parents[3] / "shared" / "spot"

stretches_of = st.lists(st.tuples(st.integers(0, 4), st.integers(1, 200)), min_size=1, max_size=12)


def availability(values: list[float] | NDArray[np.float64], step: timedelta = MINUTES) -> LoadHistory:
    return LoadHistory(start=START, step=step, values=np.asarray(values, dtype=np.float64))


def joined(stretches: list[tuple[int, int]]) -> NDArray[np.float64]:
    """Machines that could be had, from (machines, steps) one after the other."""
    return np.concatenate([np.full(steps, float(machines)) for machines, steps in stretches])


def constantly(units: int, steps: int) -> NDArray[np.int64]:
    return np.full(steps, units, dtype=np.int64)


def mostly(days: float = 40, *, up_h: float = 30.0, down_h: float = 1.0, machines: int = 1) -> LoadHistory:
    """A zone with long stretches of the same length and short breaks."""
    up, down = int(up_h * 12), int(down_h * 12)
    cycle = np.concatenate([np.full(up, float(machines)), np.zeros(down)])
    return availability(np.tile(cycle, 1 + int(days * 288 / len(cycle)))[: int(days * 288)])


def flapping(days: float = 40) -> LoadHistory:
    """Ten minutes there, ten minutes gone."""
    return availability(np.tile([1.0, 1.0, 0.0, 0.0], int(days * 72)))


def spot_history(available: LoadHistory, *, zone: str = "us-east-1a", instance_type: str = "box") -> SpotHistory:
    return SpotHistory(cloud="aws", zone=zone, instance_type=instance_type, available=available, source="made up")
