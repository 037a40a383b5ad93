"""The nightly cost report: a page to read (HTML) and the same figures to compute with (CSV)."""

from __future__ import annotations

from pathlib import PurePosixPath

from dashboards.report.model import DayCost, NightlyReport, PriceSource, Shortfall, WorkloadRow
from dashboards.report.page import html
from dashboards.report.spreadsheet import csv_text
from domain.artifact import Artifact

__all__ = ["DayCost", "NightlyReport", "PriceSource", "Shortfall", "WorkloadRow", "render"]


def render(report: NightlyReport) -> tuple[Artifact, Artifact]:
    """`trimtab-report-<date>.html` and `.csv`; the same report gives the same texts, byte for byte."""
    stem = f"trimtab-report-{report.date.isoformat()}"
    return (
        Artifact(path=PurePosixPath(f"{stem}.html"), text=html(report)),
        Artifact(path=PurePosixPath(f"{stem}.csv"), text=csv_text(report)),
    )
