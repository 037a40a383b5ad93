"""The nightly cost report: a page to read (HTML, PDF) and the same figures to compute with (CSV, FOCUS)."""

from __future__ import annotations

from pathlib import PurePosixPath

from dashboards.report.focus import focus_csv, focus_metadata
from dashboards.report.model import DayCost, NightlyReport, PriceSource, Shortfall, WorkloadRow
from dashboards.report.page import html
from dashboards.report.paper import pdf
from dashboards.report.spreadsheet import csv_text
from domain.artifact import Artifact

__all__ = ["DayCost", "NightlyReport", "PriceSource", "Shortfall", "WorkloadRow", "pdf", "render", "stem"]


def stem(report: NightlyReport) -> str:
    """What the names of the day's files begin with."""
    return f"trimtab-report-{report.date.isoformat()}"


def render(report: NightlyReport) -> tuple[Artifact, ...]:
    """`trimtab-report-<date>` as .html, .csv, .focus.csv and .focus.json; the same report gives the same texts, byte for byte."""
    texts = {
        "html": html(report),
        "csv": csv_text(report),
        "focus.csv": focus_csv(report),
        "focus.json": focus_metadata(report),
    }
    return tuple(Artifact(path=PurePosixPath(f"{stem(report)}.{kind}"), text=text) for kind, text in texts.items())
