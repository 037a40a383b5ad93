"""The two files that make Grafana load the data source and the dashboards at its start."""

from __future__ import annotations

from pathlib import PurePosixPath

import yaml

from dashboards import names
from dashboards.options import DashboardOptions
from domain.artifact import Artifact


def provisioning(options: DashboardOptions) -> tuple[Artifact, ...]:
    """`provisioning/datasources.yml` and `provisioning/dashboards.yml`, for Grafana 11 and later."""
    datasources = {
        "apiVersion": 1,
        "datasources": [
            {
                "name": "Prometheus (Trimtab)",
                "uid": names.PROMETHEUS_UID,
                "type": "prometheus",
                "access": "proxy",
                "orgId": 1,
                "url": verbatim(options.prometheus_url),
                "isDefault": False,
                "editable": False,
                "jsonData": {
                    "httpMethod": "POST",
                    "prometheusType": "Prometheus",
                    "timeInterval": f"{options.scrape_interval.total_seconds():g}s",
                },
            }
        ],
    }
    providers = {
        "apiVersion": 1,
        "providers": [
            {
                "name": "trimtab",
                "orgId": 1,
                "folder": verbatim(options.folder),
                "folderUid": "trimtab",
                "type": "file",
                "disableDeletion": False,
                "updateIntervalSeconds": 60,
                "allowUiUpdates": False,
                "options": {"path": verbatim(options.dashboards_path), "foldersFromFilesStructure": False},
            }
        ],
    }
    return (
        artifact("datasources.yml", "Where the dashboards get their data.", datasources),
        artifact("dashboards.yml", "Which dashboards Grafana loads, and from where.", providers),
    )


def artifact(name: str, purpose: str, content: object) -> Artifact:
    """A YAML file with a line that says what it is for."""
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    return Artifact(path=PurePosixPath("provisioning") / name, text=f"# {purpose} Written by Trimtab.\n{text}")


def verbatim(value: str) -> str:
    """A value that Grafana takes as it stands: a single `$` would name an environment variable."""
    return value.replace("$", "$$")
