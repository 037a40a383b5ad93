"""What today's configuration costs, and what a plan saves against it at measured load.

A saving is the cost of today's configuration less the cost of the plan, both for the load measured
over the same stretch of history; it is never above the bill. What today's configuration is and costs
has to be known; otherwise the saving is Unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from domain.load import Floats, LoadHistory
from domain.observation import RunningState
from domain.plan import Configuration, Plan, Saving
from domain.prices import Commitment
from domain.unknown import Unknown
from domain.workload import ServingMode
from optimizer.demand import Demand, Spread, measured
from optimizer.modes import MODES, Decided, Infeasible, Market, Quote
from optimizer.modes.serverless import billed
from optimizer.purchase import NO_SPOT, Terms


def today(
    market: Market, running: RunningState | Unknown, recorded: Floats, arrivals: LoadHistory
) -> Configuration | Unknown:
    """Today's configuration with its bill for the measured `arrivals` (requests/s; gaps are not billed).

    `recorded` are the ready replicas over that stretch (NaN where unknown); where none is known the
    number that runs now counts for all of it.
    """
    if isinstance(running, Unknown):
        return Unknown(f"what runs today is not known: {running.reason}")
    known = recorded[np.isfinite(recorded)]
    held = Spread.of(known) if len(known) else Spread.of(np.array([float(running.replicas)]))
    demand = measured(arrivals, np.zeros(len(arrivals), dtype=np.int64))
    usd = _bill(market, running, replace(demand, replicas=held, base=held))
    if isinstance(usd, Unknown):
        return usd
    return Configuration(
        replicas=running.replicas,
        mean_replicas=held.mean,
        mode=running.mode,
        purchase=running.purchase,
        offer=running.offer,
        usd_per_month=usd,
        replicas_per_machine=market.machines.replicas_on(running.mode, running.offer),
    )


def _bill(market: Market, running: RunningState, demand: Demand) -> float | Unknown:
    """USD a month; what cannot hold the SLO is billed all the same."""
    if running.mode is ServingMode.SERVERLESS:
        return billed(market, demand, running.offer)
    answer = MODES[running.mode](market, demand, Decided(running.offer, Terms()))
    if isinstance(answer, Infeasible):
        return Unknown(f"today's configuration cannot be priced: {answer.reason}")
    return answer.usd_per_month * purchase_factor(market, running)


def purchase_factor(market: Market, running: RunningState, *, spot_at_on_demand: bool = False) -> float:
    """Price of today's purchase mix against all on demand; reserved counts at the shallowest discount known."""
    mix = running.purchase
    if running.mode is ServingMode.SERVERLESS or mix.replicas <= 0:
        return 1.0
    offer = market.machines.by_name[running.offer].offer
    spot = offer.spot.amount / offer.on_demand.amount if offer.spot and not spot_at_on_demand else 1.0
    promised = shallowest(market.book.commitments, offer.cloud)
    reserved = 1.0 if promised is None else 1.0 - promised.discount
    return (mix.on_demand + mix.reserved * reserved + mix.spot * spot) / mix.replicas


def shallowest(commitments: Iterable[Commitment], cloud: str) -> Commitment | None:
    """What a reserved machine is taken to be promised under, since nobody says: the least discount, None where none is known."""
    return min((each for each in commitments if each.cloud == cloud), key=lambda each: each.discount, default=None)


def saving(current: Configuration | Unknown, plan: Plan) -> Saving | Unknown:
    """Dollars a month; negative where the plan is dearer, which holding the SLO can ask for."""
    if isinstance(current, Unknown):
        return current
    bill = current.usd_per_month
    return Saving(
        usd_per_month=min(bill, bill - plan.proposed.usd_per_month),
        low=min(bill, bill - plan.usd_per_month_high),
        high=min(bill, bill - plan.usd_per_month_low),
    )


def missed_today(load_rps: Floats, recorded: Floats, capacity_rps: float) -> float | Unknown:
    """Share of requests over the capacity of the replicas that were ready, where both are known."""
    known = np.isfinite(load_rps) & np.isfinite(recorded)
    total = float(load_rps[known].sum())
    if total <= 0:
        return Unknown("no step has both load and ready replicas")
    return float(np.maximum(0.0, load_rps[known] - recorded[known] * capacity_rps).sum()) / total


def without_spot(market: Market, quote: Quote, demand: Demand) -> float:
    """USD a month of the same decision with every spot machine at the on-demand price."""
    firm = replace(quote, terms=replace(quote.terms, spot=NO_SPOT))
    answer = MODES[quote.mode](market, demand, Decided(firm.offer, firm.terms, firm.warm))
    return answer.usd_per_month if isinstance(answer, Quote) else quote.usd_per_month
