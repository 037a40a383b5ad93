"""Scaling manifests for what is recommended: the use case of this part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from domain.artifact import Artifact
from domain.names import safe_name
from domain.plan import Act, Recommendation
from domain.unknown import Unknown
from domain.workload import Workload
from manifests.adapter import adapter_rules
from manifests.bounds import replica_bounds, scale_target
from manifests.forms import FORMS, suiting
from manifests.notes import moment, one_line
from manifests.options import DEFAULTS, Form, ManifestOptions
from manifests.subject import Made, Subject

INTRODUCTION = (
    "# Scaling manifests",
    "",
    "What scales is applied from one folder, not two: `keda`, `adapter` and `kustomize` follow the recommendation, `hpa` and",
    "`helm` hold what it says until it expires, `keda-schedule` and `ecs/*-schedule.sh` serve by the week's schedule alone,",
    "`terraform` by the schedule with CPU above it. `resources` and `ecs/*.yaml` say what a replica asks for and where it",
    "runs, and go with any. Comments on top of each file say why, until when, how to apply it and the way back.",
    "",
    "| workload | valid until | manifest |",
    "|---|---|---|",
)


def render(
    workloads: Mapping[str, Workload],
    recommendations: Sequence[Recommendation],
    options: ManifestOptions = DEFAULTS,
) -> tuple[Artifact, ...]:
    """Files `<form>/<name>...` for each act in every form that is wanted and suits its target, and `README.md` on all.

    `workloads` are by id; the newest recommendation of a workload counts. A hold, a mode without
    replicas or a contradiction brings no manifest, and the README says why; so does a form that has nothing to say.
    """
    newest = {each.workload: each for each in sorted(recommendations, key=lambda each: each.created_at)}
    artifacts: list[Artifact] = []
    rows: list[str] = []
    served: list[Subject] = []
    for workload_id in sorted(newest):
        subject = _subject(workloads.get(workload_id), newest[workload_id], options)
        made = {} if isinstance(subject, Unknown) else _made(subject)
        artifacts += [artifact for files in made.values() if not isinstance(files, Unknown) for artifact in files]
        rows.append(_row(newest[workload_id], subject if isinstance(subject, Unknown) else made))
        if isinstance(subject, Subject) and isinstance(made.get(Form.ADAPTER), tuple):
            served.append(subject)
    shared = [adapter_rules(served)] if served else []
    readme = Artifact(path=PurePosixPath("README.md"), text="\n".join((*INTRODUCTION, *rows)) + "\n")
    return (*artifacts, *shared, readme)


def _subject(workload: Workload | None, recommendation: Recommendation, options: ManifestOptions) -> Subject | Unknown:
    if not isinstance(recommendation, Act):
        return Unknown(f"held: {recommendation.needs}")
    if workload is None:
        return Unknown("the settings no longer know this workload")
    bounds = replica_bounds(workload, recommendation, options)
    if isinstance(bounds, Unknown):
        return bounds
    name = safe_name(workload.id)
    target = scale_target(workload, name)
    return Subject(name=name, workload=workload, act=recommendation, target=target, bounds=bounds, options=options)


def _made(subject: Subject) -> dict[Form, Made]:
    return {form: FORMS[form](subject) for form in suiting(subject.target, subject.options.forms)}


def _row(recommendation: Recommendation, made: Mapping[Form, Made] | Unknown) -> str:
    cells = (recommendation.workload, moment(recommendation.valid_until), _told(made))
    return f"| {' | '.join(one_line(cell).replace('|', chr(92) + '|') for cell in cells)} |"


def _told(made: Mapping[Form, Made] | Unknown) -> str:
    """The files, then what there is none of and why."""
    if isinstance(made, Unknown):
        return f"none: {made.reason}"
    files = [str(each.path) for found in made.values() if not isinstance(found, Unknown) for each in found]
    missing = [f"no {form}: {found.reason}" for form, found in made.items() if isinstance(found, Unknown)]
    return "; ".join((", ".join(files) or "none of the forms in the settings suits its target", *missing))
