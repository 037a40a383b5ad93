"""Rule files as objects of the Prometheus operator, for clusters in which nobody may mount a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from domain.artifact import Artifact
from rules.document import document
from rules.options import OperatorOptions

MANAGED = {"app.kubernetes.io/managed-by": "trimtab"}
SUFFIX = ".rules.yml"


def prometheus_rule(
    file: str, content: Mapping[str, Any], comments: tuple[str, ...], options: OperatorOptions
) -> Artifact:
    """The groups of a rule file as a PrometheusRule (monitoring.coreos.com/v1), named after the file."""
    name = file.removesuffix(SUFFIX)
    metadata: dict[str, Any] = {"name": f"trimtab-{name.removeprefix('trimtab-')}"}
    if options.namespace is not None:
        metadata["namespace"] = options.namespace
    whole = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": metadata | {"labels": MANAGED | dict(options.labels)},
        "spec": content,
    }
    return Artifact(path=PurePosixPath(f"{name}.prometheusrule.yaml"), text=document(whole, comments))
