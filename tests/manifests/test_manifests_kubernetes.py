"""What people patch: resources, kustomize, Helm values; and following through prometheus-adapter."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from domain.allocation import Allocation, AllocationBasis
from domain.names import safe_name
from domain.unknown import Unknown
from domain.workload import Bounds, Resources, Workload
from manifests import Form, ManifestOptions, render
from manifests.resources import OFFERED_AS, asked
from tests.conftest import StartPrometheus
from tests.manifests.advice import DIGITS, ODD, ODD_NAME, OFFICE, act
from tests.manifests.controller import Controller
from tests.manifests.validators import DATA, keda_accepts, kubectl, kubernetes_accepts, merged, strangers
from tests.openmetrics import document, family, samples
from tests.servers import backfill
from trimtab.prices import bundled

NAME = safe_name(DIGITS.id)
EVERYTHING = ManifestOptions(forms=frozenset(Form))
RUNNING: dict[str, Any] = yaml.safe_load("""
apiVersion: apps/v1
kind: Deployment
metadata: {name: digits, namespace: vision}
spec:
  replicas: 20
  selector: {matchLabels: {app: digits}}
  template:
    metadata: {labels: {app: digits}}
    spec:
      containers:
      - {name: proxy, image: "proxy:1", resources: {requests: {cpu: 100m}}}
      - {name: server, image: "digits:1", resources: {requests: {cpu: 500m}, limits: {ephemeral-storage: 1Gi}}}
""")
RESOURCES = {
    "requests": {"cpu": "1800m", "memory": "3Gi", "nvidia.com/gpu": "1"},
    "limits": {"memory": "3Gi", "nvidia.com/gpu": "1"},
}


def files(workload: Workload = DIGITS, options: ManifestOptions = EVERYTHING) -> dict[str, str]:
    advice = act(workload.id, 12, calendar=OFFICE)
    return {str(each.path): each.text for each in render({workload.id: workload}, [advice], options)}


def loaded(path: str, workload: Workload = DIGITS, options: ManifestOptions = EVERYTHING) -> dict[str, Any]:
    body: dict[str, Any] = yaml.safe_load(files(workload, options)[path])
    return body


def patched() -> dict[str, Any]:
    """What is meant to run once resources are set: the same but for them, in the container that serves."""
    wanted: dict[str, Any] = yaml.safe_load(yaml.safe_dump(RUNNING))
    server = wanted["spec"]["template"]["spec"]["containers"][1]
    server["resources"] = {
        "requests": RESOURCES["requests"],
        "limits": {"ephemeral-storage": "1Gi", **RESOURCES["limits"]},
    }
    return wanted


def test_the_resources_patch_changes_the_container_that_serves_and_nothing_else() -> None:
    after = merged(RUNNING, loaded(f"resources/{NAME}.yaml"))
    assert after == patched()
    kubernetes_accepts(after)


def test_kubectl_makes_the_same_of_the_patch(tmp_path: Path) -> None:
    (tmp_path / "running.yaml").write_text(yaml.safe_dump(RUNNING), encoding="utf-8")
    (tmp_path / "patch.yaml").write_text(files()[f"resources/{NAME}.yaml"], encoding="utf-8")
    said = kubectl(
        "patch", "--local", "-f", tmp_path / "running.yaml", "--patch-file", tmp_path / "patch.yaml", "-o", "yaml"
    )
    assert yaml.safe_load(said) == patched()


def test_kustomize_takes_the_component_into_an_overlay(tmp_path: Path) -> None:
    """The object with its resources, and what follows the recommendation, both valid."""
    for path, text in files().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    (overlay / "deployment.yaml").write_text(yaml.safe_dump(RUNNING), encoding="utf-8")
    component = {"resources": ["deployment.yaml"], "components": [f"../kustomize/{NAME}"]}
    (overlay / "kustomization.yaml").write_text(yaml.safe_dump(component), encoding="utf-8")
    found = {each["kind"]: each for each in yaml.safe_load_all(kubectl("kustomize", overlay))}
    assert set(found) == {"Deployment", "ScaledObject"}
    containers = {each["name"]: each for each in found["Deployment"]["spec"]["template"]["spec"]["containers"]}
    assert containers == {each["name"]: each for each in patched()["spec"]["template"]["spec"]["containers"]}
    kubernetes_accepts(found["Deployment"])
    keda_accepts(found["ScaledObject"])


def test_a_component_names_every_file_beside_it() -> None:
    component = loaded(f"kustomize/{NAME}/kustomization.yaml")
    named = {*component["resources"], *(each["path"] for each in component["patches"])}
    beside = {Path(path).name for path in files() if path.startswith(f"kustomize/{NAME}/")}
    assert beside == {*named, "kustomization.yaml"}
    assert (component["apiVersion"], component["kind"]) == ("kustomize.config.k8s.io/v1alpha1", "Component")
    assert component["patches"][0]["target"] == {
        "group": "apps",
        "version": "v1",
        "kind": "Deployment",
        "name": "digits",
    }


def test_a_component_for_those_without_keda_has_an_hpa() -> None:
    options = ManifestOptions(forms=frozenset({Form.HPA, Form.KUSTOMIZE}))
    kubernetes_accepts(loaded(f"kustomize/{NAME}/autoscaler.yaml", options=options))


def test_helm_values_have_keys_and_types_of_the_chart() -> None:
    """A value that the chart does not have would be taken in silence, and do nothing."""
    chart = yaml.safe_load((DATA / "chart" / "values.yaml").read_text(encoding="utf-8"))
    values = loaded(f"helm/{NAME}.yaml")
    assert list(strangers(values, chart)) == []
    assert values["resources"] == RESOURCES
    assert values["autoscaling"] == {
        "enabled": True, "minReplicas": 16, "maxReplicas": 40, "targetCPUUtilizationPercentage": 70,
    }  # fmt: skip


def test_helm_itself_renders_the_chart_with_them() -> None:
    """Where Helm's library is installed, which is too large to ask of everybody."""
    helm = pytest.importorskip("helm_python", reason="pip install helm-python-sdk (244 MB)")
    rendered = helm.Chart.load(str(DATA / "chart")).render(loaded(f"helm/{NAME}.yaml"), name="digits")
    found = {each["kind"]: each for text in rendered.values() for each in yaml.safe_load_all(text)}
    assert "replicas" not in found["Deployment"]["spec"]
    assert found["Deployment"]["spec"]["template"]["spec"]["containers"][0]["resources"] == RESOURCES
    assert (found["HorizontalPodAutoscaler"]["spec"]["minReplicas"]) == 16
    for each in found.values():
        kubernetes_accepts(each)


