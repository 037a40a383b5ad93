"""The serving modes, each priced from the same demand at the same SLO, or the reason it cannot hold it."""

from __future__ import annotations

from collections.abc import Mapping

from domain.workload import ServingMode
from optimizer.demand import Demand
from optimizer.modes import dedicated, serverless, shared
from optimizer.modes.market import Decided, Infeasible, Market, ModePricing, ModesOptions, PriceUsed, Quote

MODES: Mapping[ServingMode, ModePricing] = {
    ServingMode.SERVERLESS: serverless.price,
    ServingMode.DEDICATED: dedicated.price,
    ServingMode.SHARED: shared.price,
}


def quotes(market: Market, demand: Demand) -> dict[ServingMode, Quote | Infeasible]:
    """Every mode's price for this demand; one that the workload does not allow says so."""
    return {mode: quote(market, demand, mode) for mode in MODES}


def quote(market: Market, demand: Demand, mode: ServingMode) -> Quote | Infeasible:
    """One mode's price for this demand."""
    if mode not in market.workload.modes:
        return Infeasible(mode=mode, reason=f"{mode} is not among the modes that settings allow")
    return MODES[mode](market, demand, None)


def at_least(market: Market, demand: Demand, mode: ServingMode) -> float:
    """USD a month that no quote of this mode is under, known without pricing it; 0 where nothing is."""
    return serverless.at_least(market, demand) if mode is ServingMode.SERVERLESS else 0.0


def repriced(market: Market, chosen: Quote, demand: Demand) -> Quote | Infeasible:
    """What the very decision of `chosen` costs for other demand."""
    return MODES[chosen.mode](market, demand, Decided(chosen.offer, chosen.terms, chosen.warm))


def cheapest(answers: Mapping[ServingMode, Quote | Infeasible]) -> Quote | Infeasible:
    """The cheapest that holds the SLO, else of those whose bounds are too tight; the first refusal where none is left."""
    found = [answer for answer in answers.values() if isinstance(answer, Quote)]
    if found:
        return min(found, key=lambda each: (each.short_of is not None, each.usd_per_month, each.mode))
    return next(answer for answer in answers.values() if isinstance(answer, Infeasible))


__all__ = [
    "MODES",
    "Decided",
    "Infeasible",
    "Market",
    "ModePricing",
    "ModesOptions",
    "PriceUsed",
    "Quote",
    "at_least",
    "cheapest",
    "quote",
    "quotes",
    "repriced",
]
