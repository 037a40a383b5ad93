"""Every alert, tabled: those asked per workload and those asked once for the fleet."""

from __future__ import annotations

from collections.abc import Callable

from rules.alerts.capacity import forecast_over_capacity
from rules.alerts.errors import error_budget_burn_fast, error_budget_burn_slow, error_ratio_high
from rules.alerts.fleet import cost_above_plan, cycle_failing, down, input_stale
from rules.alerts.latency import latency_high
from rules.alerts.quality import accuracy_low
from rules.alerts.telemetry import telemetry_missing
from rules.model import Alert, Subject
from rules.options import RuleOptions

PER_WORKLOAD: tuple[Callable[[Subject], Alert | None], ...] = (
    latency_high,
    error_ratio_high,
    error_budget_burn_fast,
    error_budget_burn_slow,
    accuracy_low,
    telemetry_missing,
    forecast_over_capacity,
)

FOR_THE_FLEET: tuple[Callable[[RuleOptions], Alert], ...] = (input_stale, cost_above_plan, down, cycle_failing)
