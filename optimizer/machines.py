"""Which machine types fit a replica, and how many replicas one of them holds."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from domain.load import Floats
from domain.prices import InstanceOffer, PriceBook
from domain.unknown import Unknown
from domain.workload import Resources, ServingMode, Workload

MOST_PER_MACHINE = 64
NO_MACHINES = {
    ServingMode.SERVERLESS: Unknown("serverless has no machines of its own"),
    ServingMode.SHARED: Unknown("its hosts are shared with other workloads"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineOptions:
    """`allocatable` is the share of a machine's processors and memory that is left to replicas.

    A shared host without accelerators has at most `largest_host_vcpus`: what falls, falls together.
    `tasks`: containers that are sold by their size (Fargate) are looked at too.
    """

    allocatable: float = 0.9
    burstable: bool = False
    tasks: bool = False
    largest_host_vcpus: float = 64.0


@dataclass(frozen=True, slots=True)
class Fit:
    """One machine type and the replicas that one of it holds."""

    offer: InstanceOffer
    replicas: int


@dataclass(frozen=True, slots=True)
class Machines:
    """The machine types that hold a replica: all by name, and those worth pricing.

    `shortlist` are the cheapest for each number of replicas that one holds, `hosts` those that no
    other one beats in size and in price per processor and per GiB.
    """

    by_name: Mapping[str, Fit]
    shortlist: tuple[Fit, ...]
    hosts: tuple[InstanceOffer, ...]

    @classmethod
    def of(cls, workload: Workload, book: PriceBook, options: MachineOptions) -> Machines:
        """What of the price book fits the workload."""
        fits = fitting(workload, book, options)
        known = {each.instance_type for each in book.availability if each.lies_in(workload.cloud, workload.region)}
        whole = [fit.offer for fit in fits if not fit.offer.task]
        small = [offer for offer in whole if offer.accelerator or offer.vcpus <= options.largest_host_vcpus]
        return cls(
            {fit.offer.instance_type: fit for fit in fits}, tuple(shortlist(fits, known)), tuple(unbeaten(small))
        )

    def replicas_on(self, mode: ServingMode, offer: str) -> int | Unknown:
        """How many replicas one of its own machines of this type holds; Unknown in a mode that has none of its own.

        KeyError for a type that holds no replica.
        """
        return NO_MACHINES.get(mode) or self.by_name[offer].replicas


def fitting(workload: Workload, book: PriceBook, options: MachineOptions) -> list[Fit]:
    """Every machine type of the workload's cloud and region that holds at least one replica."""
    found = []
    for offer in book.offers:
        if (offer.cloud, offer.region) == (workload.cloud, workload.region):
            held = holds(offer, workload.resources, options)
            if held:
                found.append(Fit(offer, held))
    return found


def holds(offer: InstanceOffer, need: Resources, options: MachineOptions) -> int:
    """How many replicas fit; 0 where the processor, an accelerator or the memory is the wrong one."""
    if not suits(offer, need.architecture, need.accelerator, options):
        return 0
    if offer.task:
        large = offer.vcpus >= need.cpu_cores and offer.memory_gib >= need.memory_gib
        return int(options.tasks and need.accelerator is None and large)
    by_host = min(offer.vcpus / need.cpu_cores, offer.memory_gib / need.memory_gib) * options.allocatable
    if need.accelerator is None:
        return min(math.floor(by_host + 1e-9), MOST_PER_MACHINE)
    each = max(1, need.accelerator_count)
    if need.model_gib > each * offer.gpu_memory_gib:
        return 0
    return min(math.floor(by_host + 1e-9), offer.accelerator_count // each, MOST_PER_MACHINE)


def suits(offer: InstanceOffer, architecture: str, accelerator: str | None, options: MachineOptions) -> bool:
    """Whether a machine has the right processor and accelerator, whatever its size.

    One with an accelerator is not bought for its processors.
    """
    if offer.architecture != architecture or (offer.burstable and not options.burstable):
        return False
    return (offer.accelerator or "").casefold() == (accelerator or "").casefold()


def shortlist(fits: Sequence[Fit], known: Collection[str] = ()) -> list[Fit]:
    """Of the types that hold equally many replicas only the cheapest on demand, and the cheapest on spot.

    Spot prices are not looked at without a published, bounded interruption rate, unless the type is
    among those whose availability is `known`; each of these is priced.
    """
    best: dict[tuple[int, str], Fit] = {}
    for fit in fits:
        prices = {"on_demand": fit.offer.on_demand.amount}
        interrupted = fit.offer.interruption_per_month
        if fit.offer.spot is not None and interrupted is not None and interrupted < 1.0:
            prices["spot"] = fit.offer.spot.amount
        for way, amount in prices.items():
            held = best.get((fit.replicas, way))
            if held is None or amount < _amount(held, way):
                best[fit.replicas, way] = fit
    kept = [*best.values(), *(fit for fit in fits if fit.offer.instance_type in known)]
    return sorted({fit.offer.key: fit for fit in kept}.values(), key=lambda fit: (fit.replicas, fit.offer.key))


def unbeaten(offers: Sequence[InstanceOffer]) -> list[InstanceOffer]:
    """Offers for which no other one is at least as large and at most as dear per processor and per GiB."""
    if not offers:
        return []
    size = np.array([(each.vcpus, each.memory_gib, each.accelerator_count, each.gpu_memory_gib) for each in offers])
    usd = np.array([each.on_demand.amount for each in offers])
    return [offers[i] for i in undominated(np.column_stack([size, -usd / size[:, 0], -usd / size[:, 1]]))]


def undominated(merit: Floats) -> list[int]:
    """Rows that no other row equals or passes in every column; of equal rows the first."""
    as_good = np.logical_and.reduce([column[:, None] >= column[None, :] for column in merit.T])
    first = np.arange(len(merit))[:, None] < np.arange(len(merit))[None, :]
    beaten = (as_good & (~as_good.T | first)).any(axis=0)
    return [int(i) for i in np.flatnonzero(~beaten)]


def _amount(fit: Fit, way: str) -> float:
    price = fit.offer.spot if way == "spot" else fit.offer.on_demand
    return math.inf if price is None else price.amount
