"""What things cost, where that figure comes from and how old it is. Every amount is in USD."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta

from domain.load import LoadHistory
from domain.unknown import Unknown

HOURS_PER_MONTH = 730.0
ZONE_OF_A_REGION = re.compile(r"[a-z]|-[a-z0-9-]+")  # us-east-1 + a, us-central1 + -b


def age_on(today: date, as_of: date | None, rate_as_of: date | None = None) -> timedelta | Unknown:
    """How old a figure is: its own day counts, or that of the rate it was exchanged at where that is the older.

    Unknown where the figure has no date, and where that day comes after `today`: what was paid then is not known.
    """
    if as_of is None:
        return Unknown("of an unknown date")
    oldest = as_of if rate_as_of is None else min(as_of, rate_as_of)
    return Unknown(f"of {oldest}, after {today}") if oldest > today else today - oldest


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """The declared rate at which a figure in another currency was turned into USD, and the day it was true."""

    currency: str
    usd_per_unit: float
    as_of: date
    source: str

    def __str__(self) -> str:
        return f"{self.currency} at {self.usd_per_unit:g} USD of {self.as_of} ({self.source})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """An amount of money for one unit, with its source and the date it was true.

    `evidence` is how it was come by: read (at the vendor or in data made from its price list), derived
    from such, third_party, memory, or stated (by the user). `exchange` is None for what was in USD from the start.
    """

    amount: float
    source: str
    as_of: date | None
    evidence: str = "stated"
    exchange: Exchange | None = None

    def age(self, today: date) -> timedelta | Unknown:
        """How old the figure is, see `age_on`."""
        return age_on(today, self.as_of, None if self.exchange is None else self.exchange.as_of)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceOffer:
    """One machine type in one region; prices are per hour. `spot` is None where none is known.

    A `burstable` machine gives its full speed only for a while, or only most of the time. A `task` is no
    machine but a container sold by its size: it holds one replica, which has all of it.
    `interruption_per_month` is the share of spot machines taken back within a month, at the upper
    end of what is published (1.0 where no upper end is), None where nothing is.
    """

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
    architecture: str = "amd64"
    burstable: bool = False
    task: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        return self.cloud, self.region, self.instance_type


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """A discount on on-demand (0..1) for promising to pay over `term`; `upfront_share` of it is paid first."""

    cloud: str
    name: str
    term: timedelta
    discount: float
    source: str
    as_of: date | None
    upfront_share: float = 0.0
    evidence: str = "stated"

    @property
    def key(self) -> tuple[str, str]:
        return self.cloud, self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmRates:
    """What an instance costs that is kept warm on purpose: for every second it is so, and on top while it serves.

    The time for which it is configured is rounded up to `increment`.
    """

    usd_per_gib_second: float
    usd_per_vcpu_second: float
    usd_per_gpu_second: float
    serving_usd_per_gib_second: float
    serving_usd_per_vcpu_second: float
    serving_usd_per_gpu_second: float
    increment: timedelta
    source: str
    as_of: date | None
    evidence: str = "stated"
    assumptions: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerlessTariff:
    """Pay-per-use: any of the three meters may be absent (None), the others then carry the bill.

    Durations are rounded up to `increment` and never under `minimum`. Memory buys processors where
    `gib_per_vcpu` is given (a function with 1.73 GiB has one). `bills_idle`: an instance is paid for
    until `keep_alive` after its last request; `bills_cold_start`: start-up seconds are paid for.
    `warm` is what instances kept warm on purpose cost, None where that is not offered or not known.
    `assumptions` names what of this is assumed and not read at the source.
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
    architecture: str = "amd64"
    min_vcpus: float = 0.0
    max_vcpus: float | None = None
    min_memory_gib: float = 0.0
    gib_per_vcpu: float | None = None
    bills_idle: bool = False
    bills_cold_start: bool = False
    warm: WarmRates | None = None
    assumptions: str = ""
    evidence: str = "stated"
    exchange: Exchange | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        return self.cloud, self.service, self.region


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFee:
    """What a managed cluster costs by the hour, whatever runs on it: no workload's own, so in no plan's cost."""

    cloud: str
    service: str
    region: str
    price: Price

    @property
    def key(self) -> tuple[str, str, str]:
        return self.cloud, self.service, self.region


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpotHistory:
    """How many spot machines of a type could be held in a zone (or a whole region), step by step; NaN is unknown."""

    cloud: str
    zone: str
    instance_type: str
    available: LoadHistory
    source: str

    def lies_in(self, cloud: str, region: str) -> bool:
        """Whether the zone is this region or a part of it."""
        beyond = self.zone.removeprefix(region)
        inside = self.zone.startswith(region) and (not beyond or ZONE_OF_A_REGION.fullmatch(beyond) is not None)
        return self.cloud == cloud and inside


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBook:
    """Every price a decision may use, the cluster fees stated beside them, and what is known of spot's availability."""

    offers: tuple[InstanceOffer, ...] = field(default_factory=tuple)
    commitments: tuple[Commitment, ...] = field(default_factory=tuple)
    tariffs: tuple[ServerlessTariff, ...] = field(default_factory=tuple)
    availability: tuple[SpotHistory, ...] = field(default_factory=tuple)
    fees: tuple[ClusterFee, ...] = field(default_factory=tuple)
