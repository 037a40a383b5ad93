"""The report on paper: the same page as a PDF (A4), made by WeasyPrint where its libraries are."""

from __future__ import annotations

from dashboards.report.model import NightlyReport
from dashboards.report.page import html
from domain.unknown import Unknown

LINES_ON_PAPER = 40  # of each table: laying out text takes seconds, and the CSV has them all


def pdf(report: NightlyReport) -> bytes | Unknown:
    """The page as PDF; Unknown with the remedy where Pango, which WeasyPrint draws text with, is not installed.

    Imported late: it takes seconds, and nothing else needs it.
    """
    try:
        from weasyprint import HTML  # noqa: PLC0415
    except OSError as fault:
        reason = str(fault).splitlines()[0]
        return Unknown(f"WeasyPrint finds no Pango ({reason}): install libpango-1.0-0 and libpangoft2-1.0-0")
    made: bytes = HTML(string=html(report, most_lines=LINES_ON_PAPER)).write_pdf()
    return made
