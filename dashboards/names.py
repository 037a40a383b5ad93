"""The home of every name that the dashboards share: metrics of our own, variables, fixed uids."""

from __future__ import annotations

# Trimtab's own metrics, with their labels.
RECOMMENDED = "trimtab_recommended_replicas"  # {workload}
FORECAST = "trimtab_forecast_load"  # {workload, quantile, horizon}: requests/s
CAPACITY = "trimtab_capacity_rps"  # {workload}: requests/s that one replica carries within its SLO
COST = "trimtab_cost_usd_per_hour"  # {workload, state="current"|"proposed"}
SAVING = "trimtab_saving_usd_per_month"  # {workload}
INPUT_AGE = "trimtab_input_age_seconds"  # {workload, signal}
PRICE_AGE = "trimtab_price_age_seconds"  # {workload}
INFO = "trimtab_recommendation_info"  # {workload, state} = 1
VALID_UNTIL = "trimtab_recommendation_valid_until_timestamp_seconds"  # {workload}
FLEET_USD = "trimtab_fleet_usd_per_month"  # {figure="bill"|"plan"|"saving"|"saving_low"|"saving_high"}
LOAD_ANOMALY = "trimtab_load_anomaly_score"  # {workload}: of the last hour; above 1 it is out of the ordinary
SPEND_ANOMALY = "trimtab_spend_anomaly_score"  # {workload}
PROMISED = "trimtab_promised_saving_usd_per_month"  # {workload}: of what was taken up
REALISED = "trimtab_realised_saving_usd_per_month"  # {workload}
MADE_WORSE = "trimtab_made_worse"  # {workload}: 0 or 1
BUDGET = "trimtab_budget_usd_per_month"  # {workload} or {team}: only where a budget is set
SPEND = "trimtab_spend_month_to_date_usd"  # with the labels of its budget
CYCLE_SECONDS = "trimtab_cycle_duration_seconds"
CYCLE_FAILURES = "trimtab_cycle_failures_total"

# Of the model-quality exporter, by {service, model} but for the last two.
ACCURACY = "ai_model_accuracy"
DRIFT = "ai_model_drift"
PAIRS = "ai_model_labelled_pairs"
LAST_LABEL = "ai_model_last_label_timestamp_seconds"
PREDICTIONS = "ai_quality_predictions_total"
DROPPED = "ai_quality_dropped_predictions_total"
UNMATCHED = "ai_quality_unmatched_labels_total"
PENDING = "ai_quality_pending_predictions"

# Fixed, so that links and bookmarks outlive a new rendering.
FLEET_UID = "trimtab-fleet"
COSTS_UID = "trimtab-costs"
QUALITY_UID = "trimtab-quality"
HEALTH_UID = "trimtab-health"
PROMETHEUS_UID = "trimtab-prometheus"
TAG = "trimtab"
WORKLOAD_TAG = "trimtab-workload"

WORKLOAD = "workload"
OF_WORKLOAD = f'{WORKLOAD}="${WORKLOAD}"'
