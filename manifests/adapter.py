"""An HPA on an external metric that prometheus-adapter serves, and the rules that make the adapter serve it.

A workload's id (`vision:digits`) is no valid Kubernetes label, so no selector can pick its series: each workload has a
metric of its own name. When the recommendation expires the metric is gone, and the HPA leaves the replicas as they are.
The plan's calendar is not in it: an HPA knows no clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from domain.artifact import Artifact
from domain.unknown import Unknown
from manifests.follow import followed, recommended_series
from manifests.hpa import autoscaler, kubectl_notes, one_step_behavior
from manifests.subject import Made, Subject, document

FOLDER = PurePosixPath("adapter")
RULES_HEAD = """\
# Rules of prometheus-adapter, one for each workload that is recommended to act: its configuration file, or under
# `rules.external` the values of its Helm chart. The metrics have no namespace, so no HPA's is added to the queries.
# A recommendation that has expired has no metric. Roll back: take these rules out, and restart the adapter.
"""
TEMPLATE_MARK = "<<"  # begins a command of the adapter's own templates


def adapter_form(subject: Subject) -> Made:
    """`adapter/<name>.yaml`; the rules of all workloads stand in one file, `adapter/rules.yaml`."""
    if TEMPLATE_MARK in subject.act.workload:
        return Unknown(f"an id with {TEMPLATE_MARK} can not stand in a rule of prometheus-adapter")
    path = FOLDER / f"{subject.name}.yaml"
    external = {"metric": {"name": metric_name(subject)}, "target": {"type": "AverageValue", "averageValue": "1"}}
    body = autoscaler(
        subject,
        minimum=subject.bounds.base,
        metric={"type": "External", "external": external},
        behavior=one_step_behavior(subject.bounds.maximum, subject.options),
    )
    notes = kubectl_notes(path, subject)
    first = f"give {FOLDER / 'rules.yaml'} to prometheus-adapter, then {notes.apply}"
    return (subject.file(path, body, replace(notes, apply=first)),)


def adapter_rules(subjects: Sequence[Subject]) -> Artifact:
    """`adapter/rules.yaml`."""
    rules = [_rule(subject) for subject in subjects]
    return Artifact(path=FOLDER / "rules.yaml", text=RULES_HEAD + document({"externalRules": rules}))


def metric_name(subject: Subject) -> str:
    """The external metric of one workload."""
    return f"trimtab_{subject.name.replace('-', '_')}_replicas"


def _rule(subject: Subject) -> dict[str, Any]:
    counts = subject.counts(max(1, subject.bounds.base), subject.bounds.maximum)
    return {
        "seriesQuery": recommended_series(subject.act.workload),
        "resources": {"namespaced": False},
        "name": {"as": metric_name(subject)},
        "metricsQuery": followed(subject.act.workload, counts),
    }
