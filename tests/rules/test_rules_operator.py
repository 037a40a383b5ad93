"""Rules as objects of the Prometheus operator: what its own schema accepts, and the same rules as the files."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from cloudcoil.models.prometheus_operator.v1 import PrometheusRule

from domain.artifact import Artifact
from rules import OperatorOptions, RuleOptions, render
from tests.golden_files import assert_golden
from tests.rules.fleet import DIGITS, FLEET, OWN
from trimtab.rendering import render as render_kind
from trimtab.settings_file import parse_settings

OPERATOR = OperatorOptions(namespace="monitoring", labels={"release": "kube-prometheus-stack"})
OPTIONS = RuleOptions(operator=OPERATOR, budgets=True)


def objects(artifacts: tuple[Artifact, ...]) -> dict[str, Artifact]:
    """The objects among the files, by the name of the rule file that each is made of."""
    suffix = ".prometheusrule.yaml"
    return {
        each.path.name.removesuffix(suffix) + ".rules.yml": each
        for each in artifacts
        if each.path.name.endswith(suffix)
    }


def test_every_rule_file_has_an_object_that_the_operators_schema_accepts_whole() -> None:
    """Nothing is lost on the way through the schema: an unknown field would be."""
    artifacts = render(FLEET, (), OPTIONS)
    found = objects(artifacts)
    assert set(found) == {each.path.name for each in artifacts if each.path.name.endswith(".rules.yml")}
    for file, each in found.items():
        content = yaml.safe_load(each.text)
        read = PrometheusRule.model_validate(content)
        assert read.model_dump(by_alias=True, exclude_unset=True, mode="json") == content, file


def test_an_object_holds_the_rules_of_its_file_and_is_found_by_its_labels() -> None:
    artifacts = render(FLEET, (), OPTIONS)
    files = {each.path.name: yaml.safe_load(each.text) for each in artifacts if each.path.name.endswith(".rules.yml")}
    for file, each in objects(artifacts).items():
        content = yaml.safe_load(each.text)
        assert content["spec"] == files[file]
        name = content["metadata"]["name"]
        assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name)
        assert content["metadata"]["labels"]["release"] == "kube-prometheus-stack"
        assert len(each.text) < 1_000_000  # what a cluster keeps of one object


def test_an_object_is_its_golden_file() -> None:
    found = objects(render([(DIGITS, OWN)], (), OPTIONS))
    for file in ("trimtab-fleet.rules.yml", "recorded-trimtab-serving.rules.yml"):
        assert_golden(f"rules/operator/{found[file].path}", found[file].text)


def test_the_settings_choose_the_form() -> None:
    text = """
workloads: [{id: "vision:digits", match: {service: vision, model: digits}}]
rules: {form: crd, namespace: monitoring, labels: {release: stack}, proof_days: 0}
"""
    settings = parse_settings(text, name="test", base=Path())
    found = objects(render_kind("rules", settings, [DIGITS], ()))
    content = yaml.safe_load(found["trimtab-fleet.rules.yml"].text)
    assert content["metadata"]["namespace"] == "monitoring"
    assert content["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "trimtab", "release": "stack"}
    assert not objects(
        render_kind("rules", settings.model_copy(update={"rules": type(settings.rules)()}), [DIGITS], ())
    )
