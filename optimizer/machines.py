"""Which machine types fit a replica, and how many replicas one of them holds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from domain.prices import InstanceOffer, PriceBook
from domain.workload import Resources, Workload

MOST_PER_MACHINE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineOptions:
    """`allocatable` is the share of a machine's processors and memory that is left to replicas."""

    allocatable: float = 0.9
    burstable: bool = False


@dataclass(frozen=True, slots=True)
class Fit:
    """One machine type and the replicas that one of it holds."""

    offer: InstanceOffer
    replicas: int


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
    if offer.architecture != need.architecture or (offer.burstable and not options.burstable):
        return 0
    by_host = min(offer.vcpus / need.cpu_cores, offer.memory_gib / need.memory_gib) * options.allocatable
    if need.accelerator is None:
        # a machine with an accelerator is not bought for its processors
        return 0 if offer.accelerator else min(math.floor(by_host + 1e-9), MOST_PER_MACHINE)
    if (offer.accelerator or "").casefold() != need.accelerator.casefold():
        return 0
    each = max(1, need.accelerator_count)
    if need.model_gib > each * offer.gpu_memory_gib:
        return 0
    return min(math.floor(by_host + 1e-9), offer.accelerator_count // each, MOST_PER_MACHINE)


def shortlist(fits: Sequence[Fit]) -> list[Fit]:
    """Of the types that hold equally many replicas only the cheapest on demand, and the cheapest on spot.

    Spot prices without a published, bounded interruption rate are not looked at.
    """
    best: dict[tuple[int, str], Fit] = {}
    for fit in fits:
        prices = {"on_demand": fit.offer.on_demand.amount}
        interrupted = fit.offer.interruption_per_month
        if fit.offer.spot is not None and interrupted is not None and interrupted < 1.0:
            prices["spot"] = fit.offer.spot.amount
        for way, amount in prices.items():
            known = best.get((fit.replicas, way))
            if known is None or amount < _amount(known, way):
                best[fit.replicas, way] = fit
    return sorted({fit.offer.key: fit for fit in best.values()}.values(), key=lambda fit: (fit.replicas, fit.offer.key))


def _amount(fit: Fit, way: str) -> float:
    price = fit.offer.spot if way == "spot" else fit.offer.on_demand
    return math.inf if price is None else price.amount
