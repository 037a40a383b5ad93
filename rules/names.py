"""The home of every metric name that rules ask for beside those of a runtime profile."""

from __future__ import annotations

# Of the model-quality exporter: a gauge, and the number of (prediction, label) pairs it rests on.
ACCURACY = "ai_model_accuracy"
LABELLED_PAIRS = "ai_model_labelled_pairs"

# Trimtab's own.
CAPACITY_RPS = "trimtab_capacity_rps"  # {workload}: requests/s that one replica carries within its SLO
COST = "trimtab_cost_usd_per_hour"  # {workload, state="current"|"proposed"}
CYCLE_FAILURES = "trimtab_cycle_failures_total"
FORECAST_LOAD = "trimtab_forecast_load"  # {workload, quantile, horizon}
INPUT_AGE = "trimtab_input_age_seconds"  # {workload, signal}
