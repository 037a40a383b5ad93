"""From charges to rows: what each workload used, what stood idle, and the commitments that reserved hours rest on."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from dashboards.report.charges import Charge
from dashboards.report.focus.amounts import Amount, added, decimal, product, written
from dashboards.report.focus.clouds import provider, region_name, service
from domain.unknown import Unknown
from domain.workload import ServingMode

Row = dict[str, str]
IDLE = "__idle__"
WAYS = {"on_demand": "on demand", "spot": "spot", "reserved": "reserved", "serverless": "serverless"}
PRICING = {"on_demand": "Standard", "spot": "Dynamic", "reserved": "Committed", "serverless": "Standard"}
NodeGroup = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What all rows of a file share: the day, the currency and the account that is billed."""

    day: date
    currency: str
    account: str | None


def rows(charges: Sequence[Charge], scene: Scene) -> list[Row]:
    """The workloads' rows by name, then one of idle capacity for each node group, then the purchases of commitments."""
    used = [usage(charge, used_of(charge), idle_of(charge), scene) for charge in ordered(charges)]
    return [*used, *idle_rows(charges, scene), *purchases(charges, scene)]


def ordered(charges: Iterable[Charge]) -> list[Charge]:
    """By workload, machine type and way of buying."""
    return sorted(charges, key=lambda charge: (charge.workload, charge.sku, charge.purchase))


def used_of(charge: Charge) -> Decimal:
    """The quantity that did work; all of it where the idle part is not known."""
    return added(decimal(charge.quantity), -idle_of(charge))


def idle_of(charge: Charge) -> Decimal:
    """The quantity that was paid and did no work, 0 where that is not known (the row then says so)."""
    if isinstance(charge.idle_share, Unknown) or charge.purchase == "serverless":
        return Decimal(0)
    return decimal(charge.quantity * min(1.0, max(0.0, charge.idle_share)))


def usage(charge: Charge, quantity: Decimal, idle: Decimal, scene: Scene) -> Row:
    """What one workload used of one machine type, bought one way."""
    row = frame(charge, scene) | costs(charge, quantity) | whose(charge)
    known = charge.purchase != "serverless" and not isinstance(charge.idle_share, Unknown)
    row["ChargeDescription"] = f"{charge.workload} {charge.mode} {WAYS[charge.purchase]} {charge.sku}"
    row["x_IdleCost"] = written(product(idle, decimal(charge.unit_price))) if known else ""
    row["x_CoveredShare"] = "" if isinstance(charge.covered, Unknown) else written(decimal(charge.covered))
    if charge.mode is ServingMode.SHARED:
        row["x_SplitMethod"] = "share of the host at the workload's peak"
        row["x_SplitShare"] = written(decimal(charge.quantity / 24.0))
    return row


def idle_rows(charges: Sequence[Charge], scene: Scene) -> Iterator[Row]:
    """One row for each node group (machines of one type in one region, bought one way) that stood partly idle."""
    groups: dict[NodeGroup, list[Charge]] = defaultdict(list)
    for charge in charges:
        if idle_of(charge) > 0:
            groups[charge.cloud, charge.region, charge.sku, charge.purchase].append(charge)
    for (cloud, region, sku, way), members in sorted(groups.items()):
        row = frame(members[0], scene) | costs(members[0], added(*map(idle_of, members)))
        row |= {
            "ChargeDescription": f"idle part of {sku} {WAYS[way]}",
            "ResourceId": f"{IDLE}/{cloud}/{region}/{sku}/{way}",
            "ResourceName": IDLE,
            "ResourceType": "Idle capacity of a node group",
            "Tags": as_json({"purchase": way}),
            "x_Workload": IDLE,
        }
        yield row


def purchases(charges: Sequence[Charge], scene: Scene) -> Iterator[Row]:
    """What was paid for commitments: all that was effectively used of them, billed once."""
    groups: dict[NodeGroup, list[Charge]] = defaultdict(list)
    for charge in charges:
        if charge.commitment is not None:
            groups[charge.cloud, charge.region, charge.sku, charge.commitment].append(charge)
    for (_, _, sku, name), members in sorted(groups.items()):
        one = members[0]
        billed = Amount(added(*(decimal(each.quantity) for each in members)), decimal(one.unit_price))
        row = frame(one, scene) | costs(one, billed.quantity)
        row |= {
            "BilledCost": written(billed.cost),
            "EffectiveCost": "0",
            "PricingCurrencyEffectiveCost": "0",
            "ListUnitPrice": written(billed.price),
            "PricingCurrencyListUnitPrice": written(billed.price),
            "ContractedUnitPrice": written(billed.price),
            "PricingCurrencyContractedUnitPrice": written(billed.price),
            "ListCost": written(billed.cost),
            "ContractedCost": written(billed.cost),
            "ChargeCategory": "Purchase",
            "ChargeFrequency": "Recurring",
            "ChargeDescription": f"commitment {name} of {sku}",
            "CommitmentDiscountStatus": "",
            "ConsumedQuantity": "",
            "ConsumedUnit": "",
            "PricingCategory": "Standard",
            "ResourceId": commitment_id(one),
            "ResourceName": name,
            "ResourceType": "Commitment",
            "Tags": as_json({"purchase": "reserved"}),
            "x_OnDemandEquivalentCost": "",
        }
        yield row


