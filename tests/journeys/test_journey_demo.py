"""The bundled demonstration, run as a person would: what it shows, and that it leaves nothing behind.

The first test starts the standing demonstration. It gathers samples of its own while the short ones come and go, so that
the tests that look at it afterwards need not wait for them.
"""

from __future__ import annotations

import csv
import io
import os
import re
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.queries import panel_queries
from manifests import Form
from tests.journeys.demo_process import Demo
from tests.manifests.validators import manifest_is_accepted
from tests.servers import get_json, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.servers]

# A workload that each dashboard is looked at with.
CHOSEN = {"trimtab-workload-vllm": "llama-8b"}
EXPECTED = "vision:digits"
# Known only after some of the demonstration's own requests: accuracy after 50 labelled answers, a first cycle's age.
LATER_S = 90.0
DRIFT_KNOWN_AFTER = 300  # predictions: the reference and the current window that the stage gives the exporter


def counted(printed: str) -> int:
    found = re.search(r"^recommendations: (\d+)$", printed, re.MULTILINE)
    assert found, printed
    return int(found[1])


def nothing_is_left(demo: Demo) -> None:
    assert demo.left_running() == []
    assert list(demo.scratch.iterdir()) == []


@pytest.fixture(scope="module")
def standing(
    tmp_path_factory: pytest.TempPathFactory, prometheus_installed: None, alertmanager_installed: None
) -> Iterator[Demo]:
    """A demonstration that stays, ready to be looked at."""
    with Demo(tmp_path_factory.mktemp("demo")) as demo:
        demo.wait_for("Ctrl-C ends it all", within_s=240)
        wait_until(lambda: "rules, dashboards, manifests" in demo.addresses, within_s=5, what="all addresses")
        yield demo


def ask(demo: Demo, expression: str) -> list[dict[str, Any]]:
    """The answer of the demonstration's Prometheus."""
    answer = get_json(f"{demo.addresses['Prometheus']}/api/v1/query", query=expression)
    result: list[dict[str, Any]] = answer["data"]["result"]
    return result


def wait_for(demo: Demo, expression: str) -> list[dict[str, Any]]:
    wait_until(lambda: bool(ask(demo, expression)), within_s=LATER_S, what=expression)
    return ask(demo, expression)


def text_of(address: str) -> str:
    with urllib.request.urlopen(address, timeout=10) as answer:
        text: str = answer.read().decode()
        return text


def column(table: str, workload: str, name: str) -> str:
    """One cell of a CSV whose rows are told apart by `workload`."""
    rows = csv.DictReader(io.StringIO(table))
    return next(row[name] for row in rows if row["workload"] == workload)


def recommendations(demo: Demo) -> dict[str, dict[str, Any]]:
    return {item["workload"]: item for item in get_json(demo.addresses["API"])["items"]}


def artifacts(demo: Demo, kind: str) -> Path:
    return Path(demo.addresses["rules, dashboards, manifests"]) / kind


def test_it_recommends_a_schedule_and_serverless_and_holds_for_want_of_data(standing: Demo) -> None:
    assert counted(standing.printed) == 4
    found = recommendations(standing)
    digits, tagger, young = found["vision:digits"], found["images:tagger"], found["reasoner-32b"]
    assert digits["kind"] == "act"
    assert len({step["replicas"] for step in digits["calendar"]}) > 1
    assert digits["saving_usd_per_month"] > 0
    assert tagger["kind"] == "act"
    assert tagger["proposed"]["mode"] == "serverless"
    assert young["kind"] == "hold"
    assert young["proposed"] is None
    assert young["replicas"] is None
    assert "history" in young["needs"]


def test_once_it_ends_by_itself(tmp_path: Path, prometheus_installed: None, alertmanager_installed: None) -> None:
    with Demo(tmp_path, "--once") as demo:
        assert demo.ended(within_s=240) == 0, demo.printed
        assert counted(demo.printed) == 4
        assert "Traceback" not in demo.printed
        nothing_is_left(demo)


def test_embedded_it_needs_no_servers(tmp_path: Path) -> None:
    with Demo(tmp_path, "--embedded", "--once") as demo:
        assert demo.ended(within_s=120) == 0, demo.printed
        assert "no Prometheus" in demo.printed
        assert counted(demo.printed) == 4
        nothing_is_left(demo)


