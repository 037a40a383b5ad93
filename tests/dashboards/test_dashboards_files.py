"""Rendered dashboards as whole files, and the promises that a linter would check."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards import DashboardOptions, render
from dashboards.queries import all_panels, panel_queries
from dashboards.stats import ages
from domain.artifact import Artifact
from domain.signals import RuntimeProfile
from domain.workload import Workload
from monitor.profiles import PROFILES
from tests.conftest import require
from tests.dashboards.boards import ALIAS, DIGITS, EVERYTHING, LLAMA, ONE_RUNTIME, OTHER, PLAIN
from tests.golden_files import assert_golden

# Unit ids of Grafana 11.6 (packages/grafana-data/src/valueFormats/categories.ts) that we use.
UNITS = {"short", "s", "reqps", "percentunit", "bytes", "currencyUSD"}
REAL = tuple(
    (Workload(id=":".join(f"x{i}" for i, _ in enumerate(p.identity)), runtime=p.name,
              labels={label: f"x{i}" for i, label in enumerate(p.identity)}), p)
    for p in PROFILES.values()
)  # fmt: skip

OVERVIEWS = {"trimtab-fleet", "trimtab-costs", "trimtab-quality", "trimtab-health"}
BUDGETS = DashboardOptions(budgets=True)
Targets = tuple[tuple[Workload, RuntimeProfile], ...]


def dashboards_of(artifacts: tuple[Artifact, ...]) -> dict[str, dict[str, Any]]:
    """The JSON files by uid."""
    return {a.path.stem: json.loads(a.text) for a in artifacts if a.path.suffix == ".json"}


ALL = {**dashboards_of(render(EVERYTHING, BUDGETS)), **dashboards_of(render(REAL, BUDGETS))}
FEW = dashboards_of(render(((LLAMA, OTHER),)))  # of a runtime that records nothing
PANELS = [(uid, panel) for boards in (ALL, FEW) for uid, board in boards.items() for panel in all_panels(board)]
PANEL_NAMES = [f"{uid}: {panel['title']}" for uid, panel in PANELS]


@pytest.mark.parametrize("artifact", render(ONE_RUNTIME, BUDGETS), ids=lambda artifact: str(artifact.path))
def test_the_files_are_exactly_these(artifact: Artifact) -> None:
    assert_golden(f"dashboards/{artifact.path}", artifact.text)


def test_the_order_of_workloads_changes_nothing() -> None:
    assert render(EVERYTHING) == render(tuple(reversed(EVERYTHING)))


def test_json_is_sorted_and_ends_in_a_newline() -> None:
    for artifact in render(EVERYTHING):
        if artifact.path.suffix == ".json":
            again = json.dumps(json.loads(artifact.text), sort_keys=True, indent=2, ensure_ascii=False)
            assert artifact.text == again + "\n"


def test_without_workloads_the_fleet_still_shows_our_own_metrics() -> None:
    boards = dashboards_of(render(()))
    assert set(boards) == OVERVIEWS
    assert all(panel_queries(json.dumps(board), {}) for board in boards.values())


def test_there_is_one_dashboard_a_runtime_and_one_for_an_alias() -> None:
    uids = sorted(set(dashboards_of(render(EVERYTHING))) - OVERVIEWS)
    assert re.fullmatch(r"trimtab-workload-id-chat-prod-[0-9a-f]{8}", uids[0])
    assert uids[1:] == ["trimtab-workload-other", "trimtab-workload-plain"]


@pytest.mark.parametrize("uid", ALL)
def test_uids_are_fixed_unique_and_fit_grafana(uid: str) -> None:
    board = ALL[uid]
    assert board["uid"] == uid
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", uid)
    assert board.get("id") is None
    assert board["editable"] is False
    assert [other["title"] for other in ALL.values()].count(board["title"]) == 1


@pytest.mark.parametrize("uid", ALL)
def test_there_is_one_data_source_variable_and_no_input_that_only_the_import_page_resolves(uid: str) -> None:
    variables = ALL[uid]["templating"]["list"]
    sources = [variable for variable in variables if variable["type"] == "datasource"]
    assert [(source["name"], source["query"], source["label"]) for source in sources] == [
        ("datasource", "prometheus", "Data source")
    ]
    assert "__inputs" not in ALL[uid]
    assert "DS_PROMETHEUS" not in json.dumps(ALL[uid])


@pytest.mark.parametrize("uid, panel", PANELS, ids=PANEL_NAMES)
def test_every_panel_says_what_it_shows(uid: str, panel: dict[str, Any]) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    assert panel["title"]
    assert len(panel["description"]) > 20
    assert defaults["unit"] in UNITS
    assert defaults["thresholds"]["steps"][0].get("value") is None
    assert defaults["noValue"] == "no data"
    assert panel["targets"]


@pytest.mark.parametrize("uid, panel", PANELS, ids=PANEL_NAMES)
def test_every_panel_and_query_uses_the_data_source_variable(uid: str, panel: dict[str, Any]) -> None:
    expected = {"type": "prometheus", "uid": "${datasource}"}
    assert panel["datasource"] == expected
    assert all(target["datasource"] == expected for target in panel["targets"])


@pytest.mark.parametrize("uid", ALL)
def test_panels_have_ids_and_neither_overlap_nor_leave_the_grid(uid: str) -> None:
    panels = ALL[uid]["panels"]
    ids = [panel["id"] for panel in panels]
    assert ids == list(range(1, len(panels) + 1))
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] >= 0
        assert place["x"] + place["w"] <= 24
        assert place["h"] > 0
    assert [(a["title"], b["title"]) for a, b in combinations(panels, 2) if overlap(a["gridPos"], b["gridPos"])] == []


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    """Whether two places share any cell."""
    apart = (
        one["x"] + one["w"] <= other["x"]
        or other["x"] + other["w"] <= one["x"]
        or one["y"] + one["h"] <= other["y"]
        or other["y"] + other["h"] <= one["y"]
    )
    return not apart


def test_rates_follow_the_zoom() -> None:
    windows = [
        window
        for _, panel in PANELS
        for target in panel["targets"]
        for window in re.findall(r"\b(?:rate|deriv|max_over_time)\([^\[]*\[([^\]]+)\]", target["expr"])
    ]
    assert set(windows) == {"$__rate_interval"}


def test_a_job_is_never_written_out() -> None:
    """Whoever scrapes names the jobs: series of a process are found by the metrics that only it has."""
    assert [
        name for (_, panel), name in zip(PANELS, PANEL_NAMES, strict=True) if "job=" in json.dumps(panel["targets"])
    ] == []


def test_no_panel_is_refreshed_faster_than_its_data_comes_and_nothing_is_stacked() -> None:
    assert {board["refresh"] for board in ALL.values()} == {"1m"}
    styles = [panel["fieldConfig"]["defaults"].get("custom", {}) for _, panel in PANELS]
    assert [style for style in styles if style.get("stacking", {}).get("mode") not in (None, "none")] == []


def test_counters_are_never_shown_raw() -> None:
    for _, panel in PANELS:
        for target in panel["targets"]:
            for counter in re.finditer(r"\b[\w:]+_total\b", target["expr"]):
                assert re.search(r"(?:rate|increase)\($", target["expr"][: counter.start()]), target["expr"]


def test_links_lead_to_dashboards_that_exist() -> None:
    boards = dashboards_of(render(EVERYTHING))
    for board in boards.values():
        for link in board["links"]:
            if link["type"] == "link":
                assert link["url"].removeprefix("/d/").split("?")[0] in boards
            else:
                assert any(set(link["tags"]) <= set(other["tags"]) for other in boards.values())


def test_every_dashboard_leads_to_every_overview_and_to_the_workloads() -> None:
    for uid, board in dashboards_of(render(EVERYTHING)).items():
        links = [link for link in board["links"] if link["type"] == "link"]
        assert {link["url"].removeprefix("/d/").split("?")[0] for link in links} == OVERVIEWS - {uid}
        assert all("var-datasource=${datasource}" in link["url"] and link["keepTime"] for link in links)
        assert [link["tags"] for link in board["links"] if link["type"] == "dashboards"] == [["trimtab-workload"]]


@pytest.mark.parametrize("overview", ["trimtab-fleet", "trimtab-costs"])
def test_a_line_of_a_table_leads_each_workload_to_its_own_dashboard(overview: str) -> None:
    boards = dashboards_of(render(EVERYTHING))
    (table,) = (panel for panel in all_panels(boards[overview]) if panel["type"] == "table")
    links = [
        prop["value"][0]["url"]
        for override in table["fieldConfig"]["overrides"]
        for prop in override["properties"]
        if prop["id"] == "links"
    ]
    assert links == [
        "/d/${__data.fields.dashboard}?var-workload=${__value.text:percentencode}&var-datasource=${datasource}&${__url_time_range}"
    ]
    named = set(re.findall(r'"dashboard", "([^"]+)"', table["targets"][0]["expr"]))
    assert named == set(boards) - OVERVIEWS


def test_a_workload_is_chosen_among_those_of_its_runtime() -> None:
    boards = dashboards_of(render(EVERYTHING))
    (plain,) = (v for v in boards["trimtab-workload-plain"]["templating"]["list"] if v["name"] == "workload")
    (other,) = (v for v in boards["trimtab-workload-other"]["templating"]["list"] if v["name"] == "workload")
    assert re.search(r'workload!~".*chat.*\|llama"', plain["query"])
    assert other["query"] == 'label_values(trimtab_recommendation_info{workload=~"llama"}, workload)'


def test_a_workload_that_nobody_listed_is_found_on_its_runtimes_dashboard() -> None:
    boards = dashboards_of(render(((DIGITS, PLAIN), (ALIAS, OTHER))))
    (table,) = (panel for panel in all_panels(boards["trimtab-fleet"]) if panel["type"] == "table")
    assert '"dashboard", "trimtab-workload-plain", "", ""' in table["targets"][0]["expr"]


def test_every_dashboard_marks_recommendations_and_alerts() -> None:
    for board in ALL.values():
        marks = {mark["name"]: mark for mark in board["annotations"]["list"]}
        assert set(marks) == {"Recommendations", "Recommended numbers", "Alerts"}
        assert all(mark["titleFormat"] and mark["datasource"]["uid"] == "${datasource}" for mark in marks.values())
        assert "trimtab_recommendation_info" in marks["Recommendations"]["expr"]
        assert "ALERTS" in marks["Alerts"]["expr"]


def test_the_labels_of_a_workload_are_cut_out_of_its_id() -> None:
    text = next(a.text for a in render(ONE_RUNTIME) if a.path.stem == "trimtab-workload-plain")
    exprs = [query.expr for query in panel_queries(text, {"workload": "vision:digits:v2"})]
    assert 'sum by (service, model) (plain_ready{model="digits:v2",service="vision"})' in exprs


def test_an_alias_is_asked_for_by_its_own_labels() -> None:
    text = next(a.text for a in render(((ALIAS, OTHER),)) if "-id-" in a.path.stem)
    exprs = [query.expr for query in panel_queries(text, {})]
    assert any('{model_name="qwen",namespace="prod"}' in expr for expr in exprs)
    assert any(r'workload="chat \"prod\" é"' in expr for expr in exprs)


def test_bounds_are_the_strictest_of_the_workloads_shown() -> None:
    boards = dashboards_of(render(ONE_RUNTIME))
    steps = {
        panel["title"]: [step.get("value") for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]
        for panel in all_panels(boards["trimtab-workload-plain"])
    }
    assert steps["Share of requests that fail"] == [None, pytest.approx(0.0005)]
    assert steps["Latency"] == [None, 0.25]
    assert steps["Accuracy of the model"] == [None, 0.9]


def test_without_a_budget_there_is_no_panel_about_budgets() -> None:
    titles = {panel["title"] for panel in all_panels(dashboards_of(render(EVERYTHING))["trimtab-costs"])}
    assert "Saving proposed and its range, USD/month" in titles
    assert titles & {"Spent of the budget", "Spent this month, USD"} == set()


@pytest.mark.parametrize("uid", ["trimtab-fleet", "trimtab-health", "trimtab-workload-plain"])
def test_the_age_of_inputs_is_coloured_where_the_alert_tells_and_where_nothing_is_decided(uid: str) -> None:
    options = DashboardOptions(stale=timedelta(minutes=20), too_old=timedelta(minutes=45))
    panels = {panel["title"]: panel for panel in all_panels(dashboards_of(render(ONE_RUNTIME, options))[uid])}
    oldest = panels["Oldest input"]
    assert "older than 45 minutes nothing is decided on it" in oldest["description"]
    steps = [(step.get("value"), step["color"]) for step in oldest["fieldConfig"]["defaults"]["thresholds"]["steps"]]
    assert steps == [(None, "green"), (1200.0, "orange"), (2700.0, "red")]


def test_an_alert_that_comes_after_the_last_decision_has_no_colour_of_its_own() -> None:
    late = ages(DashboardOptions(stale=timedelta(minutes=45), too_old=timedelta(minutes=30)))
    assert [(step.value, step.colour) for step in late] == [(None, "green"), (1800.0, "red")]


def test_long_names_make_uids_that_differ() -> None:
    twins = tuple(
        (Workload(id=f"{'long-' * 20}{end}", runtime="plain", labels={"pool": end}), PLAIN) for end in ("a", "b")
    )
    boards = dashboards_of(render(twins))
    assert len(boards) == len(OVERVIEWS) + 2
    assert max(map(len, boards)) <= 40


def test_provisioning_is_what_grafana_reads() -> None:
    options = DashboardOptions(prometheus_url="http://prom.example:9090/$x", folder="Cost", dashboards_path="/d")
    files = {a.path.name: yaml.safe_load(a.text) for a in render((), options) if a.path.suffix == ".yml"}
    (source,) = files["datasources.yml"]["datasources"]
    (provider,) = files["dashboards.yml"]["providers"]
    assert (source["url"], source["type"], source["uid"]) == (
        "http://prom.example:9090/$$x",
        "prometheus",
        "trimtab-prometheus",
    )
    assert (provider["folder"], provider["options"]["path"]) == ("Cost", "/d")


def test_every_query_is_promql(tmp_path: Path) -> None:
    """Prometheus' own parser reads each, as a recording rule."""
    require("promtool")
    chosen = {"trimtab-workload-other": LLAMA.id, "trimtab-workload-plain": DIGITS.id}
    exprs = {
        query.expr
        for uid, board in ALL.items()
        for query in panel_queries(json.dumps(board), {"workload": chosen.get(uid, 'a:"b\\')})
    }
    rules = [{"record": f"checked:{i}", "expr": expr} for i, expr in enumerate(sorted(exprs))]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}), encoding="utf-8")
    checked = subprocess.run(["promtool", "check", "rules", file], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_importing_the_part_does_not_load_the_sdk() -> None:
    code = "import sys, dashboards, dashboards.report; print([m for m in ('grafana_foundation_sdk', 'jinja2', 'yaml') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
