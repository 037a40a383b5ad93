"""The home of every name that the dashboards share: metrics of our own, variables, fixed uids."""

from __future__ import annotations

# Trimtab's own metrics, with their labels.
RECOMMENDED = "trimtab_recommended_replicas"  # {workload}
FORECAST = "trimtab_forecast_load"  # {workload, quantile, horizon}: requests/s
COST = "trimtab_cost_usd_per_hour"  # {workload, state="current"|"proposed"}
SAVING = "trimtab_saving_usd_per_month"  # {workload}
INPUT_AGE = "trimtab_input_age_seconds"  # {workload, signal}
INFO = "trimtab_recommendation_info"  # {workload, state} = 1
CYCLE_SECONDS = "trimtab_cycle_duration_seconds"
CYCLE_FAILURES = "trimtab_cycle_failures_total"

# Fixed, so that links and bookmarks outlive a new rendering.
FLEET_UID = "trimtab-fleet"
PROMETHEUS_UID = "trimtab-prometheus"
TAG = "trimtab"
WORKLOAD_TAG = "trimtab-workload"

WORKLOAD = "workload"
OF_WORKLOAD = f'{WORKLOAD}="${WORKLOAD}"'
