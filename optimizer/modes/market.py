"""What a way of serving is priced from, and what pricing it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from domain.capacity import CapacityModel
from domain.plan import Reason
from domain.prices import PriceBook
from domain.unknown import Unknown
from domain.workload import PurchaseMix, ServingMode, Workload
from optimizer.demand import Demand, Sizing
from optimizer.machines import MachineOptions, Machines
from optimizer.proving import Proofs
from optimizer.purchase import PurchaseOptions, Risk, Terms
from optimizer.sharing.options import SharingOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class ModesOptions:
    """What the serving modes are priced with.

    `model_load_gib_per_s` is how fast a cold instance reads a model: 15 GiB (8B parameters) took
    4.4 s and 61 GiB took 20.6 s from a local disk (ServerlessLLM, sllm_store/README.md, 2026-03-06).
    `other_clouds` are serverless providers that may be used beside the workload's own cloud.
    """

    machines: MachineOptions = field(default_factory=MachineOptions)
    purchase: PurchaseOptions = field(default_factory=PurchaseOptions)
    model_load_gib_per_s: float = 3.0
    other_clouds: tuple[str, ...] = ()
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
    """A figure that a quote rests on, in USD per `unit`."""

    what: str
    usd: float
    unit: str
    source: str
    as_of: str | None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """One way of serving the demand at the SLO, and what a month (730 h) of it costs.

    `offer` and `terms` are what was decided; pricing other demand with them asks what the same
    decision would cost there. `cold_share` is the share of requests that start cold, `spot_missed` the share
    expected to be lost because spot machines are taken back. `short_of` says
    why its replicas carry too little, and is None where they carry the load; such a quote is taken
    only where no other is left.
    """

    mode: ServingMode
    offer: str
    usd_per_month: float
    mean_replicas: float
    purchase: PurchaseMix
    terms: Terms = field(default_factory=Terms)
    cold_share: float = 0.0
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
    """What is held fixed when a decision is priced on other demand."""

    offer: str
    terms: Terms


ModePricing = Callable[[Market, Demand, Decided | None], Quote | Infeasible]


def as_of_text(as_of: object) -> str | None:
    """An ISO date, or None where the date of a figure is unknown."""
    return None if as_of is None else str(as_of)


def short_of(market: Market, demand: Demand, replicas: int | None) -> str | None:
    """Why `replicas` (None: any number) miss more of the demand than the error budget allows, or None."""
    if replicas is None:
        return None
    missed = demand.beyond(replicas * market.sizing.capacity_rps)
    budget = market.workload.slo.budget
    if missed <= budget:
        return None
    return f"{replicas} replicas would miss {missed:.1%} of requests, over the budget of {budget:.3%}"
