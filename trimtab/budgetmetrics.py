"""Metrics of budgets: what may be spent in a month and what was, with the labels of whose budget it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from domain.unknown import Unknown
from trimtab.objectives import Objectives

BUDGET = "trimtab_budget_usd_per_month"
SPEND = "trimtab_spend_month_to_date_usd"


class BudgetCollector(Collector):
    """The budgets at the moment of the scrape; a spend of which nothing is known is absent and never 0."""

    def __init__(self, objectives: Objectives, clock: Callable[[], datetime]) -> None:
        self._objectives = objectives
        self._clock = clock

    def describe(self) -> Iterable[Metric]:
        """Nothing, so that registering asks nothing of the store."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The families; raises StoreError when the store fails."""
        budget = Metric(BUDGET, "USD that may be spent in a calendar month (UTC), by workload or team.", "gauge")
        spend = Metric(SPEND, "USD known to be spent since the first of the month (UTC), of who has a budget.", "gauge")
        for each in self._objectives.progress(self._clock()):
            if each.objective.budget_usd_per_month is None:
                continue
            budget.add_sample(BUDGET, each.objective.labels, each.objective.budget_usd_per_month)
            if not isinstance(each.spend, Unknown):
                spend.add_sample(SPEND, each.objective.labels, each.spend.usd)
        yield budget
        yield spend
