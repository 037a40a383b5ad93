"""The machine types that a pool may live on: what they hold, and what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from domain.load import Floats
from domain.prices import HOURS_PER_MONTH, InstanceOffer, PriceBook
from domain.workload import Resources
from optimizer import purchase
from optimizer.demand import Spread
from optimizer.machines import MachineOptions, suits, undominated
from optimizer.purchase import Bought, PurchaseOptions, Risk, Terms
from optimizer.sharing.options import SharingOptions
from optimizer.sharing.tenant import Pool

ONE = Spread.of(np.array([1.0]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """How one always-on host is bought, and USD a month."""

    terms: Terms
    held: Bought

    @property
    def usd_per_month(self) -> float:
        return self.held.usd_per_hour * HOURS_PER_MONTH


@dataclass(frozen=True, slots=True, kw_only=True)
class HostType:
    """A machine type; `room` is what it offers of each resource, `device_room` what one accelerator does.

    `settled` is its bill where every tenant's history is long enough to commit on, `young` where one's is not.
    """

    offer: InstanceOffer
    room: tuple[float, ...]
    device_room: tuple[float, float]
    settled: Bill
    young: Bill


def needed(size: Resources, busy: Floats | float, copies: Floats | float) -> Floats:
    """What so many whole copies, of which `busy` are at work, take of cores, GiB, accelerators and their GiB (rows).

    Work is taken to grow with load (a copy at its capacity uses all its cores); memory is held by whole copies.
    """
    devices = 0 if size.accelerator is None else max(1, size.accelerator_count)
    on_devices = copies * size.model_gib * (devices > 0)
    return np.array([busy * size.cpu_cores, copies * size.memory_gib, busy * devices, on_devices])


def largest_share(need: Floats, room: Floats) -> float:
    """The largest of the shares that `need` is of a host's room."""
    return float((need[need > 0] / room[need > 0]).max())


def room_of(offer: InstanceOffer, machines: MachineOptions, sharing: SharingOptions) -> Floats:
    """What tenants may use of cores, GiB, accelerators and their GiB, when the host is as full as it may be."""
    room = machines.allocatable
    of_all = (
        offer.vcpus * room,
        offer.memory_gib * room,
        offer.accelerator_count,
        offer.accelerator_count * offer.gpu_memory_gib,
    )
    return np.array(of_all, dtype=np.float64) * sharing.host_fill


def host_types(
    pool: Pool,
    risks: Sequence[Risk],
    book: PriceBook,
    *,
    machines: MachineOptions,
    sharing: SharingOptions,
    buying: PurchaseOptions,
) -> tuple[HostType, ...]:
    """The types for which no other one is as large and as cheap, the cheapest first.

    `risks` are those of the tenants: a commitment is made on the shortest history that is long enough.
    """
    offers = [
        offer
        for offer in book.offers
        if (offer.cloud, offer.region) == (pool.cloud, pool.region)
        and suits(offer, pool.architecture, pool.accelerator or None, machines)
        and (offer.accelerator or offer.vcpus <= machines.largest_host_vcpus)
    ]
    settled, young = _risks(risks, buying.committing_history)
    found = [
        HostType(
            offer=offer,
            room=tuple(room_of(offer, machines, sharing).tolist()),
            device_room=(sharing.host_fill, offer.gpu_memory_gib * sharing.host_fill),
            settled=_bill(offer, settled, book, buying),
            young=_bill(offer, young, book, buying),
        )
        for offer in _undominated(offers)
    ]
    return tuple(sorted(found, key=lambda each: (each.young.usd_per_month, each.offer.key)))


def _risks(risks: Sequence[Risk], enough: timedelta) -> tuple[Risk, Risk]:
    """The tightest of the tenants with enough history to commit on, and the same with none."""
    startup, budget = max(each.startup for each in risks), min(each.budget for each in risks)
    long = [each.history for each in risks if each.history >= enough]
    none = timedelta(0)
    return (
        Risk(history=min(long, default=none), startup=startup, budget=budget),
        Risk(history=none, startup=startup, budget=budget),
    )


def _bill(offer: InstanceOffer, risk: Risk, book: PriceBook, buying: PurchaseOptions) -> Bill:
    terms, _ = purchase.decide(ONE, ONE, offer, commitments=book.commitments, risk=risk, options=buying)
    return Bill(terms=terms, held=purchase.bought(ONE, offer, terms))


def _undominated(offers: Sequence[InstanceOffer]) -> list[InstanceOffer]:
    """Offers for which no other one is at least as large in everything and at most as dear."""
    if not offers:
        return []
    merit = [
        (each.vcpus, each.memory_gib, each.accelerator_count, each.gpu_memory_gib, -each.on_demand.amount)
        for each in offers
    ]
    return [offers[i] for i in undominated(np.array(merit, dtype=np.float64))]
