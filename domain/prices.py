"""What things cost, where that figure comes from and how old it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

HOURS_PER_MONTH = 730.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """An amount of money for one unit, with its source and the date it was true."""

    amount: float
    source: str
    as_of: date | None
    currency: str = "USD"

    def age(self, today: date) -> timedelta | None:
        """How old the figure is; None where its date is unknown."""
        return None if self.as_of is None else today - self.as_of


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceOffer:
    """One machine type in one region; prices are per hour. `spot` is None where none is known."""

    cloud: str
    region: str
    instance_type: str
    vcpus: float
    memory_gib: float
    accelerator: str | None
    accelerator_count: int
    gpu_memory_gib: float
    on_demand: Price
    spot: Price | None
    interruption_per_month: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """A discount on on-demand for promising to pay over `term`."""

    cloud: str
    name: str
    term: timedelta
    discount: float
    source: str
    as_of: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerlessTariff:
    """Pay-per-use: any of the three meters may be absent (None), the others then carry the bill.

    Durations are rounded up to `increment` and never under `minimum`.
    """

    cloud: str
    service: str
    region: str
    usd_per_gib_second: float | None
    usd_per_vcpu_second: float | None
    usd_per_gpu_second: float | None
    usd_per_request: float
    increment: timedelta
    minimum: timedelta
    max_memory_gib: float
    max_duration: timedelta
    accelerator: str | None
    gpu_memory_gib: float
    cold_start: timedelta
    keep_alive: timedelta
    scales_to_zero: bool
    source: str
    as_of: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBook:
    """Every price a decision may use."""

    offers: tuple[InstanceOffer, ...] = field(default_factory=tuple)
    commitments: tuple[Commitment, ...] = field(default_factory=tuple)
    tariffs: tuple[ServerlessTariff, ...] = field(default_factory=tuple)