def test_resources_that_nobody_declared_are_not_recommended() -> None:
    made = files(replace(DIGITS, resources=Resources()))
    assert f"resources/{NAME}.yaml" not in made
    assert f"kustomize/{NAME}/resources.yaml" not in made
    assert "patches" not in made[f"kustomize/{NAME}/kustomization.yaml"]
    assert "resources" not in yaml.safe_load(made[f"helm/{NAME}.yaml"])
    assert "no resources: the settings declare no resources of a replica" in made["README.md"]


def test_an_accelerator_that_no_cluster_is_known_to_offer_is_said_so() -> None:
    made = files(replace(DIGITS, resources=Resources(accelerator="Abacus", accelerator_count=2)))
    assert "no name is known by which a cluster offers Abacus" in made["README.md"]


def test_every_accelerator_of_the_price_book_has_a_name_in_a_cluster() -> None:
    kinds = {offer.accelerator for offer in bundled().offers if offer.accelerator}
    assert kinds <= set(OFFERED_AS)


def test_a_container_that_nobody_named_is_said_to_be_assumed() -> None:
    assert DIGITS.target is not None
    unnamed = replace(DIGITS, target=replace(DIGITS.target, container=None))
    for path in (f"resources/{NAME}.yaml", f"kustomize/{NAME}/kustomization.yaml"):
        assert "# ASSUMED: the container that serves is named digits" in files(unnamed)[path]
        assert "# ASSUMED: the container" not in files()[path]


