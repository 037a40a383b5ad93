"""Manifests: whole texts, valid for Kubernetes and KEDA, none with a number that nobody stands for."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from domain.names import safe_name
from domain.plan import Recommendation
from domain.unknown import Unknown
from domain.workload import Bounds, ScaleTarget, ServingMode, Workload
from manifests import ManifestOptions, render
from tests.golden_files import assert_golden
from tests.manifests.advice import DIGITS, MONDAY, ODD, ODD_NAME, OFFICE, act, configuration, hold

DATA = Path(__file__).resolve().parents[1] / "data"
OLDEST, NEWEST = "1.29", "1.37"


def keda_schema() -> dict[str, Any]:
    """KEDA's own schema of a ScaledObject, its fields closed so that a misspelt one fails as it does on a cluster."""
    schema: dict[str, Any] = json.loads((DATA / "keda_scaledobject_v1alpha1.openapi.json").read_text(encoding="utf-8"))
    closed: dict[str, Any] = _closed(schema)
    return closed


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(each) for name, each in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed


def made(
    workload: Workload, recommendation: Recommendation, options: ManifestOptions | None = None
) -> dict[str, dict[str, Any]]:
    """The manifests of one recommendation by folder."""
    artifacts = render({workload.id: workload}, [recommendation], options or ManifestOptions())
    return {each.path.parts[0]: yaml.safe_load(each.text) for each in artifacts if each.path.suffix == ".yaml"}


def validated(manifests: dict[str, dict[str, Any]], kubernetes: str = NEWEST) -> None:
    kubernetes_validate.validate(manifests["hpa"], kubernetes, strict=True)
    jsonschema.Draft202012Validator(keda_schema()).validate(manifests["keda"])


def test_every_file_is_its_golden_file() -> None:
    workloads = {DIGITS.id: DIGITS, ODD.id: ODD}
    advice: list[Recommendation] = [
        act(DIGITS.id, 12, calendar=OFFICE),
        act(ODD.id, 3, current=Unknown("not seen")),
        hold("new|model"),
    ]
    for artifact in render(workloads, advice):
        assert_golden(f"manifests/{artifact.path}", artifact.text)


@pytest.mark.parametrize("kubernetes", [OLDEST, NEWEST])
def test_kubernetes_and_keda_accept_every_manifest(kubernetes: str) -> None:
    for recommendation, workload in ((act(DIGITS.id, 12, calendar=OFFICE), DIGITS), (act(ODD.id, 0), ODD)):
        validated(made(workload, recommendation), kubernetes)


