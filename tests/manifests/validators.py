"""What reads our manifests: Kubernetes' and KEDA's schemas, Terraform's language and provider, AWS's own models."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

import botocore.session
import botocore.validate
import hcl2
import jsonschema
import kubernetes_validate
import pytest
import yaml

from manifests import Form

DATA = Path(__file__).resolve().parents[1] / "data"
NEWEST = "1.37"


def kubernetes_accepts(manifest: Mapping[str, Any], version: str = NEWEST) -> None:
    """Strictly: a field that nobody knows is an error."""
    kubernetes_validate.validate(manifest, version, strict=True)


def keda_accepts(manifest: Mapping[str, Any]) -> None:
    """By KEDA's own schema of a ScaledObject, its fields closed so that a misspelt one fails as it does on a cluster."""
    schema = json.loads((DATA / "keda_scaledobject_v1alpha1.openapi.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(_closed(schema)).validate(manifest)


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(each) for name, each in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed


def aws_accepts(service: str, operation: str, body: Mapping[str, Any]) -> None:
    """By the model that AWS publishes of the call: names, types, what is required, limits."""
    model = botocore.session.get_session().get_service_model(service).operation_model(operation)
    report = botocore.validate.ParamValidator().validate(body, model.input_shape)
    assert not report.has_errors(), report.generate_report()


def terraform_accepts(text: str) -> list[tuple[str, str, dict[str, Any]]]:
    """The resources (kind, name, arguments) of a file that parses and gives each what its provider takes and needs."""
    parsed = hcl2.loads(text)
    provider = json.loads((DATA / "terraform_aws_provider.json").read_text(encoding="utf-8"))
    found = []
    for one in parsed.get("resource", []):
        for kind, named in one.items():
            for name, body in named.items():
                arguments = {key: value for key, value in body.items() if key != "lifecycle"}
                assert list(_wrong(arguments, provider[plain(kind)])) == []
                found.append((plain(kind), plain(name), arguments))
    return found


def local_strategy(text: str) -> list[dict[str, Any]]:
    """The capacity-provider strategy that the file gives as a local value, as the provider takes it."""
    provider = json.loads((DATA / "terraform_aws_provider.json").read_text(encoding="utf-8"))
    (local,) = hcl2.loads(text)["locals"]
    (items,) = (value for key, value in local.items() if not key.startswith("__"))
    for item in items:
        assert list(_wrong(item, provider["capacity_provider_strategy"])) == []
    return [{key: plain(value) if isinstance(value, str) else value for key, value in item.items()} for item in items]


def plain(text: str) -> str:
    """A text of Terraform without its quotes."""
    return text.strip('"')


def _wrong(arguments: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    given = {key: value for key, value in arguments.items() if not key.startswith("__")}
    yield from (f"{name} is missing" for name, known in schema.items() if known.get("required") and name not in given)
    for name, value in given.items():
        known = schema.get(name)
        if known is None:
            yield f"{name} is not known"
        elif "attributes" in known:
            assert len(value) == 1, f"{name} may stand once"
            yield from _wrong(value[0], known["attributes"])
        elif not _fits(value, known["type"]):
            yield f"{name} = {value!r} is no {known['type']}"


def _fits(value: Any, kind: str) -> bool:
    """Terraform turns a number into a text by itself; a reference is not followed."""
    if isinstance(value, str) and re.fullmatch(r"\$\{.*\}", value):
        return True
    return isinstance(value, int | float) if kind == "number" else isinstance(value, int | str)


def terraform_fmt(text: str) -> str:
    """The file as `terraform fmt` would have it; the test is skipped where Terraform is not installed."""
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not installed")
    alone = {**os.environ, "TF_CLI_CONFIG_FILE": os.devnull, "CHECKPOINT_DISABLE": "1"}
    done = subprocess.run(
        ["terraform", "fmt", "-"], input=text, capture_output=True, text=True, check=True, env=alone, timeout=60
    )
    return done.stdout


def kubectl(*arguments: str | Path) -> str:
    """What a kubectl that knows kustomize's components says, without a server; skipped where there is none."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    version = subprocess.run(
        ["kubectl", "version", "--client", "-o", "json"], capture_output=True, text=True, check=True
    )
    known = json.loads(version.stdout)
    if "kustomizeVersion" not in known:
        pytest.skip("kubectl is too old: its kustomize has no components")
    done = subprocess.run(
        ["kubectl", *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "KUBECONFIG": os.devnull},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def merged(below: Any, patch: Any) -> Any:
    """Kubernetes' strategic merge, for what our patches hold: mappings by key, containers by name, the rest replaced."""
    if isinstance(below, dict) and isinstance(patch, dict):
        return {key: merged(below.get(key), patch[key]) if key in patch else below[key] for key in {**below, **patch}}
    if isinstance(below, list) and isinstance(patch, list) and all("name" in each for each in [*below, *patch]):
        changes = {each["name"]: each for each in patch}
        old = [merged(each, changes.pop(each["name"], {})) for each in below]
        return [*old, *changes.values()]
    return patch


def strangers(values: dict[str, Any], chart: dict[str, Any]) -> Iterator[str]:
    """Keys that the chart has not, or with another type; an empty mapping of the chart takes anything."""
    for key, value in values.items():
        if key not in chart or type(value) is not type(chart[key]):
            yield key
        elif isinstance(value, dict) and chart[key]:
            yield from strangers(value, chart[key])


def manifest_is_accepted(path: PurePath, text: str) -> None:
    """A file of a folder of manifests, by what it is for."""
    if path.suffix == ".tf":
        assert terraform_accepts(text)
        assert local_strategy(text)
    elif path.suffix == ".sh":
        script_is_accepted(text)
    else:
        body_is_accepted(path, yaml.safe_load(text))


def script_is_accepted(text: str) -> None:
    """By the shell, and each command's input by AWS."""
    assert subprocess.run(["sh", "-n"], input=text, text=True, check=False).returncode == 0
    commands = [shlex.split(line) for line in text.splitlines() if line.startswith("aws ")]
    assert commands
    for command in commands:
        assert command[:4] == ["aws", "application-autoscaling", "put-scheduled-action", "--cli-input-json"]
        aws_accepts("application-autoscaling", "PutScheduledAction", json.loads(command[4]))


def body_is_accepted(path: PurePath, body: dict[str, Any]) -> None:
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


def other_is_accepted(path: PurePath, body: dict[str, Any]) -> None:
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
