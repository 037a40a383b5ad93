"""Every alert, tabled: those asked per workload and those asked once for the fleet."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from rules.alerts.anomaly import load_anomaly, spend_anomaly
from rules.alerts.burning import QUICKLY, SLOWLY, late_burn
from rules.alerts.capacity import at_maximum, forecast_over_capacity
from rules.alerts.cost import cost_above_plan, cost_over_budget, made_worse
from rules.alerts.errors import error_budget_burn_fast, error_budget_burn_slow, error_ratio_high
from rules.alerts.fleet import cycle_failing, down, expiring, input_stale
from rules.alerts.latency import FIRST_TOKENS, REQUESTS, TOKENS, latency_high
from rules.alerts.quality import accuracy_low, drift_high
from rules.alerts.telemetry import telemetry_missing
from rules.model import Alert, Subject
from rules.options import RuleOptions

PER_WORKLOAD: tuple[Callable[[Subject], Alert | None], ...] = (
    latency_high,
    *(partial(late_burn, late, pace) for late in (REQUESTS, FIRST_TOKENS, TOKENS) for pace in (QUICKLY, SLOWLY)),
    error_ratio_high,
    error_budget_burn_fast,
    error_budget_burn_slow,
    accuracy_low,
    drift_high,
    telemetry_missing,
    forecast_over_capacity,
    at_maximum,
)

FOR_THE_FLEET: tuple[Callable[[RuleOptions], Alert | None], ...] = (
    input_stale,
    expiring,
    cost_above_plan,
    cost_over_budget,
    made_worse,
    load_anomaly,
    spend_anomaly,
    down,
    cycle_failing,
)


def of_workload(subject: Subject) -> tuple[Alert, ...]:
    """The alerts that this workload's runtime and promise allow."""
    return tuple(alert for build in PER_WORKLOAD if (alert := build(subject)) is not None)


def of_fleet(options: RuleOptions) -> tuple[Alert, ...]:
    """The alerts on Trimtab's own metrics."""
    return tuple(alert for build in FOR_THE_FLEET if (alert := build(options)) is not None)
