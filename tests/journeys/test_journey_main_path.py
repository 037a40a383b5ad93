"""From a served request to what an autoscaler reads and who is alerted, on real servers all the way."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import yaml

from manifests import ManifestOptions, render
from manifests.ladder import ladder
from rules import AlertmanagerOptions, PrometheusOptions, RuleOptions, alertmanager, prometheus_config
from rules import render as render_rules
from tests.journeys.world import FIRST_CYCLE_S, NAME, TARGET, Past, TrimtabServer, settings_text
from tests.servers import Alertmanager, ModelServer, Prometheus, answers, free_port, get_json, wait_until
from trimtab.settings_file import parse_settings
from trimtab.wiring import build

pytestmark = [pytest.mark.servers, pytest.mark.slow]

HELD_OUT = Path(__file__).resolve().parents[2] / "examples" / "models" / "digits_heldout.csv.gz"
ALERT = "TrimtabForecastOverCapacity"
LIVE = 'service_model:ai_requests:rate5m{service="vision",model="digits"} > 0'
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Every server of the path."""

    serving: ModelServer
    prometheus: Prometheus
    alertmanager: Alertmanager
    trimtab: TrimtabServer


def written_rules(folder: Path) -> str:
    """The generated rules, evaluated every second; what an alert waits before it fires is shortened, nothing else."""
    options = RuleOptions(interval=SECOND, slow_interval=2 * SECOND)
    for artifact in render_rules((TARGET,), (), options):
        if artifact.path.name.endswith(".rules.yml"):
            content = yaml.safe_load(artifact.text)
            for group in content["groups"]:
                for rule in group["rules"]:
                    if rule.get("alert") == ALERT:
                        rule["for"] = "1s"
            (folder / artifact.path).parent.mkdir(parents=True, exist_ok=True)
            (folder / artifact.path).write_text(yaml.safe_dump(content), encoding="utf-8")
    return str(folder / "*.rules.yml")


@pytest.fixture(scope="module")
def running(past: Past, tmp_path_factory: pytest.TempPathFactory, alertmanager_installed: None) -> Iterator[Running]:
    """One replica is left of a fleet of 24, and the load of weeks past is to be expected again."""
    folder = tmp_path_factory.mktemp("path")
    port = free_port()
    with ExitStack() as stack:
        serving = stack.enter_context(ModelServer(folder / "serving", flags=("--service", "vision")))
        told = AlertmanagerOptions(webhook_url=f"http://127.0.0.1:{port}/alerts/webhook", group_wait=SECOND)
        alerting = stack.enter_context(Alertmanager(folder / "alertmanager", alertmanager(told)[0].text))
        options = PrometheusOptions(
            scrape_interval=SECOND,
            serving=(serving.url.removeprefix("http://"),),
            quality=(),
            trimtab=(f"127.0.0.1:{port}",),
            alertmanagers=(alerting.url,),
            rule_files=(written_rules(folder / "rules"),),
        )
        server = Prometheus(
            folder / "prometheus", prometheus_config(options)[0].text, data=past.copy_to(folder / "prometheus")
        )
        prometheus = stack.enter_context(server)
        images = cycle(held_out(20))
        wait_until(  # a counter that is born with its requests counted has not grown: they have to go on
            lambda: bool(predict(serving, next(images)) and prometheus.query(LIVE)), within_s=20, what="a live rate"
        )
        text = settings_text(prometheus.url, folder, alertmanager={"url": alerting.url})
        trimtab = stack.enter_context(TrimtabServer(folder / "trimtab", text, port=port))
        wait_until(lambda: answers(f"{trimtab.url}/ready"), within_s=FIRST_CYCLE_S, what="the first cycle")
        yield Running(serving=serving, prometheus=prometheus, alertmanager=alerting, trimtab=trimtab)


def held_out(count: int) -> list[list[float]]:
    with gzip.open(HELD_OUT, "rt", newline="") as text:
        return [[float(pixel) for pixel in row[1:]] for row in list(csv.reader(text))[1 : count + 1]]


def predict(serving: ModelServer, image: list[float]) -> Any:
    body = json.dumps({"model_id": "digits", "input_data": [image]}).encode()
    request = urllib.request.Request(
        f"{serving.url}/predict", data=body, headers={"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["outputs"]["label"]


def number(prometheus: Prometheus, query: str) -> float:
    """The value of a query that gives exactly one element, once it does."""
    (element,) = prometheus.wait_for(query)
    return float(element["value"][1])


def query_of(manifest: str) -> str:
    """What the ScaledObject's Prometheus trigger asks."""
    objects = [loaded for loaded in yaml.safe_load_all(manifest) if loaded["kind"] == "ScaledObject"]
    (trigger,) = [one for one in objects[0]["spec"]["triggers"] if one["type"] == "prometheus"]
    assert trigger["metadata"]["threshold"] == "1"
    return str(trigger["metadata"]["query"])


def test_a_served_workload_gets_a_recommendation(running: Running) -> None:
    """Weeks of recorded load and the live replica's own requests are one history."""
    found = running.trimtab.recommendation()
    assert found["kind"] == "act"
    assert found["status"] == "open"
    assert found["replicas"] > 1
    assert found["evidence"]["forecast"]["quantiles_rps"]["p50"]
    assert sum(each["weight"] for each in found["evidence"]["forecast"]["predictors"]) == pytest.approx(1.0, abs=1e-4)
    history = 'count(count_over_time(service_model:ai_requests:rate5m{service="vision"}[10m]))'
    assert number(running.prometheus, history) == 1


def test_an_autoscaler_asks_prometheus_and_gets_the_recommended_number(running: Running, tmp_path: Path) -> None:
    """Both renderings of the ScaledObject: the exact one, and that for clusters whose HPA has a tolerance."""
    found = running.trimtab.recommendation()
    wanted, runs = found["replicas"], found["current"]["replicas"]
    done = subprocess.run(
        [sys.executable, "-m", "trimtab", "render", "manifests", "--config", running.trimtab.config, "--out", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (rendered,) = (tmp_path / "keda").glob("*.yaml")
    assert number(running.prometheus, query_of(rendered.read_text())) == ladder(1, 60, through=runs).value(wanted)

    exact = ManifestOptions(exact_tolerance=True)
    program = build(parse_settings(running.trimtab.config.read_text(), name="settings", base=tmp_path))
    workloads = {each.id: each for each in program.journal.workloads()}
    newest = [record.recommendation for record in program.recommendations.newest()]
    program.database.close()
    (artifact,) = [each for each in render(workloads, newest, exact) if each.path.parent.name == "keda"]
    assert number(running.prometheus, query_of(artifact.text)) == wanted


def test_more_load_ahead_than_is_ready_alerts_through_alertmanager_to_trimtab(running: Running) -> None:
    """One replica is ready and the forecast needs many: the generated alert reaches the webhook of Trimtab."""

    def told() -> list[dict[str, Any]]:
        return [
            alert
            for alert in get_json(f"{running.trimtab.url}/alerts")["items"]
            if alert["labels"]["alertname"] == ALERT
        ]

    wait_until(lambda: bool(told()), within_s=40, what=f"{ALERT} told to Trimtab")
    (alert,) = told()
    assert alert["status"] == "firing"
    assert alert["labels"]["workload"] == NAME
    assert "requests/s are forecast" in alert["annotations"]["description"]
    active = {one["labels"]["alertname"] for one in running.alertmanager.alerts()}
    assert ALERT in active
