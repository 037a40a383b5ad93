"""From settings to the options of dashboards and manifests: what others will read rests on their addresses."""

from __future__ import annotations

import re
import textwrap
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from manifests import Form
from rules import RuleOptions
from trimtab.demo.interrupts import Interrupts
from trimtab.demo.processes import Processes
from trimtab.demo.stage import Stage
from trimtab.rendering import dashboard_options, manifest_options, rule_options
from trimtab.settings import Settings
from trimtab.settings_file import parse_settings, read_settings

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "trimtab.yaml"


def parsed(text: str) -> Settings:
    return parse_settings(text, name="trimtab.yaml", base=Path())


@pytest.mark.parametrize(
    "own,cluster,address",
    [
        ("http://prometheus.monitoring:9090", None, "http://prometheus.monitoring:9090"),
        ("http://me:secret@prometheus.monitoring:9090", None, "http://prometheus.monitoring:9090"),
        ("http://127.0.0.1:9090", None, None),
        ("http://localhost:9090", None, None),
        ("http://[::1]:9090", None, None),
        ("http://127.0.0.1:9090", "http://me:secret@inside:80", "http://inside:80"),
        (None, None, None),
        (None, "http://inside:80", "http://inside:80"),
    ],
)
def test_a_cluster_is_never_sent_to_an_address_of_this_machine(
    own: str | None, cluster: str | None, address: str | None
) -> None:
    """Nor is a password of ours written into a manifest."""
    sections = {"prometheus": {"url": own}} if own else {}
    settings = parsed(yaml.safe_dump({**sections, "emit": {"cluster": {"prometheus_url": cluster}}}))
    assert manifest_options(settings).prometheus_url == address


def test_every_setting_of_the_cluster_reaches_the_manifests() -> None:
    options = manifest_options(
        parsed("""
emit:
  manifests: [helm, keda-schedule]
  cluster: {timezone: Europe/Berlin, exact_tolerance: true, cpu_utilization: 60, polling_s: 15, scale_down_window_s: 600,
            failures_before_fallback: 5, headroom: 1.5}
""")
    )
    assert options.forms == frozenset({Form.HELM, Form.KEDA_SCHEDULE})
    assert (options.timezone, options.exact_tolerance, options.cpu_utilization) == ("Europe/Berlin", True, 60)
    assert (options.polling, options.scale_down_window) == (timedelta(seconds=15), timedelta(minutes=10))
    assert (options.failures_before_fallback, options.headroom) == (5, 1.5)


def test_the_pace_of_a_budget_reaches_its_alert() -> None:
    assert rule_options(parsed("rules: {budget_ahead: 1.5}")).budget_ahead == 1.5
    assert rule_options(parsed("")).budget_ahead == RuleOptions().budget_ahead


def test_every_setting_of_grafana_reaches_the_dashboards() -> None:
    options = dashboard_options(
        parsed("""
prometheus: {url: "http://me:secret@here:9090"}
emit: {grafana: {dashboards_path: /d, folder: Cost, scrape_interval_s: 30}}
""")
    )
    assert options.prometheus_url == "http://here:9090"
    assert (options.budgets, options.budget_ahead, options.stale) == (False, 1.1, timedelta(minutes=15))
    assert (options.dashboards_path, options.folder, options.scrape_interval) == ("/d", "Cost", timedelta(seconds=30))
    other = dashboard_options(parsed("emit: {grafana: {prometheus_url: 'http://there:9090'}}"))
    assert other.prometheus_url == "http://there:9090"


def test_dashboards_keep_to_the_bounds_of_decisions_and_alerts() -> None:
    options = dashboard_options(
        parsed("""
history: {step_s: 600}
decisions: {max_input_age_minutes: 40}
objectives: [{team: vision, budget_usd_per_month: 100}]
""")
    )
    assert (options.stale, options.too_old) == (timedelta(minutes=30), timedelta(minutes=40))
    assert options.budgets


def test_the_settings_know_every_form() -> None:
    settings = parsed(yaml.safe_dump({"emit": {"manifests": [form.value for form in Form]}}))
    assert manifest_options(settings).forms == frozenset(Form)


@pytest.mark.parametrize("page,beginning", [("manifests.md", "emit:"), ("dashboards.md", "emit:")])
def test_the_settings_that_the_docs_show_are_settings(page: str, beginning: str) -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / page).read_text(encoding="utf-8")
    blocks = [textwrap.dedent(block) for block in re.findall(r"(?:^(?:    .*)?\n)+", text, re.MULTILINE)]
    shown = [block.strip("\n") for block in blocks if block.strip("\n").startswith(beginning)]
    assert shown
    for block in shown:
        assert parsed(block).emit != Settings().emit


def test_the_example_has_budgets_and_the_demonstration_watches_them(tmp_path: Path) -> None:
    settings = read_settings(EXAMPLE)
    assert [each.labels for each in settings.objectives] == [{"workload": "llama-8b"}, {"team": "vision"}]
    stage = Stage.on(tmp_path, Processes(tmp_path, Interrupts()))
    stage.write_rules(settings, [])
    assert "TrimtabCostOverBudget" in (tmp_path / "rules" / "trimtab-fleet.rules.yml").read_text(encoding="utf-8")
