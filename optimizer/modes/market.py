"""What a way of serving is priced from, and what pricing it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

from domain.capacity import CapacityModel
from domain.plan import Reason
from domain.prices import Price, PriceBook, age_on
from domain.unknown import Unknown
from domain.workload import PurchaseMix, ServingMode, Workload
from optimizer.demand import Demand, Sizing
from optimizer.machines import MachineOptions, Machines
from optimizer.margin import Late
from optimizer.modes.warm import Warm
from optimizer.proving import Proofs
from optimizer.purchase import PurchaseOptions, Risk, Terms
from optimizer.sharing.options import SharingOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class ModesOptions:
    """What the serving modes are priced with.

    `model_load_gib_per_s` is how fast a cold instance reads a model: 15 GiB (8B parameters) took
    4.4 s and 61 GiB took 20.6 s from a local disk (ServerlessLLM, sllm_store/README.md, 2026-03-06).
    `other_clouds` are serverless providers that may be used beside the workload's own cloud. `calls`: a few instances
    may be kept by calls where their idle time is not billed. The scaling policy decides once every `decision_interval`.
    """

    decision_interval: timedelta = timedelta(seconds=60)
    machines: MachineOptions = field(default_factory=MachineOptions)
    purchase: PurchaseOptions = field(default_factory=PurchaseOptions)
    model_load_gib_per_s: float = 3.0
    other_clouds: tuple[str, ...] = ()
    calls: bool = True
    sharing: SharingOptions = field(default_factory=SharingOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """One workload, what one replica of it carries, and everything that could be bought for it.

    `spot` is what histories of availability prove, by machine type.
    """

    workload: Workload
    capacity: CapacityModel
    sizing: Sizing
    service_time_s: float | Unknown
    risk: Risk
    book: PriceBook
    machines: Machines
    options: ModesOptions
    spot: Proofs = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        workload: Workload,
        *,
        capacity: CapacityModel,
        sizing: Sizing,
        service_time_s: float | Unknown,
        risk: Risk,
        book: PriceBook,
        options: ModesOptions,
    ) -> Market:
        """The market of one workload; the machine types that fit are looked up once."""
        return cls(
            workload=workload,
            capacity=capacity,
            sizing=sizing,
            service_time_s=service_time_s,
            risk=risk,
            book=book,
            machines=Machines.of(workload, book, options.machines),
            options=options,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceUsed:
    """A figure that a quote rests on, in USD per `unit`; `rate_as_of` is the day of the rate it was exchanged at, if it was."""

    what: str
    usd: float
    unit: str
    source: str
    as_of: str | None
    evidence: str = "stated"
    note: str = ""
    rate_as_of: str | None = None

    def age(self, today: date) -> timedelta | Unknown:
        """How old the figure is, see `age_on`."""
        dates = (None if day is None else date.fromisoformat(day) for day in (self.as_of, self.rate_as_of))
        return age_on(today, *dates)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """One way of serving the demand at the SLO, and what a month (730 h) of it costs.

    `offer`, `terms` and `warm` are what was decided; pricing other demand with them asks what the same
    decision would cost there. `cold_share` is the share of requests that start cold (None where none can), `late_at_most`
    that which may well be answered over the SLO's latency, `spot_missed` that expected to be lost because spot machines
    are taken back. `short_of` says
    why its replicas carry too little, and is None where they carry the load; such a quote is taken
    only where no other is left.
    """

    mode: ServingMode
    offer: str
    usd_per_month: float
    mean_replicas: float
    purchase: PurchaseMix
    terms: Terms = field(default_factory=Terms)
    warm: Warm = field(default_factory=Warm)
    cold_share: float | None = None
    late_at_most: float | None = None
    spot_missed: float = 0.0
    short_of: str | None = None
    reasons: tuple[Reason, ...] = ()
    prices: tuple[PriceUsed, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Infeasible:
    """A way of serving that cannot hold the SLO, or cannot be priced, and why."""

    mode: ServingMode
    reason: str


@dataclass(frozen=True, slots=True)
class Decided:
    """What is held fixed when a decision is priced on other demand; `warm` None is chosen anew."""

    offer: str
    terms: Terms
    warm: Warm | None = None


ModePricing = Callable[[Market, Demand, Decided | None], Quote | Infeasible]


def priced_at(what: str, price: Price, unit: str, note: str = "") -> PriceUsed:
    """A figure of the price book as it is used: where it is from, how old it is, and at which rate it was exchanged."""
    exchange = price.exchange
    return PriceUsed(
        what=what,
        usd=price.amount,
        unit=unit,
        source=price.source if exchange is None else f"{price.source}; paid in {exchange}",
        as_of=None if price.as_of is None else price.as_of.isoformat(),
        evidence=price.evidence,
        note=note,
        rate_as_of=None if exchange is None else exchange.as_of.isoformat(),
    )


def short_of(market: Market, demand: Demand, replicas: int | None) -> str | None:
    """Why `replicas` (None: any number) miss more of the demand than the error budget allows, or None."""
    if replicas is None:
        return None
    missed = demand.beyond(replicas * market.sizing.capacity_rps)
    budget = market.workload.slo.budget
    if missed <= budget:
        return None
    return f"{replicas} replicas would miss {missed:.1%} of requests, over the budget of {budget:.3%}"


def too_late(market: Market, demand: Demand, late: Late, why: str) -> str | None:
    """Why replicas that may answer this share of requests late do not hold the latency SLO, or None.

    Where a miss has a price nothing is promised: it was weighed. Where the settings allow too few replicas
    the quote says so itself (`short_of`).
    """
    slo, share = market.workload.slo, late.at_most
    if slo.usd_per_missed_request is not None or share <= 1.0 - slo.latency_quantile:
        return None
    if short_of(market, demand, market.sizing.max_replicas) is not None:
        return None
    return f"up to {share:.1%} of requests may {why}; {slo.latency_quantile:.0%} of them must be answered in time"
