"""What a user may set about the rules; every default has its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorOptions:
    """How the objects of the Prometheus operator are to be found: its `ruleSelector` looks at labels and namespaces."""

    namespace: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleOptions:
    """Bounds and waits of the recording rules and alerts.

    `min_requests` is the traffic floor: with fewer requests in a window no ratio or percentile of it
    is believed. `runbook_base_url` is where docs/runbooks is published; as it stands, a path in the
    repository. With `operator` every rule file is also written as a PrometheusRule object.
    """

    runbook_base_url: str = "docs/runbooks"
    interval: timedelta = timedelta(seconds=30)
    slow_interval: timedelta = timedelta(minutes=2)  # under Prometheus' five-minute look-back, so nothing goes stale
    min_requests: int = 20
    error_ratio: float = 0.05
    min_accuracy: float = 0.85
    max_drift: float = 0.25  # population stability index; by custom a shift (Siddiqi, Credit Risk Scorecards, 2006)
    min_labelled_pairs: int = 100
    input_age: timedelta = timedelta(minutes=15)
    plan_quantile: str = "plan"  # value of the label `quantile` for the quantile that the plan holds
    lead_horizon: str = "lead"  # value of the label `horizon` for the time that a new replica needs
    expiring: timedelta = timedelta(minutes=30)  # before its end, a recommendation that was not renewed
    budgets: bool = False  # whether any workload or team has a budget, and so the metrics of one
    budget_ahead: float = 1.1  # spent, against what of the budget the elapsed part of the month allows
    cost_factor: float = 1.2
    cost_floor_usd_per_hour: float = 0.1
    firing_tail: timedelta = timedelta(minutes=5)
    operator: OperatorOptions | None = None
    # Episodes a week of one series that an alert of a severity may have before it counts as noise.
    most_a_week: Mapping[str, float] = field(default_factory=lambda: {"critical": 1.0, "warning": 3.0})


DEFAULTS = RuleOptions()
