"""What is known when a night is booked: what was taken up, and the night."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from domain.capacity import CapacityModel
from domain.ledger import TakenUp
from domain.load import LoadHistory
from domain.observation import Observation
from domain.plan import Act
from domain.prices import PriceBook
from domain.unknown import Unknown
from optimizer.capacity import in_usual_requests, studied
from optimizer.options import Options

DAY = timedelta(days=1)
ENOUGH = 0.95  # share of a night's steps that have to be known


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A recommendation that was taken up at `at`, and what it was decided on."""

    recommendation: Act
    observation: Observation
    book: PriceBook
    options: Options
    at: datetime
    how: TakenUp


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """A night (midnight to midnight, UTC), all that was known of the workload at its end, and the newest prices."""

    day: date
    observation: Observation
    book: PriceBook

    @property
    def start(self) -> datetime:
        return datetime.combine(self.day, time(), UTC)

    @property
    def end(self) -> datetime:
        return self.start + DAY

    def load(self) -> LoadHistory | Unknown:
        """The night's requests/s; Unknown where too little of them is known."""
        seen = self.observation
        if seen.observed_at != self.end:
            return Unknown(f"{seen.source} is a recording: nothing was measured on {self.day}")
        if isinstance(seen.load, Unknown):
            return seen.load
        load = seen.load.until(self.end).since(self.start)
        known = float(np.isfinite(load.values).sum()) / (DAY / load.step)
        return load if known >= ENOUGH else Unknown(f"only {known:.0%} of the load of {self.day} is known")


def in_its_unit(seen: Observation, options: Options) -> tuple[Observation, CapacityModel | Unknown]:
    """The observation with its load in the unit that was decided in (usual requests where tokens are counted), and the capacity."""
    work = in_usual_requests(seen, options.capacity)
    return work.observation, studied(work, options.capacity).capacity
