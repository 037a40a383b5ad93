"""Every form of manifest, and which suit what is scaled."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from domain.workload import ScaleTarget
from manifests.adapter import adapter_form
from manifests.ecs import ecs_form
from manifests.helm import helm_form
from manifests.hpa import hpa_form
from manifests.keda import keda_form
from manifests.kustomize import kustomize_form
from manifests.options import Form
from manifests.resources import resources_form
from manifests.schedule import keda_schedule_form
from manifests.subject import Made, Subject
from manifests.terraform import terraform_form

FORMS: Mapping[Form, Callable[[Subject], Made]] = {
    Form.HPA: hpa_form,
    Form.KEDA: keda_form,
    Form.KEDA_SCHEDULE: keda_schedule_form,
    Form.ADAPTER: adapter_form,
    Form.KUSTOMIZE: kustomize_form,
    Form.HELM: helm_form,
    Form.RESOURCES: resources_form,
    Form.TERRAFORM: terraform_form,
    Form.ECS: ecs_form,
}
OF_ECS = frozenset({Form.TERRAFORM, Form.ECS})
ON_REQUEST = frozenset({Form.ADAPTER})  # KEDA does the same with less to set up


def suiting(target: ScaleTarget, wanted: frozenset[Form] | None) -> tuple[Form, ...]:
    """The wanted forms (None: all but those on request) that can scale this target, in the order of the table."""
    chosen = frozenset(FORMS) - ON_REQUEST if wanted is None else wanted
    return tuple(form for form in FORMS if form in chosen and (form in OF_ECS) != target.in_kubernetes)
