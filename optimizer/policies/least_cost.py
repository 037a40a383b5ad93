"""The default: of the modes that hold the SLO, the one that costs least.

What a place on a shared host costs depends on who lives there, which the fleet decides after it (`optimizer.fleet`);
shared is chosen here only where nothing else serves the workload.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from domain.workload import ServingMode
from optimizer.demand import Demand
from optimizer.modes import Infeasible, Market, Quote, at_least, cheapest, quote, quotes

Answers = Mapping[ServingMode, Quote | Infeasible]


def least_cost(market: Market, demand: Demand, known: Answers | None = None, /) -> Quote | Infeasible:
    """The cheapest quote; where no mode can serve the demand, every mode's reason in one sentence.

    `known` are the `quotes` of this market and demand, where somebody has asked for them before.
    """
    best = _cheapest_alone(market, demand) if known is None else cheapest(serving_alone(known))
    if isinstance(best, Quote):
        return best
    answers = quotes(market, demand) if known is None else known
    shared = answers[ServingMode.SHARED]
    if isinstance(shared, Quote):
        return shared
    why = "; ".join(f"{answer.mode}: {answer.reason}" for answer in answers.values() if isinstance(answer, Infeasible))
    return Infeasible(mode=best.mode, reason=why)


def _cheapest_alone(market: Market, demand: Demand) -> Quote | Infeasible:
    """`cheapest` of the modes that serve it by itself; serverless is priced only where it may be that."""
    dedicated = quote(market, demand, ServingMode.DEDICATED)
    held = isinstance(dedicated, Quote) and dedicated.short_of is None
    usd = dedicated.usd_per_month if isinstance(dedicated, Quote) and held else math.inf
    if at_least(market, demand, ServingMode.SERVERLESS) > usd:
        return dedicated
    serverless = quote(market, demand, ServingMode.SERVERLESS)
    return cheapest({ServingMode.SERVERLESS: serverless, ServingMode.DEDICATED: dedicated})


def serving_alone(answers: Answers) -> Answers:
    """The modes between which prices decide: those that serve the workload by itself, whoever else there is."""
    return {mode: answer for mode, answer in answers.items() if mode is not ServingMode.SHARED}