def test_the_exact_variant_is_accepted_where_the_tolerance_can_be_set() -> None:
    manifests = made(DIGITS, act(DIGITS.id, 12, calendar=OFFICE), ManifestOptions(exact_tolerance=True))
    validated(manifests)
    behavior = manifests["keda"]["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    assert {each["tolerance"] for each in behavior.values()} == {"0"}


def test_the_validators_would_find_a_misspelt_field() -> None:
    """The check checks: a field nobody knows fails in both."""
    manifests = made(DIGITS, act(DIGITS.id, 12))
    for folder, field in (("hpa", "minReplica"), ("keda", "minReplicas")):
        wrong = copy.deepcopy(manifests)
        wrong[folder]["spec"][field] = 1
        with pytest.raises((kubernetes_validate.ValidationError, jsonschema.ValidationError)):
            validated(wrong)


def test_keda_metadata_are_strings_and_no_data_is_an_error() -> None:
    spec = made(DIGITS, act(DIGITS.id, 12, calendar=OFFICE))["keda"]["spec"]
    assert all(isinstance(value, str) for trigger in spec["triggers"] for value in trigger["metadata"].values())
    followed = spec["triggers"][0]
    assert (followed["type"], followed["metricType"]) == ("prometheus", "AverageValue")
    assert followed["metadata"]["threshold"] == "1"
    assert followed["metadata"]["ignoreNullValues"] == "false"
    assert 'trimtab_recommended_replicas{workload="vision:digits"}' in followed["metadata"]["query"]
    assert spec["fallback"] == {"failureThreshold": 3, "replicas": 13, "behavior": "currentReplicasIfHigher"}
    assert len({trigger["name"] for trigger in spec["triggers"]}) == len(spec["triggers"])


def test_the_hpa_floor_is_what_the_calendar_asks_for_until_the_recommendation_expires() -> None:
    spec = made(DIGITS, act(DIGITS.id, 12, calendar=OFFICE))["hpa"]["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (16, 40)
    assert made(DIGITS, act(DIGITS.id, 12))["hpa"]["spec"]["minReplicas"] == 12
    assert made(DIGITS, act(DIGITS.id, 1))["hpa"]["spec"]["minReplicas"] == 2


def test_without_a_maximum_one_is_assumed_and_the_header_says_so() -> None:
    """Twice the highest of plan, calendar and today, so that what runs is never forbidden."""
    (hpa, keda, _) = render({ODD.id: ODD}, [act(ODD.id, 3)])
    for artifact in (hpa, keda):
        assert "# ASSUMED: at most 40 replicas" in artifact.text
        assert f"# ASSUMED: the workload runs as Deployment {safe_name(ODD.id)}" in artifact.text


def test_the_target_of_the_settings_is_what_is_scaled() -> None:
    workload = replace(DIGITS, target=ScaleTarget(name="llm", namespace="ml", kind="StatefulSet"))
    for manifest in made(workload, act(workload.id, 12)).values():
        assert manifest["spec"]["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "llm"}
        assert manifest["metadata"]["namespace"] == "ml"


@pytest.mark.parametrize(
    "recommendation,workload,why",
    [
        (hold(DIGITS.id), DIGITS, "held: 14 days of history \\| there are 3"),
        (act(DIGITS.id, 0, mode=ServingMode.SERVERLESS), DIGITS, "proposed is serverless"),
        (act(DIGITS.id, 1, mode=ServingMode.SHARED), DIGITS, "proposed is shared"),
        (act(DIGITS.id, 41), DIGITS, "wants 41 replicas and the workload's maximum is 40"),
        (act(DIGITS.id, 2), replace(DIGITS, target=ScaleTarget(name="x", kind="Rollout")), "a Rollout can not"),
        (act("gone", 2), DIGITS, "no longer know"),
    ],
)
def test_what_can_not_be_said_rightly_is_not_said(recommendation: Recommendation, workload: Workload, why: str) -> None:
    """A hold, another mode or a contradiction yields no manifest; the summary says why."""
    (summary,) = render({workload.id: workload}, [recommendation])
    assert summary.path.name == "README.md"
    assert why in summary.text


def test_the_newest_recommendation_counts() -> None:
    older = replace(act(DIGITS.id, 5), created_at=MONDAY - timedelta(days=1))
    newer = hold(DIGITS.id)
    for order in ((older, newer), (newer, older)):
        assert len(render({DIGITS.id: DIGITS}, order)) == 1


def test_a_name_that_no_cluster_accepts_becomes_one_and_stays_readable_inside() -> None:
    """Quotes, unicode and a line break can neither break the YAML nor add a key or a line of comment."""
    for manifest in made(ODD, act(ODD.id, 3)).values():
        assert manifest["metadata"]["name"] == safe_name(ODD_NAME)
        assert manifest["metadata"]["annotations"]["trimtab/workload"] == ODD_NAME
        assert manifest["kind"] in {"HorizontalPodAutoscaler", "ScaledObject"}
    query = made(ODD, act(ODD.id, 3))["keda"]["spec"]["triggers"][0]["metadata"]["query"]
    assert 'workload="q\\"uo\\\\te:ünï☃\\nkind: Secret # |"' in query


def test_each_manifest_says_why_until_when_what_it_saves_and_the_way_back() -> None:
    for artifact in render({DIGITS.id: DIGITS}, [act(DIGITS.id, 12)])[:2]:
        comments = [line for line in artifact.text.splitlines() if line.startswith("#")]
        text = "\n".join(comments)
        assert "expires 2026-01-05T14:00:00Z" in text
        assert "Saving: 560.00 USD a month (between 510.00 and 610.00)." in text
        assert "Why: The week's peak needs 16 replicas.\\nNot a new line. (forecast_peak)" in text
        assert f"kubectl delete -f {artifact.path} && kubectl -n vision scale deployment/digits --replicas=20" in text
        assert artifact.text.splitlines()[: len(comments)] == comments


def test_an_unknown_today_is_not_invented() -> None:
    text = render({DIGITS.id: DIGITS}, [act(DIGITS.id, 12, current=Unknown("nothing is scraped"))])[0].text
    assert "# Now: unknown, nothing is scraped." in text
    assert "--replicas=THE NUMBER YOU HAD" in text


def test_today_is_never_above_the_assumed_maximum() -> None:
    workload = replace(DIGITS, bounds=Bounds())
    assert made(workload, act(workload.id, 2, current=configuration(50)))["hpa"]["spec"]["maxReplicas"] == 100


def test_a_headroom_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match=r"headroom must be at least 1, not 0\.5"):
        ManifestOptions(headroom=0.5)
