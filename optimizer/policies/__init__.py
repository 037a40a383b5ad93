"""Ways of choosing a serving mode, by the name that settings use."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from optimizer.demand import Demand
from optimizer.modes import Infeasible, Market, Quote
from optimizer.policies.least_cost import Answers, least_cost, serving_alone
from optimizer.policies.rule_of_thumb import rule_of_thumb

Policy = Callable[[Market, Demand, Answers | None], Quote | Infeasible]

POLICIES: Mapping[str, Policy] = {
    "least_cost": least_cost,
    "rule_of_thumb": rule_of_thumb,
}

__all__ = ["POLICIES", "Answers", "Policy", "least_cost", "rule_of_thumb", "serving_alone"]
