"""Budgets and alarms as drawn: each workload against its own promise, by the series that the alerts compare."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from dashboards import render
from dashboards.queries import all_panels, panel_queries
from domain.burn import FAST, SLOW, within_reach
from domain.signals import RuntimeProfile
from domain.workload import Slo, Workload
from rules import render as render_rules
from tests.conftest import StartPrometheus
from tests.dashboards.boards import DIGITS, PLAIN, RERANK, recorded_names
from tests.openmetrics import document, family, samples
from tests.servers import Prometheus, backfill

NOW = int(time.time()) // 60 * 60
TIMES = tuple(range(NOW - 10 * 60, NOW + 1, 60))
AT = datetime.fromtimestamp(NOW, UTC)
P99 = replace(RERANK, slo=replace(RERANK.slo, latency_quantile=0.99))
TARGETS = ((DIGITS, PLAIN), (P99, PLAIN))  # budgets of 0.0005 and 0.001
INFO = "trimtab_recommendation_info"


def panel(title: str, board: str = "trimtab-workload-plain", workload: str = "") -> list[str]:
    """What the panel asks."""
    (text,) = [each.text for each in render(TARGETS) if each.path.stem == board and each.path.suffix == ".json"]
    return [each.expr for each in panel_queries(text, {"workload": workload}) if each.title == title]


def gauge(name: str, *of: tuple[Mapping[str, str], float]) -> str:
    return family(name, "gauge", [samples(name, labels, TIMES, [value] * len(TIMES)) for labels, value in of])


def known(recorded: Iterable[str]) -> list[str]:
    """Both have a recommendation and the same failures and latencies, by every one of these names."""
    both = (DIGITS, P99)
    found = [gauge(INFO, *(({"workload": each.id, "state": "act"}, 1.0) for each in both))]
    for name in recorded:
        value = 0.0072 if "ratio" in name else 0.2
        found.append(gauge(name, *((each.labels, value) for each in both)))
    return found


def value(server: Prometheus, expr: str) -> float | None:
    answer = server.query(expr, at=AT)
    assert len(answer) <= 1
    return float(answer[0]["value"][1]) if answer else None


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: str(target[0].id))
def test_what_is_drawn_are_the_long_windows_that_the_alerts_compare(target: tuple[Workload, RuntimeProfile]) -> None:
    """The first series of each row of each burn alert, and no other."""
    (text,) = [each.text for each in render_rules([target], ()) if re.match(r"workload-.*rules", each.path.name)]
    alerts = [
        rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"] if "BudgetBurn" in rule["alert"]
    ]
    (board,) = [each.text for each in render([target]) if each.path.stem == "trimtab-workload-plain"]
    drawn = [
        series
        for each in panel_queries(board, {"workload": target[0].id})
        if each.title in ("Burn of the error budget", "Slow requests by window")
        for series in re.findall(r"service_model:\w+:\w+", each.expr)
    ]
    rows = [row for alert in alerts for row in alert["expr"].split("\nor\n")]
    longest = [re.findall(r"service_model:\w+:(?:ratio|p\w+)_rate\w+", row)[0] for row in rows]
    assert len(rows) == 8
    assert sorted(drawn) == sorted(longest)


@pytest.mark.servers
def test_each_workload_is_drawn_against_its_own_budget(start_prometheus: StartPrometheus, tmp_path: Path) -> None:
    """0.72 % of failures are 14.4 times the budget of one and 7.2 times that of the other, alone and in the fleet."""
    server = start_prometheus(data=backfill(document(*known(recorded_names(TARGETS))), tmp_path / "data"))
    for workload, pace in ((DIGITS, 14.4), (P99, 7.2)):
        burns = [value(server, expr) for expr in panel("Burn of the error budget", workload=workload.id)]
        assert burns == pytest.approx([pace] * 4)
    (fleet,) = panel("Burn of error budgets", "trimtab-fleet")
    answer = {each["metric"]["workload"]: float(each["value"][1]) for each in server.query(fleet, at=AT)}
    assert answer == pytest.approx({DIGITS.id: 14.4, P99.id: 7.2})


@pytest.mark.servers
def test_latency_by_window_is_drawn_at_the_quantiles_of_the_workloads_own_promise(
    start_prometheus: StartPrometheus, tmp_path: Path
) -> None:
    server = start_prometheus(data=backfill(document(*known(recorded_names(TARGETS))), tmp_path / "data"))
    for workload, percentiles in ((DIGITS, ["p28", "p70", "p85", "p95"]), (P99, ["p85_6", "p94", "p97", "p99"])):
        answered = [
            expr
            for expr in panel("Slow requests by window", workload=workload.id)
            if value(server, expr) == pytest.approx(0.2)
        ]
        assert [re.findall(r":(p\w+)_rate", expr)[0] for expr in answered] == percentiles


def test_no_query_is_lost_however_many_promises_there_are() -> None:
    """Ten quantiles of latency in up to four windows, each query under a name of its own."""
    quantiles = [0.9 + 0.005 * step for step in range(10)]
    many = [
        (Workload(id=f"s:{q:g}", runtime="plain", labels={"service": "s", "model": f"{q:g}"}, slo=Slo(latency_quantile=q)), PLAIN)
        for q in quantiles
    ]  # fmt: skip
    (board,) = [json.loads(each.text) for each in render(many) if each.path.stem == "trimtab-workload-plain"]
    (found,) = [each for each in all_panels(board) if each["title"] == "Slow requests by window"]
    wanted = sum(len(within_reach((*FAST, *SLOW), 1 - q)) for q in quantiles)
    assert len({target["refId"] for target in found["targets"]}) == wanted > 26


@pytest.mark.servers
@pytest.mark.parametrize(
    "fires,evaluated,expected",
    [(True, True, {"TrimtabLatencyHigh": 1.0}), (False, True, {"none": 0.0}), (False, False, {})],
    ids=["one fires", "none fires", "the history alone is there"],
)
def test_no_alarm_is_told_from_no_rules(
    start_prometheus: StartPrometheus, tmp_path: Path, *, fires: bool, evaluated: bool, expected: dict[str, float]
) -> None:
    """Silence is a fact only while the rules are evaluated."""
    firing = {"alertname": "TrimtabLatencyHigh", "alertstate": "firing", "workload": DIGITS.id, "severity": "critical"}
    other = {**firing, "workload": P99.id, "alertname": "TrimtabDriftHigh", "alertstate": "pending"}
    data = [
        *known(recorded_names(TARGETS) if evaluated else PLAIN.recorded.values()),
        gauge("ALERTS", *([(firing, 1.0)] if fires else []), (other, 1.0)),
    ]
    server = start_prometheus(data=backfill(document(*data), tmp_path / "data"))
    for expr in (*panel("Alerts", workload=DIGITS.id), *panel("Alerts over time", "trimtab-health")):
        answer = server.query(expr, at=AT)
        assert {each["metric"]["alertname"]: float(each["value"][1]) for each in answer} == expected
    (count,) = panel("Alerts that fire", "trimtab-health")
    assert value(server, count) == (sum(expected.values()) if expected else None)