@pytest.mark.parametrize(
    "cores,gib,cpu,memory", [(2.0, 4.0, "2", "4Gi"), (0.25, 0.5, "250m", "512Mi"), (1.0001, 2.3, "1001m", "2356Mi")]
)
def test_amounts_are_whole_and_rounded_up(cores: float, gib: float, cpu: str, memory: str) -> None:
    workload = replace(DIGITS, resources=Resources(cpu_cores=cores, memory_gib=gib))
    found = loaded(f"resources/{NAME}.yaml", workload)["spec"]["template"]["spec"]["containers"][0]["resources"]
    assert found == {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": memory}}


def test_the_adapters_hpa_is_valid_and_asks_for_the_metric_of_its_rule() -> None:
    hpa, rules = loaded(f"adapter/{NAME}.yaml"), loaded("adapter/rules.yaml")
    kubernetes_accepts(hpa)
    (rule,) = rules["externalRules"]
    assert set(rule) == {"seriesQuery", "resources", "name", "metricsQuery"}
    assert rule["resources"] == {"namespaced": False}
    (metric,) = hpa["spec"]["metrics"]
    assert metric["external"]["metric"] == {"name": rule["name"]["as"]}
    assert metric["external"]["target"] == {"type": "AverageValue", "averageValue": "1"}


def test_all_workloads_of_the_adapter_stand_in_one_file_of_rules() -> None:
    workloads = {each.id: each for each in (DIGITS, ODD, replace(DIGITS, id="a<<b"))}
    made = render(workloads, [act(name, 3) for name in workloads], EVERYTHING)
    by_path = {str(each.path): each.text for each in made}
    rules = yaml.safe_load(by_path["adapter/rules.yaml"])["externalRules"]
    assert [rule["name"]["as"] for rule in rules] == [
        f"trimtab_{safe_name(name).replace('-', '_')}_replicas" for name in (ODD_NAME, DIGITS.id)
    ]
    assert "no adapter: an id with << can not stand in a rule" in by_path["README.md"]


def test_the_example_of_the_docs_is_what_is_rendered() -> None:
    """With at most nine replicas the rule asks for the plain metric."""
    page = (
        (DATA.parents[1] / "docs" / "manifests.md")
        .read_text(encoding="utf-8")
        .split("## Following from prometheus-adapter")[1]
    )
    shown = [yaml.safe_load(block) for block in re.findall(r"(?:^    .+\n)+", page, re.MULTILINE)[:2]]
    workload = Workload(id="search:rerank", runtime="vllm", bounds=Bounds(min_replicas=1, max_replicas=9))
    made = {
        str(each.path): yaml.safe_load(each.text)
        for each in render({workload.id: workload}, [act(workload.id, 3)], EVERYTHING)
        if each.path.suffix == ".yaml"
    }
    assert shown[0] == made["adapter/rules.yaml"]
    assert shown[1]["metrics"] == made[f"adapter/{safe_name(workload.id)}.yaml"]["spec"]["metrics"]


@pytest.mark.servers
def test_the_adapter_finds_the_series_and_gets_the_number_to_run(
    start_prometheus: StartPrometheus, tmp_path: Path
) -> None:
    """What its two queries give in a real Prometheus, and where its HPA then ends."""
    hpa = loaded(f"adapter/{NAME}.yaml")["spec"]
    (rule,) = loaded("adapter/rules.yaml")["externalRules"]
    times = range(1_767_600_000, 1_767_600_600, 60)
    series = samples("trimtab_recommended_replicas", {"workload": DIGITS.id}, times, [12.0] * len(times))
    data = backfill(document(family("trimtab_recommended_replicas", "gauge", [series])), tmp_path / "data")
    server = start_prometheus(data=data)
    at = times[-1]
    assert [each["metric"]["workload"] for each in server.query(f"{rule['seriesQuery']} @ {at}")] == [DIGITS.id]
    (answer,) = server.query(rule["metricsQuery"].replace("})", f"}} @ {at})"))
    assert answer["metric"] == {}
    controller = Controller(
        minimum=hpa["minReplicas"], maximum=hpa["maxReplicas"], behavior=hpa["behavior"], replicas=20
    )
    assert controller.settle(float(answer["value"][1])) == 13


MEASURED = Allocation(
    basis=AllocationBasis.MEASURED,
    cpu_request_cores=0.75,
    cpu_limit_cores=None,
    memory_request_gib=1.5,
    memory_limit_gib=1.5,
    accelerator="T4",
    accelerator_count=1,
    spot_eligible=True,
    priced=True,
    usd_per_month=400.0,
    declared_usd_per_month=700.0,
    detail="0.6 cores were used",
)


@pytest.mark.parametrize(
    "allocation,cores,gib",
    [(None, 1.8, 3), (MEASURED, 0.75, 1.5), (replace(MEASURED, priced=False), 1.8, 3)],
    ids=["declared", "measured", "measured, but the plan stays with what is declared"],
)
def test_a_replica_asks_for_what_the_plan_is_priced_with(
    allocation: Allocation | None, cores: float, gib: float
) -> None:
    advice = act(DIGITS.id, 12)
    wanted = asked(DIGITS, replace(advice.plan, allocation=allocation))
    assert not isinstance(wanted, Unknown)
    assert (wanted.cpu_request_cores, wanted.cpu_limit_cores) == (cores, None)
    assert wanted.memory_request_gib == wanted.memory_limit_gib == gib


def test_measured_resources_are_written_with_what_was_measured() -> None:
    advice = act(DIGITS.id, 12)
    measured = replace(advice, plan=replace(advice.plan, allocation=MEASURED))
    (text,) = [each.text for each in render({DIGITS.id: DIGITS}, [measured]) if each.path.parts[0] == "resources"]
    assert "# Why: a replica asks for its resources as the plan is priced: 0.6 cores were used." in text
    assert yaml.safe_load(text)["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"] == {
        "cpu": "750m", "memory": "1536Mi", "nvidia.com/gpu": "1",
    }  # fmt: skip
