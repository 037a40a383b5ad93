"""What one replica can carry, and how long it takes to be there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class CapacityBasis(StrEnum):
    """Where a capacity comes from; a lower bound was never seen to be exceeded."""

    DECLARED = "declared"
    LEARNED = "learned"
    LOWER_BOUND = "lower_bound"


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityModel:
    """The largest load (requests/s) at which one ready replica still holds its latency SLO.

    `high_rps` is None where production never came near the knee: "at least X, never observed above".
    """

    rate_rps: float
    low_rps: float
    high_rps: float | None
    basis: CapacityBasis
    detail: str

    def __post_init__(self) -> None:
        if not (math.isfinite(self.rate_rps) and self.rate_rps > 0):
            raise ValueError(f"a capacity must be a positive number of requests/s, not {self.rate_rps}")


class ReadyBasis(StrEnum):
    """Where a time-to-ready comes from."""

    DECLARED = "declared"
    MEASURED = "measured"
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeToReady:
    """From "a replica is wanted" to "it is ready", over `samples` measured starts."""

    p50: timedelta
    p90: timedelta
    longest: timedelta
    basis: ReadyBasis
    samples: int
    detail: str
