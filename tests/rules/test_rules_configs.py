"""alertmanager.yml and prometheus.yml: whole texts, read by amtool and promtool."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from rules import AlertmanagerOptions, PrometheusOptions, alertmanager, prometheus_config, render
from tests.golden_files import assert_golden
from tests.rules.fleet import FLEET, accepted, written

pytestmark = pytest.mark.usefixtures("prometheus_installed", "alertmanager_installed")
PAGER = "https://pager.example/hook"


def routed(config: Path, **labels: str) -> str:
    pairs = [f"{name}={value}" for name, value in labels.items()]
    return accepted("amtool", "config", "routes", "test", f"--config.file={config}", *pairs).strip()


def test_alertmanager_reads_its_configuration(tmp_path: Path) -> None:
    (artifact,) = alertmanager(AlertmanagerOptions(further_urls={"critical": [PAGER]}))
    assert_golden("rules/alertmanager.yml", artifact.text)
    assert "3 receivers" in accepted("amtool", "check-config", *written([artifact], tmp_path))


def test_each_severity_reaches_its_receiver_and_strangers_reach_somebody(tmp_path: Path) -> None:
    (config,) = written(alertmanager(), tmp_path)
    for severity in ("critical", "warning", "info"):
        assert routed(config, severity=severity, workload="vision:digits") == f"trimtab-{severity}"
    assert routed(config, alertname="SomebodyElses") == "trimtab-warning"


def test_alerts_of_one_workload_and_category_are_one_notification() -> None:
    (artifact,) = alertmanager()
    assert yaml.safe_load(artifact.text)["route"]["group_by"] == ["workload", "category"]


def test_further_urls_are_added_to_ours() -> None:
    (artifact,) = alertmanager(
        AlertmanagerOptions(webhook_url="http://t/alerts/webhook", further_urls={"info": [PAGER]})
    )
    receivers = {each["name"]: each["webhook_configs"] for each in yaml.safe_load(artifact.text)["receivers"]}
    assert [hook["url"] for hook in receivers["trimtab-info"]] == ["http://t/alerts/webhook", PAGER]
    assert [hook["url"] for hook in receivers["trimtab-critical"]] == ["http://t/alerts/webhook"]
    assert all(hook["send_resolved"] for hooks in receivers.values() for hook in hooks)


def test_prometheus_reads_its_configuration_with_our_rules(tmp_path: Path) -> None:
    (artifact,) = prometheus_config(PrometheusOptions(node_exporters=("127.0.0.1:9100",)))
    assert_golden("rules/prometheus.yml", artifact.text)
    (config,) = written([artifact], tmp_path)
    written(render(FLEET, ()), tmp_path / "rules")
    assert "8 rule files found" in accepted("promtool", "check", "config", "--lint=all", "--lint-fatal", config)


def test_jobs_without_targets_are_left_out() -> None:
    (artifact,) = prometheus_config(PrometheusOptions(serving=(), quality=()))
    assert [job["job_name"] for job in yaml.safe_load(artifact.text)["scrape_configs"]] == ["trimtab"]


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
