"""Our own server: `ai_*` metrics, a workload is a (service, model).

Load is what arrives (`ai_request_arrivals_total`): under saturation answers lag behind. An instance that does not count
arrivals is taken by its answers. A request is answered with a status; failed means 5xx. `model!=""` leaves out what the
server answers on behalf of no model. A histogram keeps no more than its buckets, so a quantile is an interpolation.
"""

from __future__ import annotations

from domain.signals import RuntimeProfile, Signal

_ANSWERED = 'sum by ($by) (rate(ai_requests_total{model!="",$selector}[$window]))'
_ARRIVED = (
    "sum by ($by) ("
    'sum by ($by, job, instance) (rate(ai_request_arrivals_total{model!="",$selector}[$window])) or '
    'sum by ($by, job, instance) (rate(ai_requests_total{model!="",$selector}[$window])))'
)
_FAILED = 'sum by ($by) (rate(ai_requests_total{status=~"5..",model!="",$selector}[$window]))'
# The process metrics carry no model: each is handed to the models that the process serves.
_SERVES = 'on (job, instance) group_right () (ai_ready{model!="",$selector} >= bool 0)'

_BUCKETS = 'sum by ($by, le) (rate(ai_request_duration_seconds_bucket{model!="",$selector}[$window]))'

PROFILE = RuntimeProfile(
    name="trimtab-serving",
    identity=("service", "model"),
    fingerprint=("ai_requests_total", "ai_ready"),
    expressions={
        Signal.REQUEST_RATE: _ARRIVED,
        # A 5xx series is born with the first failure: without `or` a faultless service would have no ratio.
        Signal.ERROR_RATIO: f"({_FAILED} or 0 * {_ANSWERED}) / {_ANSWERED}",
        Signal.LATENCY: f"histogram_quantile($quantile, {_BUCKETS})",
        Signal.SLOW_RATIO: (
            'clamp_min(1 - sum by ($by) (rate(ai_request_duration_seconds_bucket{le=~"$le",model!="",$selector}[$window])) / '
            'sum by ($by) (rate(ai_request_duration_seconds_count{model!="",$selector}[$window])), 0)'
        ),
        Signal.SERVICE_TIME: (
            'sum by ($by) (rate(ai_request_duration_seconds_sum{model!="",$selector}[$window])) / '
            'sum by ($by) (rate(ai_request_duration_seconds_count{model!="",$selector}[$window]))'
        ),
        Signal.IN_FLIGHT: 'sum by ($by) (ai_requests_in_flight{model!="",$selector})',
        Signal.READY_REPLICAS: 'sum by ($by) (ai_ready{model!="",$selector})',
        Signal.STARTUP_SECONDS: (
            "max by ($by, instance) (max_over_time(ai_startup_seconds[$window]) * on (service, job, instance) "
            'group_right () (max_over_time(ai_ready{model!="",$selector}[$window]) >= bool 0))'
        ),
        Signal.CPU_CORES: f"avg by ($by) (rate(process_cpu_seconds_total[$window]) * {_SERVES})",
        Signal.CPU_CORES_PEAK: f"max by ($by) (rate(process_cpu_seconds_total[$window]) * {_SERVES})",
        Signal.MEMORY_BYTES: f"max by ($by) (max_over_time(process_resident_memory_bytes[$window]) * {_SERVES})",
        Signal.ACCURACY: 'avg by ($by) (ai_model_accuracy{model!="",$selector})',
    },
    recorded={
        Signal.REQUEST_RATE: "service_model:ai_requests:rate5m",
        Signal.ERROR_RATIO: "service_model:ai_request_errors:ratio_rate5m",
        Signal.LATENCY: "service_model:ai_request_duration_seconds:p95_rate5m",
        Signal.READY_REPLICAS: "service_model:ai_replicas_ready:count",
    },
    buckets={Signal.LATENCY: _BUCKETS},
    version=("ai_model_info", "version"),
)
