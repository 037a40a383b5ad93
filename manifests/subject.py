"""What one manifest is about, and the file that a form makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

import yaml

from domain.artifact import Artifact
from domain.plan import Act
from domain.unknown import Unknown
from domain.workload import ScaleTarget, Workload
from manifests.bounds import ReplicaBounds
from manifests.ladder import Ladder, ladder, whole_numbers
from manifests.notes import Notes, header, moment
from manifests.options import ManifestOptions

API_VERSION = "apps/v1"  # of every kind in Kubernetes that can be a target

Made = tuple[Artifact, ...] | Unknown  # Unknown: this form has nothing to say of the workload, because


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A recommendation to act, whom it is about, and the numbers that its manifests carry; `name` is safe everywhere."""

    name: str
    workload: Workload
    act: Act
    target: ScaleTarget
    bounds: ReplicaBounds
    options: ManifestOptions

    @property
    def metadata(self) -> dict[str, Any]:
        """Of an object of ours in Kubernetes."""
        return {
            "name": self.name,
            "namespace": self.target.namespace,
            "labels": {"app.kubernetes.io/managed-by": "trimtab"},
            "annotations": {
                "trimtab/workload": self.act.workload,
                "trimtab/recommendation": self.act.id,
                "trimtab/valid-until": moment(self.act.valid_until),
            },
        }

    @property
    def scale_target_ref(self) -> dict[str, str]:
        """How an autoscaler names what it scales."""
        return {"apiVersion": API_VERSION, "kind": self.target.kind, "name": self.target.name}

    def counts(self, minimum: int, maximum: int) -> Ladder:
        """The counts that an autoscaler is given, so that its tolerance swallows no step from what runs now."""
        if self.options.exact_tolerance:
            return whole_numbers(minimum, maximum)
        running = None if isinstance(self.act.current, Unknown) else self.act.current.replicas
        return ladder(minimum, maximum, through=running)

    def text(self, body: str, notes: Notes) -> str:
        """`body` under the comments that every manifest has, what was assumed for all of them included."""
        found = [*self._target_assumed(), *notes.assumed, *self._maximum_assumed()]
        return header(self.act, replace(notes, assumed=found)) + body

    def file(self, path: PurePosixPath, content: object, notes: Notes) -> Artifact:
        """`content` as YAML under those comments."""
        return Artifact(path=path, text=self.text(document(content), notes))

    def _target_assumed(self) -> Iterator[str]:
        if self.workload.target is None:
            where = f"{self.target.kind} {self.target.name} in namespace {self.target.namespace}"
            yield f"the workload runs as {where}; settings name no target."

    def _maximum_assumed(self) -> Iterator[str]:
        if self.bounds.maximum_is_assumed:
            most = self.bounds.maximum
            yield f"at most {most} replicas, from the plan's peak; the workload has no maximum of its own."


def document(content: object) -> str:
    """YAML as we write it."""
    return yaml.dump(content, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=10_000)
