"""Every panel asked of a real Prometheus that holds what the two runtimes and Trimtab export."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dashboards import names, render
from dashboards.queries import panel_queries
from domain.workload import Workload
from monitor.profiles import PROFILES
from tests.conftest import StartPrometheus
from tests.openmetrics import document, family, samples
from tests.servers import Prometheus, backfill

pytestmark = pytest.mark.servers

NOW = int(time.time()) // 60 * 60
TIMES = tuple(range(NOW - 40 * 60, NOW + 1, 60))
VISION = {"service": "vision", "model": "digits"}
LLAMA = {"model_name": "llama"}
SCRAPED = {"job": "models", "instance": "10.0.0.1:8080"}
TARGETS = (
    (Workload(id="vision:digits", runtime="trimtab-serving", labels=VISION), PROFILES["trimtab-serving"]),
    (Workload(id="llama", runtime="vllm", labels=LLAMA), PROFILES["vllm"]),
)
CHOSEN = {"trimtab-workload-trimtab-serving": "vision:digits", "trimtab-workload-vllm": "llama"}
AT = datetime.fromtimestamp(NOW, UTC)


def counter(name: str, labels: Mapping[str, str], per_minute: float) -> str:
    """A counter that grows evenly."""
    return samples(name, {**labels, **SCRAPED}, TIMES, [per_minute * i for i in range(len(TIMES))])


def gauge(name: str, labels: Mapping[str, str], value: float) -> str:
    """A gauge that stays."""
    return samples(name, {**labels, **SCRAPED}, TIMES, [value] * len(TIMES))


def gauges(name: str, *of: tuple[Mapping[str, str], float]) -> str:
    """A family of gauges."""
    return family(name, "gauge", [gauge(name, labels, value) for labels, value in of])


def histogram(name: str, labels: Mapping[str, str]) -> str:
    """Most observations under half a second."""
    buckets = {"0.1": 20.0, "0.5": 55.0, "1.0": 59.0, "+Inf": 60.0}
    return family(
        name,
        "histogram",
        [
            *(counter(f"{name}_bucket", {**labels, "le": le}, growth) for le, growth in buckets.items()),
            counter(f"{name}_count", labels, 60.0),
            counter(f"{name}_sum", labels, 15.0),
        ],
    )


def served() -> Iterator[str]:
    """What our own model server exports."""
    yield family("ai_requests", "counter", [
        counter("ai_requests_total", {**VISION, "endpoint": "/predict", "status": "200"}, 59),
        counter("ai_requests_total", {**VISION, "endpoint": "/predict", "status": "500"}, 1),
    ])  # fmt: skip
    yield histogram("ai_request_duration_seconds", VISION)
    yield gauges("ai_requests_in_flight", (VISION, 2))
    yield gauges("ai_ready", (VISION, 1))
    yield gauges("ai_startup_seconds", ({"service": "vision"}, 3.5))
    yield gauges("ai_model_accuracy", (VISION, 0.93))
    yield family("process_cpu_seconds", "counter", [counter("process_cpu_seconds_total", {}, 12)])
    yield gauges("process_resident_memory_bytes", ({}, 3e8))


def vllm() -> Iterator[str]:
    """What vLLM exports, as far as its profile asks."""
    engine = {**LLAMA, "engine": "0"}
    yield family("vllm:request_success", "counter", [
        counter("vllm:request_success_total", {**engine, "finished_reason": "stop"}, 59),
        counter("vllm:request_success_total", {**engine, "finished_reason": "abort"}, 1),
    ])  # fmt: skip
    yield gauges("vllm:num_requests_running", (engine, 4))
    yield gauges("vllm:num_requests_waiting", (engine, 1))
    yield family("vllm:generation_tokens", "counter", [counter("vllm:generation_tokens_total", engine, 9000)])
    yield histogram("vllm:e2e_request_latency_seconds", engine)
    yield histogram("vllm:time_to_first_token_seconds", engine)


def recorded() -> Iterator[str]:
    """The series that recording rules keep."""
    for workload, profile in TARGETS:
        for name in profile.recorded.values():
            yield gauges(name, (workload.labels, 1.0))


def trimtab() -> Iterator[str]:
    """Metrics of our own, for an act and a hold."""
    vision, llama = {"workload": "vision:digits"}, {"workload": "llama"}
    yield gauges(names.RECOMMENDED, (vision, 3), (llama, 2))
    yield gauges(names.INFO, ({**vision, "state": "act"}, 1), ({**llama, "state": "hold"}, 1))
    yield gauges(names.SAVING, (vision, 812.5), (llama, -20))
    yield gauges(
        names.COST, *(({**w, "state": state}, 2.5) for w in (vision, llama) for state in ("current", "proposed"))
    )
    yield gauges(names.INPUT_AGE, ({**vision, "signal": "request_rate"}, 40), ({**llama, "signal": "request_rate"}, 41))
    yield gauges(names.FORECAST, *(({**w, "quantile": "0.95", "horizon": "lead"}, 12) for w in (vision, llama)))
    yield gauges(names.CYCLE_SECONDS, ({}, 1.5))
    yield family("trimtab_cycle_failures", "counter", [counter(names.CYCLE_FAILURES, {}, 0.05)])


def test_every_panel_of_every_dashboard_returns_data(start_prometheus: StartPrometheus, tmp_path: Path) -> None:
    data = backfill(document(*served(), *vllm(), *recorded(), *trimtab()), tmp_path / "data")
    server = start_prometheus(data=data)
    silent = []
    for artifact in render(TARGETS):
        if artifact.path.suffix != ".json":
            continue
        workload = CHOSEN.get(artifact.path.stem, "")
        asked = panel_queries(artifact.text, {"workload": workload})
        assert len(asked) > 15
        silent += [f"{artifact.path.stem}: {q.title}: {q.expr}" for q in asked if not server.query(q.expr, at=AT)]
        silent += unanswered_variables(json.loads(artifact.text), workload, server)
    assert silent == []


def unanswered_variables(board: dict[str, Any], workload: str, server: Prometheus) -> list[str]:
    """Variables whose query selects nothing, or whose expression cuts nothing out of it."""
    found = []
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            parts = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"])
            assert parts
            answer = server.query(parts[1].replace("$workload", workload), at=AT)
            values = {series["metric"][parts[2]] for series in answer}
            if not any(re.match(variable.get("regex", "").strip("/"), value) for value in values):
                found.append(f"{variable['name']}: {variable['query']}")
    return found
