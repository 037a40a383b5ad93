"""Every panel asked of a real Prometheus that holds what the two runtimes and Trimtab export."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dashboards import DashboardOptions, money, names, render
from dashboards.around import marks
from dashboards.queries import panel_queries
from dashboards.spend import budgets
from domain.workload import Slo, Workload
from monitor.profiles import PROFILES
from tests.conftest import StartPrometheus
from tests.dashboards.boards import recorded_names
from tests.openmetrics import document, family, samples
from tests.servers import Prometheus, backfill
from trimtab.selfmetrics import FIGURES

pytestmark = pytest.mark.servers

NOW = int(time.time()) // 60 * 60
TIMES = tuple(range(NOW - 40 * 60, NOW + 1, 60))
VISION = {"service": "vision", "model": "digits"}
LLAMA = {"model_name": "llama"}
SCRAPED = {"job": "models", "instance": "10.0.0.1:8080"}
OURS = {"job": "trimtab", "instance": "10.0.0.2:8000"}
CHATTY = Slo(time_to_first_token=timedelta(seconds=1), inter_token=timedelta(milliseconds=80))
TARGETS = (
    (Workload(id="vision:digits", runtime="trimtab-serving", labels=VISION), PROFILES["trimtab-serving"]),
    (Workload(id="llama", runtime="vllm", labels=LLAMA, slo=CHATTY), PROFILES["vllm"]),
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


def quality() -> Iterator[str]:
    """What the quality exporter adds to the accuracy."""
    yield gauges(names.DRIFT, (VISION, 0.12))
    yield gauges(names.PAIRS, (VISION, 150))
    yield gauges(names.LAST_LABEL, (VISION, NOW - 20))
    yield gauges(names.PENDING, ({}, 3))
    for name, labels in ((names.PREDICTIONS, VISION), (names.DROPPED, VISION), (names.UNMATCHED, {})):
        yield family(name.removesuffix("_total"), "counter", [counter(name, labels, 6)])


def processes() -> Iterator[str]:
    """What every process exports, and Prometheus says of each: the model server and Trimtab."""
    cpu, memory = "process_cpu_seconds_total", "process_resident_memory_bytes"
    both = (SCRAPED, OURS)
    yield family(
        "process_cpu_seconds",
        "counter",
        [samples(cpu, each, TIMES, [0.2 * t for t in range(len(TIMES))]) for each in both],
    )
    for name, value in ((memory, 3e8), ("up", 1.0), ("scrape_duration_seconds", 0.01)):
        yield family(name, "gauge", [samples(name, each, TIMES, [value] * len(TIMES)) for each in both])


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
    yield histogram("vllm:inter_token_latency_seconds", engine)


def recorded() -> Iterator[str]:
    """The series that our recording rules keep, all of them and under no other name."""
    for target in TARGETS:
        for name in recorded_names([target]):
            yield gauges(name, (target[0].labels, 1.0))


def trimtab() -> Iterator[str]:
    """Metrics of our own, for an act and a hold."""
    vision, llama = {"workload": "vision:digits"}, {"workload": "llama"}
    yield gauges(names.RECOMMENDED, (vision, 3), (llama, 2))
    yield gauges(names.INFO, ({**vision, "state": "act"}, 1), ({**llama, "state": "hold"}, 1))
    yield gauges(names.VALID_UNTIL, (vision, NOW + 3600), (llama, NOW + 7200))
    yield gauges(names.CAPACITY, (vision, 5), (llama, 3))
    yield gauges(names.SAVING, (vision, 812.5), (llama, -20))
    yield gauges(
        names.COST, *(({**w, "state": state}, 2.5) for w in (vision, llama) for state in ("current", "proposed"))
    )
    yield gauges(names.INPUT_AGE, ({**vision, "signal": "request_rate"}, 40), ({**llama, "signal": "request_rate"}, 41))
    yield gauges(names.PRICE_AGE, (vision, 86400), (llama, 172800))
    forecast = [
        {**w, "quantile": quantile, "horizon": "lead"} for w in (vision, llama) for quantile in ("0.95", "plan")
    ]
    yield gauges(names.FORECAST, *((labels, 12) for labels in forecast))
    for name in (names.LOAD_ANOMALY, names.SPEND_ANOMALY):
        yield gauges(name, (vision, 0.4), (llama, 1.3))
    yield gauges(names.FLEET_USD, *(({"figure": figure}, 900.0) for figure in FIGURES))
    for name, value in ((names.PROMISED, 812.5), (names.REALISED, 700.0), (names.MADE_WORSE, 0)):
        yield gauges(name, (vision, value), (llama, value))
    for name, value in ((names.BUDGET, 4000), (names.SPEND, 1000)):
        yield gauges(name, (llama, value), ({"team": "vision"}, value))
    yield gauges(names.CYCLE_SECONDS, ({}, 1.5))
    failures = samples(names.CYCLE_FAILURES, OURS, TIMES, [0.05 * i for i in range(len(TIMES))])
    yield family("trimtab_cycle_failures", "counter", [failures])


def test_every_panel_of_every_dashboard_returns_data(start_prometheus: StartPrometheus, tmp_path: Path) -> None:
    data = backfill(document(*served(), *quality(), *processes(), *vllm(), *recorded(), *trimtab()), tmp_path / "data")
    server = start_prometheus(data=data)
    silent = []
    for artifact in render(TARGETS, DashboardOptions(budgets=True)):
        if artifact.path.suffix != ".json":
            continue
        workload = CHOSEN.get(artifact.path.stem, "")
        asked = panel_queries(artifact.text, {"workload": workload})
        assert len(asked) > 11
        silent += [f"{artifact.path.stem}: {q.title}: {q.expr}" for q in asked if not server.query(q.expr, at=AT)]
        silent += unanswered_variables(json.loads(artifact.text), workload, server)
    assert silent == []


def test_the_gap_between_cost_now_and_as_proposed_is_the_saving(
    start_prometheus: StartPrometheus, tmp_path: Path
) -> None:
    """What is held stays as it is; what runs unseen is in neither sum."""
    known = [("act", "current", 10.0), ("act", "proposed", 4.0), ("held", "current", 7.0), ("unseen", "proposed", 3.0)]
    costs = [({"workload": workload, "state": state}, value) for workload, state, value in known]
    server = start_prometheus(data=backfill(document(gauges(names.COST, *costs)), tmp_path / "data"))
    sums = [server.query(f"sum({expr})", at=AT)[0]["value"][1] for expr in (money.current(), money.as_proposed())]
    assert [float(value) for value in sums] == [17.0, 11.0]


def test_a_budget_is_drawn_by_its_owner_against_the_line_of_its_alert(
    start_prometheus: StartPrometheus, tmp_path: Path
) -> None:
    """From a tenth of the month at first to the whole budget at last; whose spend is not known has no line."""
    budget = gauges(names.BUDGET, ({"workload": "llama"}, 4000), ({"team": "vision"}, 500), ({"team": "unseen"}, 9))
    spend = gauges(names.SPEND, ({"workload": "llama"}, 1000), ({"team": "vision"}, 600))
    server = start_prometheus(data=backfill(document(budget, spend), tmp_path / "data"))
    share, alert = budgets(1.1)[0].queries
    drawn = {
        (s["metric"].get("workload"), s["metric"].get("team")): s["value"][1] for s in server.query(share.expr, at=AT)
    }
    assert drawn == {("llama", None): "0.25", (None, "vision"): "1.2"}
    moments = [
        datetime(2026, 6, 1, 1, tzinfo=UTC),
        datetime(2026, 6, 16, tzinfo=UTC),
        datetime(2026, 6, 30, tzinfo=UTC),
    ]
    lines = [float(server.query(alert.expr, at=moment)[0]["value"][1]) for moment in moments]
    assert lines == pytest.approx([0.11, 0.55, 1.0])


def test_a_mark_is_set_where_the_state_changed_and_not_at_a_start(
    start_prometheus: StartPrometheus, tmp_path: Path
) -> None:
    """Each workload is seen from another minute on: one changes its state, one is new, one was not seen for a while."""
    spans = {
        ("changes", "act"): TIMES[:30], ("changes", "hold"): TIMES[30:], ("stays", "act"): TIMES,
        ("new", "act"): TIMES[30:], ("restarted", "act"): [*TIMES[:20], *TIMES[30:]],
    }  # fmt: skip
    series = [
        samples(names.INFO, {"workload": workload, "state": state}, times, [1.0] * len(times))
        for (workload, state), times in spans.items()
    ]
    server = start_prometheus(data=backfill(document(family(names.INFO, "gauge", series)), tmp_path / "data"))
    (mark,) = [mark for mark in marks() if mark.name == "Recommendations"]
    seen = {
        (each["metric"]["workload"], each["metric"]["state"])
        for moment in TIMES[5:]
        for each in server.query(mark.expr.replace("$__rate_interval", "2m"), at=datetime.fromtimestamp(moment, UTC))
    }
    assert seen == {("changes", "hold")}


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
