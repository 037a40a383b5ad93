"""Scaling manifests for what is recommended: the use case of this part."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import yaml

from domain.artifact import Artifact
from domain.names import safe_name
from domain.plan import Act, Recommendation
from domain.unknown import Unknown
from domain.workload import Workload
from manifests.bounds import ReplicaBounds, replica_bounds, scale_target
from manifests.hpa import horizontal_pod_autoscaler
from manifests.keda import scaled_object
from manifests.notes import header, moment, one_line
from manifests.options import DEFAULTS, ManifestOptions
from manifests.schedule import schedule_object, scheduled_actions

ALONE = (
    "# Serves by the week's schedule alone. What that costs and misses is the row `schedule` of the recommendation's\n"
    "# replay; the saving below is that of following the recommendation.\n"
)


def render(
    workloads: Mapping[str, Workload],
    recommendations: Sequence[Recommendation],
    options: ManifestOptions = DEFAULTS,
) -> tuple[Artifact, ...]:
    """`hpa/<name>.yaml` and `keda/<name>.yaml` (apply one of them) for each act, and `README.md` on all.

    Where the plan has a schedule that serves alone, also `keda-schedule/<name>.yaml` (if it changes within the week)
    and `aws/<name>-scheduled-actions.json`.

    `workloads` are by id; the newest recommendation of a workload counts. A hold, a mode without
    replicas or a contradiction brings no manifest, and the README says why.
    """
    newest = {each.workload: each for each in sorted(recommendations, key=lambda each: each.created_at)}
    artifacts: list[Artifact] = []
    rows: list[str] = []
    for workload_id in sorted(newest):
        made = _manifests(workloads.get(workload_id), newest[workload_id], options)
        artifacts += [] if isinstance(made, Unknown) else made
        rows.append(_row(newest[workload_id], made))
    return (*artifacts, Artifact(path=PurePosixPath("README.md"), text=_readme(rows)))


def _manifests(
    workload: Workload | None, recommendation: Recommendation, options: ManifestOptions
) -> list[Artifact] | Unknown:
    if not isinstance(recommendation, Act):
        return Unknown(f"held: {recommendation.needs}")
    if workload is None:
        return Unknown("the settings no longer know this workload")
    bounds = replica_bounds(workload, recommendation, options)
    return bounds if isinstance(bounds, Unknown) else list(_of_act(workload, recommendation, bounds, options))


def _of_act(workload: Workload, act: Act, bounds: ReplicaBounds, options: ManifestOptions) -> Iterator[Artifact]:
    name = safe_name(workload.id)
    target = scale_target(workload, name)
    metadata = _metadata(name, target.namespace, act)
    objects = {
        "hpa": horizontal_pod_autoscaler(metadata, target, bounds, options),
        "keda": scaled_object(metadata, target, bounds, act, options),
    }
    alone = schedule_object(metadata, target, act.plan.schedule, options)
    if alone is not None:
        objects["keda-schedule"] = alone
    for folder, manifest in objects.items():
        path = PurePosixPath(folder) / f"{name}.yaml"
        body = yaml.dump(manifest, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=10_000)
        alone_note = ALONE if folder == "keda-schedule" else ""
        yield Artifact(path=path, text=alone_note + header(workload, act, target, bounds, str(path)) + body)
    if act.plan.schedule:
        actions = scheduled_actions(name, target, act.plan.schedule, options)
        yield Artifact(
            path=PurePosixPath("aws") / f"{name}-scheduled-actions.json",
            text=json.dumps(actions, indent=2, ensure_ascii=False) + "\n",
        )


def _metadata(name: str, namespace: str, act: Act) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": namespace,
        "labels": {"app.kubernetes.io/managed-by": "trimtab"},
        "annotations": {
            "trimtab/workload": act.workload,
            "trimtab/recommendation": act.id,
            "trimtab/valid-until": moment(act.valid_until),
        },
    }


def _row(recommendation: Recommendation, made: list[Artifact] | Unknown) -> str:
    what = f"none: {made.reason}" if isinstance(made, Unknown) else ", ".join(str(each.path) for each in made)
    cells = (recommendation.workload, moment(recommendation.valid_until), what)
    return f"| {' | '.join(one_line(cell).replace('|', chr(92) + '|') for cell in cells)} |"


def _readme(rows: Sequence[str]) -> str:
    lines = (
        "# Scaling manifests",
        "",
        "Apply one of the folders, not two: KEDA makes an HPA of its own. `keda` and `hpa` follow the recommendation;",
        "`keda-schedule` and `aws` serve by the week's schedule alone, without anything that follows the load.",
        "",
        "| workload | valid until | manifest |",
        "|---|---|---|",
        *rows,
    )
    return "\n".join(lines) + "\n"
