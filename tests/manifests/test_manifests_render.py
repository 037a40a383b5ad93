"""Manifests: whole texts, valid for Kubernetes and KEDA, none with a number that nobody stands for."""

from __future__ import annotations

import copy
import re
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
from manifests import Form, ManifestOptions, render
from tests.golden_files import GOLDEN, assert_golden
from tests.manifests.advice import DIGITS, ECS, MONDAY, ODD, ODD_NAME, OFFICE, act, bought, configuration, hold, planned
from tests.manifests.validators import NEWEST, keda_accepts, kubernetes_accepts

PAGE = Path(__file__).resolve().parents[2] / "docs" / "manifests.md"
OLDEST = "1.29"
ODD_NAME_IN_FILES = safe_name(ODD_NAME)


def made(
    workload: Workload, recommendation: Recommendation, options: ManifestOptions | None = None
) -> dict[str, dict[str, Any]]:
    """What scales, of one recommendation, by form."""
    artifacts = render({workload.id: workload}, [recommendation], options or ManifestOptions())
    return {
        each.path.parts[0]: yaml.safe_load(each.text)
        for each in artifacts
        if each.path.suffix == ".yaml" and each.path.parts[0] in {"hpa", "keda"}
    }


def validated(manifests: dict[str, dict[str, Any]], kubernetes: str = NEWEST) -> None:
    kubernetes_accepts(manifests["hpa"], kubernetes)
    keda_accepts(manifests["keda"])


def test_the_page_shows_what_keda_is_given() -> None:
    """Its excerpt, word for word, of a workload with few replicas."""
    section = PAGE.read_text(encoding="utf-8").split("## Following from KEDA")[1].split("\n## ")[0]
    excerpt = yaml.safe_load(re.search(r"^    fallback:\n(?:    .*\n)+", section, re.MULTILINE)[0])  # type: ignore[index]
    rerank = Workload(id="search:rerank", runtime="trimtab-serving", bounds=Bounds(min_replicas=1, max_replicas=6))
    spec = made(rerank, act(rerank.id, 3))["keda"]["spec"]
    assert excerpt == {name: spec[name] for name in ("fallback", "triggers")}


def test_every_file_is_its_golden_file() -> None:
    """Every form there is, of a workload in Kubernetes, of one with an odd name, of an ECS service, and of a hold."""
    workloads = {each.id: each for each in (DIGITS, ODD, ECS)}
    advice: list[Recommendation] = [
        planned(act(DIGITS.id, 12, calendar=OFFICE)),
        act(ODD.id, 3, current=Unknown("not seen")),
        bought(planned(act(ECS.id, 12, calendar=OFFICE)), reserved=4, on_demand=3.1, spot=4.9),
        hold("new|model"),
    ]
    artifacts = render(workloads, advice, ManifestOptions(forms=frozenset(Form)))
    for artifact in artifacts:
        assert_golden(f"manifests/{artifact.path}", artifact.text)
    golden = {
        str(file.relative_to(GOLDEN / "manifests")) for file in (GOLDEN / "manifests").rglob("*") if file.is_file()
    }
    assert golden == {str(artifact.path) for artifact in artifacts}


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
    for artifact in render({ODD.id: ODD}, [act(ODD.id, 3)])[:2]:
        assert "# ASSUMED: at most 40 replicas" in artifact.text
        assert f"# ASSUMED: the workload runs as Deployment {ODD_NAME_IN_FILES}" in artifact.text


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
        assert [str(each.path) for each in render({DIGITS.id: DIGITS}, order)] == ["README.md"]


def test_a_name_that_no_cluster_accepts_becomes_one_and_stays_readable_inside() -> None:
    """Quotes, unicode and a line break can neither break the YAML nor add a key or a line of comment."""
    for manifest in made(ODD, act(ODD.id, 3)).values():
        assert manifest["metadata"]["name"] == ODD_NAME_IN_FILES
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


def test_the_address_of_prometheus_is_the_users_or_said_to_be_assumed() -> None:
    for options, assumed in ((ManifestOptions(), True), (ManifestOptions(prometheus_url="http://prom:9090"), False)):
        (keda,) = [
            each for each in render({DIGITS.id: DIGITS}, [act(DIGITS.id, 12)], options) if each.path.parts[0] == "keda"
        ]
        assert ("# ASSUMED: KEDA reaches" in keda.text) is assumed
        address = yaml.safe_load(keda.text)["spec"]["triggers"][0]["metadata"]["serverAddress"]
        assert address == ("http://prometheus-server.monitoring.svc:80" if assumed else "http://prom:9090")


@pytest.mark.parametrize(
    "workload,wanted,found",
    [
        (DIGITS, None, {"hpa", "keda", "keda-schedule", "kustomize", "helm", "resources"}),
        (ECS, None, {"terraform", "ecs"}),
        (DIGITS, frozenset({Form.HPA, Form.ECS}), {"hpa"}),
        (DIGITS, frozenset({Form.ADAPTER}), {"adapter"}),
        (ECS, frozenset({Form.TERRAFORM}), {"terraform"}),
        (ECS, frozenset({Form.HPA}), set()),
    ],
)
def test_forms_are_those_that_are_wanted_and_suit_the_target(
    workload: Workload, wanted: frozenset[Form] | None, found: set[str]
) -> None:
    advice = bought(planned(act(workload.id, 12)), on_demand=12)
    artifacts = render({workload.id: workload}, [advice], ManifestOptions(forms=wanted))
    assert {each.path.parts[0] for each in artifacts} == {*found, "README.md"}
    readme = artifacts[-1].text
    assert ("none of the forms in the settings suits its target" in readme) == (not found)


def test_every_form_has_a_row_in_the_docs() -> None:
    page = (GOLDEN.parents[1] / "docs" / "manifests.md").read_text(encoding="utf-8")
    assert [form for form in Form if f"| `{form}`" not in page] == []


def test_each_file_of_every_form_says_why_until_when_how_to_apply_it_and_the_way_back() -> None:
    """On top of it; the parts of a kustomize component and the shared rules say it in one of them."""
    workloads = {DIGITS.id: DIGITS, ECS.id: ECS}
    advice = [bought(planned(act(name, 12)), on_demand=12) for name in workloads]
    artifacts = render(workloads, advice, ManifestOptions(forms=frozenset(Form)))
    quiet = {"autoscaler.yaml", "resources.yaml", "rules.yaml", "README.md"}
    for artifact in artifacts:
        if artifact.path.name not in quiet:
            for part in (
                "# Made 2026-01-05T08:00:00Z; expires 2026-01-05T14:00:00Z",
                "# Why: ",
                "# Apply: ",
                "# Roll back: ",
            ):
                assert part in artifact.text, artifact.path