def frame(charge: Charge, scene: Scene) -> Row:
    """When, where, of whom and of what a charge is."""
    first = scene.day.replace(day=1)
    serverless = charge.purchase == "serverless"
    return {
        "BillingAccountId": scene.account or f"{charge.cloud}-estimate",
        "BillingAccountName": scene.account or f"estimate of {provider(charge.cloud)}",
        "BillingAccountType": "Cloud account" if scene.account else "Estimate",
        "BillingCurrency": scene.currency,
        "BillingPeriodStart": midnight(first),
        "BillingPeriodEnd": midnight((first + timedelta(days=31)).replace(day=1)),
        "ChargeCategory": "Usage",
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodStart": midnight(scene.day),
        "ChargePeriodEnd": midnight(scene.day + timedelta(days=1)),
        "InvoiceIssuerName": provider(charge.cloud),
        "ProviderName": provider(charge.cloud),
        "PublisherName": provider(charge.cloud),
        "PricingCategory": PRICING[charge.purchase],
        "PricingCurrency": scene.currency,
        "RegionId": charge.region,
        "RegionName": region_name(charge.region),
        "ServiceCategory": "Compute",
        "ServiceSubcategory": "Serverless Compute" if serverless else "Virtual Machines",
        "ServiceName": service(charge.cloud, charge.sku, serverless=serverless),
        "SkuId": charge.sku,
        "SkuMeter": "Requests" if charge.unit == "1000 Requests" else "Instance hours",
        "SkuPriceId": f"{charge.sku}-{charge.purchase}" + (f"-{charge.commitment}" if charge.commitment else ""),
        "SkuPriceDetails": as_json(charge.details) if charge.details else "",
        "x_CostBasis": "estimated",
        "x_PurchaseOption": charge.purchase,
    }


def costs(charge: Charge, quantity: Decimal) -> Row:
    """Quantities and amounts. Spot by the strict reading: list and contract are the spot price too.

    What a commitment covers has the on-demand price as its list price, and is billed in the commitment's purchase.
    """
    paid = Amount(quantity, decimal(charge.unit_price))
    reserved = charge.purchase == "reserved"
    listed = Amount(quantity, decimal(charge.on_demand_price)) if reserved else paid
    on_demand = Amount(quantity, decimal(charge.on_demand_price))
    price, cost = written(listed.price), written(listed.cost)
    row = {
        "BilledCost": "0" if reserved else written(paid.cost),
        "EffectiveCost": written(paid.cost),
        "ListCost": cost,
        "ContractedCost": cost,
        "ListUnitPrice": price,
        "ContractedUnitPrice": price,
        "PricingCurrencyListUnitPrice": price,
        "PricingCurrencyContractedUnitPrice": price,
        "PricingCurrencyEffectiveCost": written(paid.cost),
        "PricingQuantity": written(quantity),
        "PricingUnit": charge.unit,
        "ConsumedQuantity": written(quantity),
        "ConsumedUnit": charge.unit,
        "x_OnDemandEquivalentCost": "" if charge.purchase == "serverless" else written(on_demand.cost),
    }
    if charge.commitment is not None:
        row |= {
            "CommitmentDiscountCategory": "Usage",
            "CommitmentDiscountId": commitment_id(charge),
            "CommitmentDiscountName": charge.commitment,
            "CommitmentDiscountQuantity": written(quantity),
            "CommitmentDiscountStatus": "Used",
            "CommitmentDiscountType": "Reserved capacity",
            "CommitmentDiscountUnit": charge.unit,
        }
    return row


def commitment_id(charge: Charge) -> str:
    """One commitment a cloud, region, machine type and term."""
    return f"{charge.cloud}/{charge.region}/{charge.sku}/{charge.commitment}"


def whose(charge: Charge) -> Row:
    """The workload, as resource, sub-account (its namespace) and tags."""
    target = charge.target
    place = {"ResourceId": charge.workload, "ResourceType": "Model workload"}
    if target is not None:
        place = {
            "ResourceId": f"{target.namespace}/{target.kind}/{target.name}",
            "ResourceType": f"Kubernetes {target.kind}",
            "SubAccountId": target.namespace,
            "SubAccountName": target.namespace,
            "SubAccountType": "Namespace",
        }
    tags = {"mode": str(charge.mode), "model": charge.model, "purchase": charge.purchase, "team": charge.team}
    return place | {
        "ResourceName": charge.workload,
        "Tags": as_json({name: value for name, value in tags.items() if value is not None}),
        "x_ServingMode": str(charge.mode),
        "x_Team": charge.team or "",
        "x_Workload": charge.workload,
    }


def as_json(values: Mapping[str, object]) -> str:
    """A flat object, keys sorted."""
    return json.dumps(dict(values), sort_keys=True, ensure_ascii=False)


def midnight(day: date) -> str:
    """The beginning of a day of UTC."""
    return f"{day.isoformat()}T00:00:00Z"
