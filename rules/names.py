"""The home of every metric name that rules ask for beside those of a runtime profile."""

from __future__ import annotations

# Of the model-quality exporter: gauges, and the number of (prediction, label) pairs that accuracy rests on.
ACCURACY = "ai_model_accuracy"
DRIFT = "ai_model_drift"
LABELLED_PAIRS = "ai_model_labelled_pairs"

# Of kube-state-metrics.
HPA_INFO = "kube_horizontalpodautoscaler_info"  # {namespace, horizontalpodautoscaler, scaletargetref_kind, scaletargetref_name}
HPA_MAX = "kube_horizontalpodautoscaler_spec_max_replicas"  # {namespace, horizontalpodautoscaler}

# Trimtab's own.
BUDGET = "trimtab_budget_usd_per_month"  # {workload} or {team}: only where a budget is set
CAPACITY_RPS = "trimtab_capacity_rps"  # {workload}: requests/s that one replica carries within its SLO
COST = "trimtab_cost_usd_per_hour"  # {workload, state="current"|"proposed"}
CYCLE_FAILURES = "trimtab_cycle_failures_total"
FORECAST_LOAD = "trimtab_forecast_load"  # {workload, quantile, horizon}
INPUT_AGE = "trimtab_input_age_seconds"  # {workload, signal}
LOAD_ANOMALY = "trimtab_load_anomaly_score"  # {workload}: of the last hour; above 1 it is out of the ordinary
LOAD_EXCESS = (
    "trimtab_load_anomaly_excess_requests"  # {workload}: beyond those expected; below 0 where they are missing
)
MADE_WORSE = (
    "trimtab_made_worse"  # {workload}: 1 while what was applied is dearer, or misses more, than what it replaced
)
SPEND = "trimtab_spend_month_to_date_usd"  # with the labels of its budget; months of UTC
SPEND_ANOMALY = "trimtab_spend_anomaly_score"  # {workload}: the same of USD beside what load explains
SPEND_EXCESS = "trimtab_spend_anomaly_excess_usd_per_hour"  # {workload}
VALID_UNTIL = "trimtab_recommendation_valid_until_timestamp_seconds"  # {workload}
