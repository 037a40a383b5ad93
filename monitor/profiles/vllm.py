"""vLLM (V1): `vllm:*` metrics, a workload is a model_name; names from vllm/v1/metrics/loggers.py and docs/design/metrics.md.

Traps that the expressions step around:
- its counters tick on completion, so under saturation they hide the demand: the growth of the queue is added;
- vllm-project/production-stack's router exports `vllm:num_requests_*` too, without a model_name: `model_name!=""`;
- some pipelines write `_` for `:`, so each expression is asked with both names, the original first;
- with data parallelism one instance has several engines: replicas are instances, everything else sums over engines;
- the first bucket of the end-to-end histogram ends at 0.3 s: a quantile below that is an interpolation.
"""

from __future__ import annotations

from domain.signals import RuntimeProfile, Signal

_OF_A_MODEL = 'model_name!="",$selector'


def _either_name(expression: str) -> str:
    """The expression with its metrics' names as vLLM writes them, or else as a pipeline rewrote them."""
    return f"(({expression}) or ({expression.replace('vllm:', 'vllm_')}))"


def _rate(counter: str, matchers: str = "") -> str:
    return f"sum by ($by) (rate(vllm:{counter}{{{matchers}{_OF_A_MODEL}}}[$window]))"


def _total(gauge: str) -> str:
    return _either_name(f"sum by ($by) (vllm:{gauge}{{{_OF_A_MODEL}}})")


def _buckets(histogram: str) -> str:
    return f"sum by ($by, le) (rate(vllm:{histogram}_bucket{{{_OF_A_MODEL}}}[$window]))"


def _quantile(histogram: str) -> str:
    return _either_name(f"histogram_quantile($quantile, {_buckets(histogram)})")


_FINISHED = _rate("request_success_total")
_FAILED = _rate("request_success_total", 'finished_reason=~"abort|error",')
_LE = 'le=~"$le",'
_QUEUE_GROWTH = f"sum by ($by) (deriv(vllm:num_requests_waiting{{{_OF_A_MODEL}}}[$window]))"
# Of the first generation of vLLM the histogram had another name.
_INTER_TOKEN = ("inter_token_latency_seconds", "time_per_output_token_seconds")
_ENGINES = f"vllm:num_requests_running{{{_OF_A_MODEL}}}"

PROFILE = RuntimeProfile(
    name="vllm",
    identity=("model_name",),
    fingerprint=("vllm:num_requests_running", "vllm_num_requests_running"),
    expressions={
        # A draining queue lowers the sum, never below no arrivals at all.
        Signal.REQUEST_RATE: _either_name(
            f"clamp_min({_FINISHED} + ({_QUEUE_GROWTH} or 0 * {_FINISHED}), 0)",
        ),
        Signal.ERROR_RATIO: _either_name(f"({_FAILED} or 0 * {_FINISHED}) / {_FINISHED}"),
        Signal.LATENCY: _quantile("e2e_request_latency_seconds"),
        Signal.SLOW_RATIO: _either_name(
            f"clamp_min(1 - {_rate('e2e_request_latency_seconds_bucket', _LE)} / {_rate('e2e_request_latency_seconds_count')}, 0)"
        ),
        Signal.TIME_TO_FIRST_TOKEN: _quantile("time_to_first_token_seconds"),
        Signal.INTER_TOKEN_LATENCY: f"({' or '.join(_quantile(name) for name in _INTER_TOKEN)})",
        Signal.SERVICE_TIME: _either_name(
            f"{_rate('e2e_request_latency_seconds_sum')} / {_rate('e2e_request_latency_seconds_count')}"
        ),
        Signal.IN_FLIGHT: _total("num_requests_running"),
        Signal.QUEUE: _total("num_requests_waiting"),
        Signal.TOKEN_RATE: _either_name(_rate("generation_tokens_total")),
        Signal.PROMPT_TOKEN_RATE: _either_name(_rate("prompt_tokens_total")),
        Signal.READY_REPLICAS: _either_name(f"count by ($by) (group by ($by, job, instance) ({_ENGINES}))"),
    },
    recorded={
        Signal.REQUEST_RATE: "model_name:vllm_requests:rate5m",
        Signal.ERROR_RATIO: "model_name:vllm_request_errors:ratio_rate5m",
        Signal.LATENCY: "model_name:vllm_e2e_request_latency_seconds:p95_rate5m",
        Signal.TIME_TO_FIRST_TOKEN: "model_name:vllm_time_to_first_token_seconds:p95_rate5m",
        Signal.INTER_TOKEN_LATENCY: "model_name:vllm_inter_token_latency_seconds:p95_rate5m",
        Signal.READY_REPLICAS: "model_name:vllm_replicas_ready:count",
        Signal.TOKEN_RATE: "model_name:vllm_generation_tokens:rate5m",
        Signal.PROMPT_TOKEN_RATE: "model_name:vllm_prompt_tokens:rate5m",
    },
    buckets={
        Signal.LATENCY: _either_name(_buckets("e2e_request_latency_seconds")),
        Signal.TIME_TO_FIRST_TOKEN: _either_name(_buckets("time_to_first_token_seconds")),
        Signal.INTER_TOKEN_LATENCY: f"({' or '.join(_either_name(_buckets(name)) for name in _INTER_TOKEN)})",
    },
)
