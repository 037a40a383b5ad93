"""What the recording rules of a language model compute from its own metrics, window by window."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from rules import render
from tests.rules.fleet import LLAMA, VLLM, accepted, written

pytestmark = pytest.mark.usefixtures("prometheus_installed")
WHERE = 'model_name="meta/llama",engine="0",instance="a"'
# An hour of 600 requests a minute without a fault, then an hour in which half of them abort and all are slow.
GOOD = {'vllm:request_success_total{%s,finished_reason="stop"}': (600, 300)}
ABORTED = {'vllm:request_success_total{%s,finished_reason="abort"}': (0, 300)}


def buckets(histogram: str, within: float, beyond: float) -> dict[str, tuple[int, int]]:
    """Everything below `within` in the first hour, between it and `beyond` in the second."""
    bucket = f"vllm:{histogram}_bucket{{%s,le="
    return {f'{bucket}"{within}"}}': (600, 0), f'{bucket}"{beyond}"}}': (600, 600), f'{bucket}"+Inf"}}': (600, 600)}


RAW = (
    GOOD | ABORTED | buckets("e2e_request_latency_seconds", 8, 24) | buckets("inter_token_latency_seconds", 0.08, 0.24)
)
OF_THE_BAD_HOUR = {
    "model_name:vllm_requests:rate1h": 10.0,
    "model_name:vllm_request_errors:rate5m": 5.0,
    "model_name:vllm_request_errors:ratio_rate30m": 0.5,
    "model_name:vllm_e2e_request_latency_seconds:p90_rate5m": 8 + 16 * 0.9,
    "model_name:vllm_e2e_request_latency_seconds:p40_rate30m": 8 + 16 * 0.4,
    "model_name:vllm_inter_token_latency_seconds:p40_rate30m": 0.08 + 0.16 * 0.4,
}
OF_BOTH_HOURS = "model_name:vllm_request_errors:ratio_rate6h"  # a quarter failed, to within the window's edge


def test_windows_are_means_of_the_five_minute_series(tmp_path: Path) -> None:
    """Rates, failed ratios and quantiles from raw counters; the last half hour holds the bad hour alone."""
    written(render([(LLAMA, VLLM)], ()), tmp_path)
    content = {
        "rule_files": ["recorded-vllm.rules.yml", "objectives-vllm.rules.yml"],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": name % WHERE, "values": f"0+{first}x60 {60 * first + second}+{second}x59"}
                    for name, (first, second) in RAW.items()
                ],
                "promql_expr_test": [
                    {
                        "expr": f"round({name}, 0.0001)",
                        "eval_time": "120m",
                        "exp_samples": [{"labels": '{model_name="meta/llama"}', "value": round(value, 4)}],
                    }
                    for name, value in OF_THE_BAD_HOUR.items()
                ]
                + [
                    {
                        "expr": f"abs({OF_BOTH_HOURS} - 0.25) < bool 0.01",
                        "eval_time": "120m",
                        "exp_samples": [{"labels": '{model_name="meta/llama"}', "value": 1}],
                    }
                ],
            }
        ],
    }
    (tmp_path / "raw_test.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
    accepted("promtool", "test", "rules", tmp_path / "raw_test.yml")
