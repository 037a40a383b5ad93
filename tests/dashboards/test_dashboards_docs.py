"""The pages about dashboards and the report name everything that they are about."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from dashboards import DashboardOptions, render
from dashboards.queries import all_panels
from dashboards.report.spreadsheet import COLUMNS, KNOWABLE
from domain.workload import Slo, Workload
from monitor.profiles import PROFILES

DOCS = Path(__file__).resolve().parents[2] / "docs"
EVERYTHING = Slo(min_accuracy=0.9, time_to_first_token=timedelta(seconds=1), inter_token=timedelta(milliseconds=80))
TARGETS = tuple((Workload(id="x", runtime=each.name, slo=EVERYTHING), each) for each in PROFILES.values())


@pytest.mark.parametrize("column", [name for name in COLUMNS if not name.endswith("_reason")])
def test_every_column_of_the_spreadsheet_is_explained(column: str) -> None:
    assert f"`{column}`" in (DOCS / "report.md").read_text(encoding="utf-8").split("Columns with a")[0]


def test_every_column_with_a_reason_is_named() -> None:
    listed = (DOCS / "report.md").read_text(encoding="utf-8").split("Columns with a")[1]
    assert [name for name in KNOWABLE if f"`{name}`" not in listed] == []


def test_every_panel_is_explained() -> None:
    page = (DOCS / "dashboards.md").read_text(encoding="utf-8")
    titles = {
        panel["title"]
        for artifact in render(TARGETS, DashboardOptions(budgets=True))
        if artifact.path.suffix == ".json"
        for panel in all_panels(json.loads(artifact.text))
    }
    assert sorted(title for title in titles if f"| {title} |" not in page) == []
