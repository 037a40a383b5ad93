"""Every file of every form is read by what it is for."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import PurePosixPath
from typing import Any

import pytest
import yaml

from domain.artifact import Artifact
from domain.plan import Recommendation
from manifests import Form, ManifestOptions, render
from tests.manifests.advice import DIGITS, ECS, ODD, OFFICE, act, bought, planned
from tests.manifests.validators import (
    DATA,
    aws_accepts,
    keda_accepts,
    kubernetes_accepts,
    local_strategy,
    merged,
    strangers,
    terraform_accepts,
)

WORKLOADS = {each.id: each for each in (DIGITS, ODD, ECS)}
ADVICE: list[Recommendation] = [
    planned(act(DIGITS.id, 12, calendar=OFFICE)),
    act(ODD.id, 3),
    bought(planned(act(ECS.id, 12, calendar=OFFICE)), reserved=4, on_demand=3.1, spot=4.9),
]
FILES = [
    each for each in render(WORKLOADS, ADVICE, ManifestOptions(forms=frozenset(Form))) if each.path.name != "README.md"
]


def test_every_form_has_files() -> None:
    assert {each.path.parts[0] for each in FILES} == {form.value for form in Form}


@pytest.mark.parametrize("artifact", FILES, ids=lambda artifact: str(artifact.path))
def test_every_file_passes_its_validator(artifact: Artifact) -> None:
    if artifact.path.suffix == ".tf":
        assert terraform_accepts(artifact.text)
        assert local_strategy(artifact.text)
    elif artifact.path.suffix == ".sh":
        script_is_accepted(artifact.text)
    else:
        body_is_accepted(artifact.path, yaml.safe_load(artifact.text))


def script_is_accepted(text: str) -> None:
    """By the shell, and each command's input by AWS."""
    assert subprocess.run(["sh", "-n"], input=text, text=True, check=False).returncode == 0
    commands = [shlex.split(line) for line in text.splitlines() if line.startswith("aws ")]
    assert commands
    for command in commands:
        assert command[:4] == ["aws", "application-autoscaling", "put-scheduled-action", "--cli-input-json"]
        aws_accepts("application-autoscaling", "PutScheduledAction", json.loads(command[4]))


def body_is_accepted(path: PurePosixPath, body: dict[str, Any]) -> None:
    """By the schema of its kind; what is no object of Kubernetes by what takes it."""
    match body.get("kind"):
        case "HorizontalPodAutoscaler":
            kubernetes_accepts(body)
        case "ScaledObject":
            keda_accepts(body)
        case "Deployment":
            kubernetes_accepts(merged(deployment_of(body), body))
        case "Component":
            assert set(body) <= {"apiVersion", "kind", "resources", "patches"}
        case _:
            other_is_accepted(path, body)


def other_is_accepted(path: PurePosixPath, body: dict[str, Any]) -> None:
    if path.parts[0] == Form.ECS:
        aws_accepts("ecs", "UpdateService", body)
    elif path.parts[0] == Form.HELM:
        assert list(strangers(body, yaml.safe_load((DATA / "chart" / "values.yaml").read_text(encoding="utf-8")))) == []
    else:
        assert path == PurePosixPath("adapter/rules.yaml")
        for rule in body["externalRules"]:
            assert set(rule) == {"seriesQuery", "resources", "name", "metricsQuery"}
            assert re.fullmatch(r"[a-z0-9_]+", rule["name"]["as"])


def deployment_of(patch: dict[str, Any]) -> dict[str, Any]:
    """A Deployment that the patch is for."""
    (changed,) = patch["spec"]["template"]["spec"]["containers"]
    pods = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": changed["name"], "image": "x:1"}]}}
    spec = {"selector": {"matchLabels": {"app": "x"}}, "template": pods}
    return {**{key: patch[key] for key in ("apiVersion", "kind", "metadata")}, "spec": spec}
