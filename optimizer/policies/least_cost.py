"""The default: of the modes that hold the SLO, the one that costs least."""

from __future__ import annotations

from optimizer.demand import Demand
from optimizer.modes import Infeasible, Market, Quote, cheapest, quotes


def least_cost(market: Market, demand: Demand, /) -> Quote | Infeasible:
    """The cheapest quote; where no mode can serve the demand, every mode's reason in one sentence."""
    answers = quotes(market, demand)
    best = cheapest(answers)
    if isinstance(best, Quote):
        return best
    why = "; ".join(f"{answer.mode}: {answer.reason}" for answer in answers.values() if isinstance(answer, Infeasible))
    return Infeasible(mode=best.mode, reason=why)
