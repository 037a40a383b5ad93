"""alertmanager.yml and prometheus.yml: whole texts, read by amtool and promtool."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from domain.names import safe_name
from rules import (
    AlertmanagerOptions,
    Email,
    MsTeams,
    PagerDuty,
    PrometheusOptions,
    Receiver,
    Slack,
    Webhook,
    alertmanager,
    prometheus_config,
    render,
)
from tests.golden_files import assert_golden
from tests.rules.fleet import FLEET, accepted, written

pytestmark = pytest.mark.usefixtures("prometheus_installed", "alertmanager_installed")
ODD_TEAM = 'ü"m'
RECEIVERS = (
    Receiver(way=PagerDuty(routing_key_file="/etc/alertmanager/pagerduty"), severities=("critical",)),
    Receiver(way=Slack(api_url_file="/etc/alertmanager/slack", channel="#vision"), teams=("vision",)),
    Receiver(
        way=Email(
            to="ml@example.org",
            sender="alerts@example.org",
            smarthost="mail.example.org:587",
            username="alerts",
            password_file="/etc/alertmanager/smtp",  # noqa: S106  a path, no password
        )
    ),
    Receiver(
        way=Webhook(url="https://hook.example/in", bearer_token_file="/etc/alertmanager/token"),  # noqa: S106  a path
        severities=("warning",),
        teams=(ODD_TEAM,),
    ),
)


def routed(config: Path, **labels: str) -> str:
    pairs = ["{}={}".format(name, value.replace('"', '\\"')) for name, value in labels.items()]
    return accepted("amtool", "config", "routes", "test", f"--config.file={config}", *pairs).strip()


def test_alertmanager_reads_its_configuration(tmp_path: Path) -> None:
    """Every receiver that its version knows, amtool reads; the file holds paths of secrets and no secret."""
    config, messages = alertmanager(AlertmanagerOptions(receivers=RECEIVERS))
    assert_golden("rules/alertmanager.yml", config.text)
    assert_golden("rules/trimtab.tmpl", messages.text)
    said = accepted("amtool", "check-config", written([config, messages], tmp_path)[0])
    assert "10 receivers" in said
    assert "1 templates" in said


def test_each_severity_reaches_its_receiver_and_strangers_reach_somebody(tmp_path: Path) -> None:
    config, _ = written(alertmanager(), tmp_path)
    for severity in ("critical", "warning", "info"):
        assert routed(config, severity=severity, workload="vision:digits") == f"trimtab-{severity}"
    assert routed(config, alertname="SomebodyElses") == "trimtab-warning"


def test_a_team_with_receivers_of_its_own_hears_of_its_workloads(tmp_path: Path) -> None:
    config, _ = written(alertmanager(AlertmanagerOptions(receivers=RECEIVERS)), tmp_path)
    assert routed(config, severity="critical", workload="a:b", team="vision") == "trimtab-critical-vision"
    assert routed(config, severity="critical", workload="a:b", team="other") == "trimtab-critical"
    assert routed(config, severity="warning", team=ODD_TEAM) == f"trimtab-warning-{safe_name(ODD_TEAM)}"
    receivers = {each["name"]: each for each in yaml.safe_load(config.read_text(encoding="utf-8"))["receivers"]}
    assert set(receivers["trimtab-critical"]) == {"name", "webhook_configs", "pagerduty_configs", "email_configs"}
    assert set(receivers["trimtab-critical-vision"]) == {*receivers["trimtab-critical"], "slack_configs"}
    assert set(receivers["trimtab-info"]) == {"name", "webhook_configs", "email_configs"}


def test_our_own_events_are_digests(tmp_path: Path) -> None:
    """Proposals together twice a day, a report once, trouble of our own as one notification."""
    config, _ = written(alertmanager(), tmp_path)
    route = yaml.safe_load(config.read_text(encoding="utf-8"))["route"]
    assert route["group_by"] == ["workload", "category"]
    proposals, report, *severities = route["routes"]
    assert (proposals["matchers"], proposals["group_by"], proposals["group_interval"]) == (
        ['category="recommendation"'], ["category"], "12h",
    )  # fmt: skip
    assert (report["matchers"], report["group_by"], report["repeat_interval"]) == (
        ['category="report"'], ["event"], "30d",
    )  # fmt: skip
    assert all(each["routes"][0]["group_by"] == ["category"] for each in severities)
    assert routed(config, category="recommendation", severity="info", workload="a:b") == "trimtab-info"
    assert routed(config, category="trimtab", severity="critical") == "trimtab-critical"


def test_receivers_come_beside_our_own_webhook_and_are_told_of_the_end() -> None:
    config, _ = alertmanager(AlertmanagerOptions(webhook_url="http://t/alerts/webhook", receivers=RECEIVERS))
    for receiver in yaml.safe_load(config.text)["receivers"]:
        assert receiver["webhook_configs"][0]["url"] == "http://t/alerts/webhook"
        told = receiver["name"] != "trimtab-report"
        assert all(way["send_resolved"] is told for name, ways in receiver.items() if name != "name" for way in ways)


def test_a_receiver_of_a_team_hears_of_nothing_that_carries_no_team(tmp_path: Path) -> None:
    """Proposals, reports, money and Trimtab's own trouble carry none (docs/rules.md); a budget of the team's does."""
    theirs = Receiver(way=Slack(api_url_file="/etc/alertmanager/slack"), teams=("vision",))
    artifacts = alertmanager(AlertmanagerOptions(receivers=(theirs,)))
    told = {each["name"] for each in yaml.safe_load(artifacts[0].text)["receivers"] if "slack_configs" in each}
    config = written(artifacts, tmp_path)[0]
    for labels in (
        {"severity": "info", "category": "recommendation", "workload": "a:b"},
        {"severity": "info", "category": "report"},
        {"severity": "warning", "category": "cost", "workload": "a:b"},
        {"severity": "critical", "category": "trimtab", "workload": "a:b"},
    ):
        assert routed(config, **labels) not in told
    assert routed(config, severity="warning", category="cost", team="vision") in told


def test_teams_channels_are_written_as_newer_alertmanagers_read_them() -> None:
    """0.25, which is at hand, refuses the section: it is checked by its shape alone."""
    teams = Receiver(way=MsTeams(webhook_url_file="/etc/alertmanager/teams"))
    config, _ = alertmanager(AlertmanagerOptions(receivers=[teams]))
    (way,) = yaml.safe_load(config.text)["receivers"][0]["msteamsv2_configs"]
    assert way == {
        "webhook_url_file": "/etc/alertmanager/teams",
        "title": '{{ template "trimtab.title" . }}',
        "text": '{{ template "trimtab.text" . }}',
        "send_resolved": True,
    }


def test_prometheus_reads_its_configuration_with_our_rules(tmp_path: Path) -> None:
    (artifact,) = prometheus_config(
        PrometheusOptions(
            node_exporters=("127.0.0.1:9100",),
            kube_state_metrics=("127.0.0.1:8081",),
            alertmanagers=("http://127.0.0.1:9093", "https://alerts.example/prefix"),
        )
    )
    assert_golden("rules/prometheus.yml", artifact.text)
    (config,) = written([artifact], tmp_path)
    written(render(FLEET, ()), tmp_path / "rules")
    assert "8 rule files found" in accepted("promtool", "check", "config", "--lint=all", "--lint-fatal", config)


def test_jobs_without_targets_are_left_out() -> None:
    (artifact,) = prometheus_config(PrometheusOptions(serving=(), quality=()))
    assert [job["job_name"] for job in yaml.safe_load(artifact.text)["scrape_configs"]] == ["trimtab"]


def test_an_alertmanager_behind_tls_and_a_path_is_reached_there() -> None:
    (artifact,) = prometheus_config(PrometheusOptions(alertmanagers=("https://alerts.example/prefix",)))
    assert yaml.safe_load(artifact.text)["alerting"]["alertmanagers"] == [
        {"scheme": "https", "path_prefix": "/prefix", "static_configs": [{"targets": ["alerts.example"]}]}
    ]


ANNOTATED_PODS = [
    ("10.0.0.1:8080", {"scrape": "true"}, "http://10.0.0.1:8080/metrics"),
    ("10.0.0.1:8080", {"scrape": "true", "port": "9000", "path": "/m"}, "http://10.0.0.1:9000/m"),
    ("10.0.0.1", {"scrape": "true", "port": "9000", "scheme": "https"}, "https://10.0.0.1:9000/metrics"),
    ("[fd00::1]:8080", {"scrape": "true", "port": "9000"}, "http://[fd00::1]:9000/metrics"),
    ("10.0.0.1:8080", {"scrape": "false"}, None),
    ("10.0.0.1:8080", {}, None),
]


def test_annotated_pods_are_scraped_as_they_ask(tmp_path: Path) -> None:
    """Relabelling as Prometheus does it; only the discovery, which needs a cluster, is replaced by fixed pods."""
    (artifact,) = prometheus_config(PrometheusOptions(kubernetes=True, rule_files=()))
    config = yaml.safe_load(artifact.text)
    job = next(job for job in config["scrape_configs"] if job["job_name"] == "kubernetes-pods")
    assert job.pop("kubernetes_sd_configs") == [{"role": "pod"}]
    job["static_configs"] = [_pod(number, *pod[:2]) for number, pod in enumerate(ANNOTATED_PODS)]
    path = tmp_path / "prometheus.yml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    shown = json.loads(accepted("promtool", "check", "service-discovery", "--timeout=1s", path, "kubernetes-pods"))
    found = {target["discoveredLabels"]["__meta_kubernetes_pod_name"]: target.get("labels") or {} for target in shown}
    assert [_address(found[str(number)]) for number in range(len(ANNOTATED_PODS))] == [pod[2] for pod in ANNOTATED_PODS]
    assert all((labels["namespace"], labels["pod"]) == ("ml", pod) for pod, labels in found.items() if labels)


def _pod(number: int, address: str, annotations: dict[str, str]) -> dict[str, object]:
    meta = {f"__meta_kubernetes_pod_annotation_prometheus_io_{name}": value for name, value in annotations.items()}
    who = {"namespace": "ml", "pod_name": str(number), "pod_phase": "Running"}
    return {"targets": [address], "labels": meta | {f"__meta_kubernetes_{name}": text for name, text in who.items()}}


def _address(labels: dict[str, str]) -> str | None:
    return f"{labels['__scheme__']}://{labels['__address__']}{labels['__metrics_path__']}" if labels else None