@pytest.mark.parametrize("moment", ["starting a model server", "back-filling"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminated"])
def test_interrupted_at_work_it_ends_everything(
    moment: str, number: signal.Signals, tmp_path: Path, prometheus_installed: None, alertmanager_installed: None
) -> None:
    with Demo(tmp_path, "--once") as demo:
        demo.wait_for(moment, within_s=30)
        demo.process.send_signal(number)
        assert demo.ended(within_s=30) == 130
        assert "Traceback" not in demo.printed
        nothing_is_left(demo)


def test_interrupted_while_it_looks_back_it_ends_everything(
    tmp_path: Path, prometheus_installed: None, alertmanager_installed: None
) -> None:
    """There it decides in its own process, with threads that ask Prometheus."""
    with Demo(tmp_path, "--once") as demo:
        demo.wait_for("deciding as of", within_s=240)
        demo.interrupt()
        assert demo.ended(within_s=30) == 130
        assert "Traceback" not in demo.printed
        nothing_is_left(demo)


def test_a_server_that_dies_is_named(tmp_path: Path, prometheus_installed: None, alertmanager_installed: None) -> None:
    """One clear line, exit code 1, and everything else is ended."""
    with Demo(tmp_path, "--once") as demo:
        demo.wait_for("back-filling", within_s=30)
        os.kill(demo.child("prometheus-alertmanager"), signal.SIGKILL)
        assert demo.ended(within_s=60) == 1
        last = demo.printed.splitlines()[-1]
        assert last.startswith("trimtab: alertmanager: ended by itself with code -9")
        assert "Traceback" not in demo.printed
        nothing_is_left(demo)


def test_every_panel_of_every_dashboard_has_data(standing: Demo) -> None:
    """All dashboards that the demonstration wrote, each query asked of its own Prometheus.

    Drift is not known before the quality exporter has its two windows of predictions, which takes minutes.
    """
    boards = sorted(artifacts(standing, "dashboards").glob("*.json"))
    assert len(boards) == 6
    asked = [
        (f"{board.stem}: {query.title}", query.expr)
        for board in boards
        for query in panel_queries(board.read_text(), {"workload": CHOSEN.get(board.stem, EXPECTED)})
    ]
    assert len(asked) > 110

    def silent() -> list[str]:
        missing = [(title, expression) for title, expression in asked if not ask(standing, expression)]
        told = ask(standing, f"ai_quality_predictions_total < {DRIFT_KNOWN_AFTER}")
        return [
            f"{title}: {expression}" for title, expression in missing if not (told and "ai_model_drift" in expression)
        ]

    try:
        wait_until(lambda: not silent(), within_s=LATER_S, what="data for every panel")
    except TimeoutError:
        assert silent() == []


def test_an_autoscaler_reads_the_recommended_number(standing: Demo) -> None:
    """The very query of the written ScaledObject gives one number, at least the recommended one."""
    objects = [
        loaded
        for file in (artifacts(standing, "manifests") / "keda").glob("*.yaml")
        for loaded in yaml.safe_load_all(file.read_text())
        if loaded and loaded["kind"] == "ScaledObject" and loaded["spec"]["scaleTargetRef"]["name"] == "digits"
    ]
    assert len(objects) == 1
    triggers = [trigger for trigger in objects[0]["spec"]["triggers"] if trigger["type"] == "prometheus"]
    answer = wait_for(standing, triggers[0]["metadata"]["query"])
    assert len(answer) == 1
    assert float(answer[0]["value"][1]) >= recommendations(standing)["vision:digits"]["replicas"] > 0


def test_every_manifest_passes_its_validator(standing: Demo) -> None:
    """What was written of real advice is read by what it is for."""
    folder = artifacts(standing, "manifests")
    files = [file.relative_to(folder) for form in Form for file in sorted((folder / form).rglob("*.*"))]
    assert len(files) > 8
    for file in files:
        manifest_is_accepted(file, (folder / file).read_text(encoding="utf-8"))


def test_a_workload_held_for_want_of_data_has_no_number_to_follow(standing: Demo) -> None:
    wait_for(standing, 'trimtab_recommended_replicas{workload="vision:digits"}')
    assert ask(standing, 'trimtab_recommended_replicas{workload="reasoner-32b"}') == []
    assert ask(standing, 'trimtab_recommendation_info{workload="reasoner-32b",state="hold"}')


def test_live_samples_join_the_history(standing: Demo) -> None:
    """The real replica is asked, its requests are part of the load, and no replica is counted twice."""
    real = wait_for(standing, 'sum(rate(ai_requests_total{job="serving",service="vision",status="200"}[1m]))')
    assert float(real[0]["value"][1]) > 0
    recorded = wait_for(standing, 'service_model:ai_requests:rate5m{service="vision",model="digits"}')
    assert 10 < float(recorded[0]["value"][1]) < 80
    replicas = ask(standing, 'sum(ai_ready{service="vision",model="digits"})')
    assert float(replicas[0]["value"][1]) == 24
    gap = 'count_over_time(service_model:ai_requests:rate5m{service="vision",model="digits"}[1d])'
    assert float(ask(standing, gap)[0]["value"][1]) > 0.99 * 24 * 60


def test_accuracy_is_measured_on_real_predictions(standing: Demo) -> None:
    """It comes from the quality exporter, from labels of held-out images."""
    accuracy = wait_for(standing, "ai_model_accuracy")
    assert accuracy[0]["metric"]["job"] == "model-quality"
    assert {name: accuracy[0]["metric"][name] for name in ("service", "model")} == {
        "service": "vision",
        "model": "digits",
    }
    assert 0.8 < float(accuracy[0]["value"][1]) <= 1


def test_the_nightly_report_can_be_read(standing: Demo) -> None:
    """Yesterday's, as a page and as a table, with every workload in it; before it that of the day that was looked back to."""
    listed = get_json(f"{standing.addresses['web page']}reports")["items"]
    assert len(listed) == 2
    address = standing.addresses[f"report of {listed[0]['date']}"]
    page, table = text_of(address), text_of(f"{address}.csv")
    for workload in recommendations(standing):
        assert workload in page
        assert workload in table
    assert float(column(table, "vision:digits", "requests")) > 1e6


def test_what_was_accepted_two_evenings_ago_is_in_the_ledger_with_what_came_of_it(standing: Demo) -> None:
    """Nobody carried it out, and Prometheus saw that: the promise stands, nothing was realised, nothing became worse."""
    said = re.search(r"accepted by (.+) at (\S+ \S+) UTC, and carried out by nobody:", standing.printed)
    assert said
    page = standing.addresses["web page"]
    booked = {row["workload"]: row for row in get_json(f"{page}savings")["items"]}
    assert booked.keys() == {"vision:digits", "llama-8b"}
    for name, night in booked.items():
        accepted = get_json(f"{standing.addresses['API']}/{night['recommendation']}")
        assert (accepted["status"], accepted["decided_by"]) == ("accepted", said[1])
        assert accepted["decided_at"] == night["taken_up"]["at"] == f"{said[2].replace(' ', 'T')}:00Z"
        promised, ran = night["promised_usd"], night["ran_usd"]
        assert promised > 0
        assert promised == pytest.approx(accepted["saving_usd_per_month"] * 24 / 730, abs=1e-5)
        assert (night["realised_usd"], night["baseline_usd"], night["worse"]) == (0.0, ran, [])
        assert night["gap"]["not_applied"] < 0
        metric = f'trimtab_promised_saving_usd_per_month{{workload="{name}"}}'
        assert float(wait_for(standing, metric)[0]["value"][1]) == pytest.approx(promised * 730 / 24, abs=1e-3)
    assert recommendations(standing)["images:tagger"]["status"] == "open"
    assert f"by {said[1]}" in text_of(page)


def test_every_rule_evaluates(standing: Demo) -> None:
    groups = get_json(f"{standing.addresses['Prometheus']}/api/v1/rules")["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) > 20
    assert [rule for rule in rules if rule["health"] == "err"] == []


def test_ctrl_c_ends_everything(standing: Demo) -> None:
    """The last to look at the standing demonstration: a clean end, no process and no file left."""
    assert len(standing.left_running()) == 6
    standing.interrupt()
    assert standing.ended(within_s=30) == 0
    assert "Traceback" not in standing.printed
    nothing_is_left(standing)
