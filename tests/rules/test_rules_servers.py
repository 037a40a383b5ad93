"""The rendered files in the real servers: every rule evaluates, and what should be muted is."""

from __future__ import annotations

import json
import urllib.request
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rules import AlertmanagerOptions, PrometheusOptions, RuleOptions, alertmanager, prometheus_config, render
from tests.conftest import StartAlertmanager, StartPrometheus
from tests.rules.fleet import FLEET, written
from tests.servers import Alertmanager, Webhook, get_json, wait_until

pytestmark = pytest.mark.servers


def labels(name: str, severity: str, category: str, workload: str | None) -> dict[str, str]:
    own = {"alertname": f"Trimtab{name}", "severity": severity, "category": category}
    return own if workload is None else own | {"workload": workload}


def post(server: Alertmanager, *alerts: dict[str, str]) -> None:
    body = json.dumps([{"labels": each, "annotations": {"summary": "A test."}} for each in alerts]).encode()
    request = urllib.request.Request(
        f"{server.url}/api/v2/alerts", data=body, headers={"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


def quick(webhook: Webhook, **more: Any) -> str:
    options = AlertmanagerOptions(
        webhook_url=webhook.url,
        group_wait=timedelta(seconds=1),
        critical_group_wait=timedelta(seconds=0),
        group_interval=timedelta(seconds=1),
        **more,
    )
    return alertmanager(options)[0].text


def test_every_rule_evaluates_in_a_real_prometheus(start_prometheus: StartPrometheus, tmp_path: Path) -> None:
    """No rule of any file, odd names included, ends in an error when Prometheus evaluates it."""
    second = timedelta(seconds=1)
    written(render(FLEET, (), RuleOptions(interval=second, slow_interval=second)), tmp_path / "rules")
    options = PrometheusOptions(
        serving=(), quality=(), trimtab=(), alertmanagers=(), rule_files=(str(tmp_path / "rules" / "*.rules.yml"),)
    )
    server = start_prometheus(prometheus_config(options)[0].text)

    def rules() -> list[dict[str, Any]]:
        groups = get_json(f"{server.url}/api/v1/rules")["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    wait_until(lambda: all(rule["health"] != "unknown" for rule in rules()), within_s=20, what="all rules evaluated")
    assert len(rules()) > 50
    assert [rule for rule in rules() if rule["health"] != "ok"] == []


def test_a_workload_that_nobody_can_see_mutes_its_lesser_alerts_and_only_its_own(
    start_alertmanager: StartAlertmanager, webhook: Webhook
) -> None:
    server = start_alertmanager(quick(webhook))
    post(
        server,
        labels("TelemetryMissing", "critical", "telemetry", "blind"),
        labels("CostAbovePlan", "warning", "cost", "blind"),
        labels("InputStale", "warning", "telemetry", "blind"),
        labels("ErrorBudgetBurnFast", "critical", "errors", "failing"),
        labels("ErrorBudgetBurnSlow", "warning", "errors", "failing"),
        labels("CostAbovePlan", "warning", "cost", "failing"),
        labels("DriftHigh", "warning", "quality", "blind"),
        labels("Down", "critical", "trimtab", None),
        labels("CycleFailing", "warning", "trimtab", None),
        labels("MadeWorse", "warning", "cost", "both"),
        labels("MadeWorse", "warning", "cost", "both") | {"event": "made_worse:both"},
        labels("MadeWorse", "warning", "cost", "rule alone"),
    )
    webhook.wait_for(lambda body: body["groupLabels"].get("workload") == "failing" and body["receiver"].endswith("ing"))
    muted = {
        (each["labels"]["alertname"].removeprefix("Trimtab"), each["labels"].get("workload"))
        for each in server.alerts()
        if each["status"]["inhibitedBy"]
    }
    assert muted == {
        ("CostAbovePlan", "blind"),
        ("InputStale", "blind"),
        ("DriftHigh", "blind"),
        ("ErrorBudgetBurnSlow", "failing"),
        ("MadeWorse", "both"),
    }
    [mutes] = [each for each in server.alerts() if each["labels"].get("event")]
    assert not mutes["status"]["inhibitedBy"]
    told = {alert["labels"]["alertname"] for body in webhook.posts for alert in body["alerts"]}
    assert "TrimtabInputStale" not in told
    assert "TrimtabErrorBudgetBurnSlow" not in told


def test_two_alerts_about_the_same_failures_are_one_notification(
    start_alertmanager: StartAlertmanager, webhook: Webhook
) -> None:
    server = start_alertmanager(quick(webhook))
    post(
        server,
        labels("ErrorBudgetBurnFast", "critical", "errors", "w"),
        labels("ErrorRatioHigh", "critical", "errors", "w"),
    )
    body = webhook.wait_for(lambda body: body["receiver"] == "trimtab-critical" and len(body["alerts"]) == 2)
    assert body["groupLabels"] == {"workload": "w", "category": "errors"}
