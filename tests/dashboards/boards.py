"""Workloads and runtimes to draw dashboards for; the profiles are small, so that goldens change with dashboards only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import yaml

import rules
from domain.signals import RuntimeProfile, Signal
from domain.workload import Slo, Workload

PLAIN = RuntimeProfile(
    name="plain",
    identity=("service", "model"),
    fingerprint=("plain_requests_total",),
    expressions={
        Signal.REQUEST_RATE: "sum by ($by) (rate(plain_requests_total{$selector}[$window]))",
        Signal.ERROR_RATIO: 'sum by ($by) (rate(plain_requests_total{status="500",$selector}[$window])) / sum by ($by) (rate(plain_requests_total{$selector}[$window]))',
        Signal.LATENCY: "histogram_quantile($quantile, sum by ($by, le) (rate(plain_seconds_bucket{$selector}[$window])))",
        Signal.READY_REPLICAS: "sum by ($by) (plain_ready{$selector})",
        Signal.ACCURACY: "avg by ($by) (plain_accuracy{$selector})",
    },
    recorded={
        Signal.REQUEST_RATE: "service_model:plain_requests:rate5m",
        Signal.ERROR_RATIO: "service_model:plain_errors:ratio_rate5m",
        Signal.LATENCY: "service_model:plain_seconds:p95_rate5m",
    },
    buckets={Signal.LATENCY: "sum by ($by, le) (rate(plain_seconds_bucket{$selector}[$window]))"},
)
OTHER = RuntimeProfile(
    name="other",
    identity=("model_name",),
    fingerprint=("other_tokens_total",),
    expressions={
        Signal.REQUEST_RATE: "sum by ($by) (rate(other_requests_total{$selector}[$window]))",
        Signal.TOKEN_RATE: "sum by ($by) (rate(other_tokens_total{$selector}[$window]))",
        Signal.QUEUE: "sum by ($by) (other_waiting{$selector})",
    },
    recorded={},
)
STRICT = Slo(attainment=0.9995, latency=timedelta(milliseconds=250), min_accuracy=0.9)

DIGITS = Workload(id="vision:digits", runtime="plain", labels={"service": "vision", "model": "digits"}, slo=STRICT)
RERANK = Workload(id="search:rerank", runtime="plain", labels={"service": "search", "model": "rerank"})
LLAMA = Workload(id="llama", runtime="other", labels={"model_name": "llama"})
ALIAS = Workload(id='chat "prod" é', runtime="other", labels={"model_name": "qwen", "namespace": "prod"})

ONE_RUNTIME = ((DIGITS, PLAIN), (RERANK, PLAIN))
EVERYTHING = (*ONE_RUNTIME, (LLAMA, OTHER), (ALIAS, OTHER))


def recorded_names(targets: Sequence[tuple[Workload, RuntimeProfile]]) -> list[str]:
    """The series that our recording rules keep of these workloads."""
    files = [yaml.safe_load(each.text) for each in rules.render(targets, ()) if each.path.name.endswith(".rules.yml")]
    kept = [rule for file in files for group in file["groups"] for rule in group["rules"] if "record" in rule]
    return sorted({rule["record"] for rule in kept})
