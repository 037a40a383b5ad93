"""Shared: a share of a host that other models use too, sized for this workload's own peak.

The share does not follow the load within a day (`optimizer.shares`), so sharing suits what is small and steady. Which
workloads live together is decided for a fleet (`optimizer.fleet`). Priced here for one workload alone, a host is
taken to be filled by others: an estimate, on which nothing is moved, and the bill of what is shared today.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from domain.plan import Reason
from domain.prices import HOURS_PER_MONTH, InstanceOffer
from domain.workload import PurchaseMix, ServingMode
from optimizer import purchase
from optimizer.demand import Demand, Spread
from optimizer.modes.dedicated import prices_used
from optimizer.modes.market import Decided, Infeasible, Market, Quote, short_of, too_late
from optimizer.purchase import Terms
from optimizer.sharing.hosts import largest_share, needed, room_of

MODE = ServingMode.SHARED


def price(market: Market, demand: Demand, decided: Decided | None, /) -> Quote | Infeasible:
    """The cheapest host's share, or what the share of the `decided` host would cost for this demand."""
    late = too_late(market, demand, demand.late_on_share, "come over a share drawn from the days before")
    if late is not None and decided is None:
        return Infeasible(mode=MODE, reason=late)
    hosts = market.machines.hosts
    if decided is not None:
        hosts = tuple(fit.offer for name, fit in market.machines.by_name.items() if name == decided.offer)
    shares = [(_shares_over_time(market, demand, host), host) for host in hosts]
    largest = market.options.sharing.largest_share
    fits = [(share, host) for share, host in shares if share.values.max() <= largest or decided is not None]
    if not fits:
        return Infeasible(mode=MODE, reason=too_large(market, [float(share.values.max()) for share, _ in shares]))
    share, host = min(fits, key=lambda pair: (pair[0].mean * pair[1].on_demand.amount, pair[1].key))
    return _quote(market, demand, host, share.mean, decided)


def _shares_over_time(market: Market, demand: Demand, host: InstanceOffer) -> Spread:
    """The share of the host at each level that it is drawn to: the peak, or those of day after day."""
    levels = demand.drawn_rps or Spread.of(np.array([demand.peak_rps]))
    shares = [share_of(market, replace(demand, peak_rps=float(level)), host) for level in levels.values]
    return replace(levels, values=np.array(shares))


def share_of(market: Market, demand: Demand, host: InstanceOffer) -> float:
    """The largest of its shares of processors, memory and accelerators at the peak, of what a full host may use."""
    busy = demand.peak_rps / market.sizing.capacity_rps
    need = needed(market.workload.resources, busy, float(copies_of(market, demand)))
    return largest_share(need, room_of(host, market.options.machines, market.options.sharing))


def copies_of(market: Market, demand: Demand) -> int:
    """Whole replicas at the peak."""
    at_peak = math.ceil(demand.peak_rps / market.sizing.capacity_rps - 1e-9)
    copies = max(1, market.sizing.min_replicas, at_peak)
    return copies if market.sizing.max_replicas is None else min(copies, market.sizing.max_replicas)


def _quote(market: Market, demand: Demand, host: InstanceOffer, share: float, decided: Decided | None) -> Quote:
    units = Spread.of(np.array([share]))
    terms, why = _terms(market, units, host, decided)
    held = purchase.bought(units, host, terms)
    copies = copies_of(market, demand)
    each = copies / share
    said = f"{share:.0%} of a {host.instance_type}, drawn up for its peaks, if others fill it to {market.options.sharing.host_fill:.0%}"
    return Quote(
        mode=MODE,
        offer=host.instance_type,
        usd_per_month=held.usd_per_hour * HOURS_PER_MONTH,
        mean_replicas=float(copies),
        purchase=PurchaseMix(reserved=held.reserved * each, on_demand=held.on_demand * each, spot=held.spot * each),
        terms=terms,
        late_at_most=demand.late_on_share.at_most,
        short_of=short_of(market, demand, market.sizing.max_replicas),
        reasons=(Reason(code="share_of_host", detail=said), *why),
        prices=prices_used(host, held, terms),
    )


def _terms(
    market: Market, units: Spread, host: InstanceOffer, decided: Decided | None
) -> tuple[Terms, tuple[Reason, ...]]:
    if decided is not None:
        return decided.terms, ()
    commitments, options = market.book.commitments, market.options.purchase
    return purchase.decide(units, units, host, commitments=commitments, risk=market.risk, options=options)


def too_large(market: Market, shares: list[float]) -> str:
    """Why no host takes it, from its share of each that was looked at."""
    if not shares:
        return "no host in the price book holds a replica"
    limit = market.options.sharing.largest_share
    return f"it needs {min(shares):.0%} of the largest host at its peak, more than the {limit:.0%} that may be shared"
