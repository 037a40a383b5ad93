"""A day's cost of a workload as charges: which machines, bought how, how many hours of them at which price.

The cost is that of the report; hours follow from it and the prices of the book, so that charges add up to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dashboards.report.charges import Bought, Charge, LeftOut, Unit
from dashboards.report.model import WorkloadRow
from domain.plan import Configuration
from domain.prices import InstanceOffer, PriceBook
from domain.unknown import Unknown
from domain.workload import ServingMode, Workload
from optimizer.cost import shallowest

MODEL_LABELS = ("model", "model_name")
HOURS_A_DAY = 24.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A part of the day's cost that was paid one way."""

    purchase: Bought
    quantity: float
    unit: Unit
    price: float
    on_demand: float
    commitment: str | None = None
    offer: InstanceOffer | None = None


def model_of(workload: Workload) -> str | None:
    """The model that it serves, as its labels name it."""
    return next((workload.labels[name] for name in MODEL_LABELS if name in workload.labels), None)


def charged(
    rows: Iterable[WorkloadRow],
    currents: Mapping[str, Configuration | Unknown],
    workloads: Mapping[str, Workload],
    book: PriceBook,
    covered: Mapping[str, float | Unknown],
) -> tuple[tuple[Charge, ...], tuple[LeftOut, ...]]:
    """The charges of all workloads, and those that have none: of a day that was not `covered` at all nothing is billed."""
    charges, left_out = list[Charge](), list[LeftOut]()
    for row in rows:
        name = row.workload
        if name not in covered:
            left_out.append(LeftOut(workload=name, reason="no cycle looked at it on that day"))
            continue
        made = charges_of(row, currents[name], workloads.get(name), book, covered[name])
        if isinstance(made, LeftOut):
            left_out.append(made)
        else:
            charges.extend(made)
    return tuple(charges), tuple(left_out)


def charges_of(
    row: WorkloadRow,
    current: Configuration | Unknown,
    workload: Workload | None,
    book: PriceBook,
    covered: float | Unknown,
) -> Sequence[Charge] | LeftOut:
    """The charges of one workload's day; LeftOut where what it cost, or what it ran on, is not known."""
    if workload is None:
        return LeftOut(workload=row.workload, reason="the workload is gone: what it ran on is not known")
    if isinstance(row.cost, Unknown):
        return LeftOut(workload=row.workload, reason=row.cost.reason)
    if isinstance(current, Unknown):
        return LeftOut(workload=row.workload, reason=current.reason)
    serverless = current.mode is ServingMode.SERVERLESS
    ways = [_used(row, row.cost)] if serverless else _bought(current, row.cost, workload, book)
    if isinstance(ways, Unknown):
        return LeftOut(workload=row.workload, reason=ways.reason)
    return [_charge(way, row, current, workload, covered) for way in ways]


def _used(row: WorkloadRow, usd: float) -> Way:
    """What a serverless service billed, over the requests; over the hours of the day where those are not known."""
    if isinstance(row.requests, Unknown) or row.requests <= 0:
        return _at("serverless", HOURS_A_DAY, "Hours", usd)
    return _at("serverless", row.requests / 1000.0, "1000 Requests", usd)


def _at(purchase: Bought, quantity: float, unit: Unit, usd: float) -> Way:
    price = usd / quantity
    return Way(purchase=purchase, quantity=quantity, unit=unit, price=price, on_demand=price)


def _bought(current: Configuration, usd: float, workload: Workload, book: PriceBook) -> list[Way] | Unknown:
    """Hours of machines in each way of buying, in proportion to what each costs."""
    key = (workload.cloud, workload.region, current.offer)
    offer = next((each for each in book.offers if each.key == key), None)
    if offer is None:
        return Unknown(f"{current.offer} is not in the price book of {workload.cloud} {workload.region}")
    held, prices = current.purchase, _prices(offer, book)
    weights: dict[Bought, float] = {"on_demand": held.on_demand, "spot": held.spot, "reserved": held.reserved}
    if held.replicas <= 0:  # nothing runs just now, but the day was paid
        weights["on_demand"] = 1.0
    spent = sum(weights[way] * price for way, (price, _) in prices.items())
    return [
        Way(
            purchase=way,
            quantity=usd * weights[way] / spent,
            unit="Hours",
            price=price,
            on_demand=offer.on_demand.amount,
            commitment=commitment,
            offer=offer,
        )
        for way, (price, commitment) in prices.items()
        if weights[way] > 0
    ]


def _prices(offer: InstanceOffer, book: PriceBook) -> dict[Bought, tuple[float, str | None]]:
    """USD per machine-hour in each way of buying, as the bill of what runs counts them, and the commitment's name."""
    paid = offer.on_demand.amount
    promised = shallowest(book.commitments, offer.cloud)
    reserved = (paid, "unnamed") if promised is None else (paid * (1.0 - promised.discount), promised.name)
    return {
        "on_demand": (paid, None),
        "spot": (offer.spot.amount if offer.spot else paid, None),
        "reserved": reserved,
    }


def _charge(way: Way, row: WorkloadRow, current: Configuration, workload: Workload, covered: float | Unknown) -> Charge:
    return Charge(
        workload=row.workload,
        team=workload.team,
        model=model_of(workload),
        target=workload.target,
        mode=current.mode,
        purchase=way.purchase,
        cloud=workload.cloud,
        region=workload.region,
        sku=current.offer,
        quantity=way.quantity,
        unit=way.unit,
        unit_price=way.price,
        on_demand_price=way.on_demand,
        idle_share=row.idle_share,
        covered=covered,
        commitment=way.commitment,
        details={} if way.offer is None else _details(way.offer),
    )


def _details(offer: InstanceOffer) -> dict[str, float | str]:
    """What the machine is, under FOCUS' names where it has one."""
    details: dict[str, float | str] = {
        "CoreCount": offer.vcpus,
        "InstanceType": offer.instance_type,
        "MemorySize": offer.memory_gib,
    }
    if offer.accelerator is not None:
        details |= {"GpuCount": offer.accelerator_count, "x_Accelerator": offer.accelerator}
    return details
