"""Dedicated: machines that serve this workload alone, as many as its replicas need at each moment."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from domain.plan import Reason
from domain.prices import HOURS_PER_MONTH, InstanceOffer
from domain.workload import PurchaseMix, ServingMode
from optimizer import purchase
from optimizer.demand import Demand, Spread
from optimizer.machines import Fit
from optimizer.modes.market import Decided, Infeasible, Market, PriceUsed, Quote, priced_at, short_of, too_late
from optimizer.purchase import Bought, Terms

MODE = ServingMode.DEDICATED


def price(market: Market, demand: Demand, decided: Decided | None, /) -> Quote | Infeasible:
    """The cheapest machine type and purchase, or what `decided` ones would cost for this demand.

    A machine holds as many replicas as fit beside each other; machines are whole, so a cost per hour
    is the price times ceil(replicas / replicas per machine), averaged over time.
    """
    fits = market.machines.shortlist
    if decided is not None:
        fits = tuple(fit for name, fit in market.machines.by_name.items() if name == decided.offer)
    if not fits:
        return Infeasible(mode=MODE, reason=_nothing_fits(market, decided))
    late = too_late(market, demand, demand.late_scaled, "come before the replicas that scaling asks for are ready")
    if late is not None and decided is None:
        return Infeasible(mode=MODE, reason=late)
    bills = [Bill.of(market, demand, fit, decided) for fit in fits]
    return _quote(market, demand, min(bills, key=lambda bill: (bill.usd_per_month, bill.fit.offer.instance_type)))


class Bill(NamedTuple):
    """One machine type: the machines over time, how they are bought and why so, and what that comes to."""

    fit: Fit
    machines: Spread
    terms: Terms
    why: tuple[Reason, ...]
    held: Bought

    @classmethod
    def of(cls, market: Market, demand: Demand, fit: Fit, decided: Decided | None) -> Bill:
        machines = demand.replicas.in_units_of(fit.replicas)
        terms, why = _terms(market, machines, demand, fit) if decided is None else (decided.terms, ())
        return cls(fit, machines, terms, why, purchase.bought(machines, fit.offer, terms))

    @property
    def usd_per_month(self) -> float:
        return self.held.usd_per_hour * HOURS_PER_MONTH


def _quote(market: Market, demand: Demand, bill: Bill) -> Quote:
    held, machines, replicas = bill.held, bill.machines.mean, demand.replicas.mean
    each = replicas / machines if machines else 0.0
    return Quote(
        mode=MODE,
        offer=bill.fit.offer.instance_type,
        usd_per_month=bill.usd_per_month,
        mean_replicas=replicas,
        purchase=PurchaseMix(reserved=held.reserved * each, on_demand=held.on_demand * each, spot=held.spot * each),
        terms=bill.terms,
        late_at_most=demand.late_scaled.at_most,
        spot_missed=held.missed / machines if machines else 0.0,
        short_of=short_of(market, demand, market.sizing.max_replicas),
        reasons=bill.why,
        prices=prices_used(bill.fit.offer, held, bill.terms),
    )


def _terms(market: Market, machines: Spread, demand: Demand, fit: Fit) -> tuple[Terms, tuple[Reason, ...]]:
    return purchase.decide(
        machines,
        demand.base.in_units_of(fit.replicas),
        fit.offer,
        commitments=market.book.commitments,
        risk=market.risk,
        options=market.options.purchase,
        proof=market.spot.get(fit.offer.instance_type),
    )


def prices_used(offer: InstanceOffer, held: Bought, terms: Terms) -> tuple[PriceUsed, ...]:
    """Every figure of the price book that went into a bill."""
    used = [priced_at(f"{offer.instance_type} on demand", offer.on_demand, "machine-hour")]
    if held.spot > 0 and offer.spot is not None:
        moves = "spot prices move; the upper end of the cost counts these machines at on-demand"
        used.append(priced_at(f"{offer.instance_type} spot", offer.spot, "machine-hour", moves))
    if held.reserved > 0 and terms.commitment is not None:
        promised = terms.commitment
        discounted = replace(
            offer.on_demand,
            amount=offer.on_demand.amount * (1.0 - promised.discount),
            source=promised.source,
            as_of=promised.as_of,
            evidence=promised.evidence,
        )
        said = f"{promised.discount:.0%} off on-demand"
        used.append(priced_at(f"{offer.instance_type} {promised.name}", discounted, "machine-hour", said))
    return tuple(used)


def _nothing_fits(market: Market, decided: Decided | None) -> str:
    need, workload = market.workload.resources, market.workload
    if decided is not None:
        return f"{decided.offer} is not in the price book of {workload.cloud} {workload.region}, or does not fit"
    wanted = f"{need.cpu_cores:g} cores, {need.memory_gib:g} GiB, {need.architecture}"
    if need.accelerator:
        wanted += f", {max(1, need.accelerator_count)} x {need.accelerator} for a model of {need.model_gib:g} GiB"
    return f"no machine type of {workload.cloud} {workload.region} in the price book holds a replica ({wanted})"
