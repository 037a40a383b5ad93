"""The report on paper: the same page as a PDF (A4), made by WeasyPrint where its libraries are."""

from __future__ import annotations

from dashboards.report.model import NightlyReport
from dashboards.report.page import html
from domain.unknown import Unknown

LINES_ON_PAPER = 25  # of each table: laying out text takes seconds, and the CSV has them all
# WeasyPrint draws inline SVG by its own attributes alone: what the style sheet says of each class has to stand there too.
INK = {
    'class="now"': 'class="now" fill="#8796a6"',
    'class="now last"': 'class="now last" fill="#0d6e6e"',
    'class="then"': 'class="then" fill="#0d6e6e"',
    'class="gap"': 'class="gap" fill="none" stroke="#8796a6" stroke-width="0.4" stroke-dasharray="3 3"',
    "<line ": '<line stroke="#1b2430" stroke-width="0.6" ',
    "<path ": '<path fill="none" stroke="#0d6e6e" stroke-width="1.3" stroke-linejoin="round" ',
}


def pdf(report: NightlyReport) -> bytes | Unknown:
    """The page as PDF; Unknown with the remedy where Pango, which WeasyPrint draws text with, is not installed.

    Imported late: it takes seconds, and nothing else needs it.
    """
    try:
        from weasyprint import HTML  # noqa: PLC0415
    except OSError as fault:
        reason = str(fault).splitlines()[0]
        return Unknown(f"WeasyPrint finds no Pango ({reason}): install libpango-1.0-0 and libpangoft2-1.0-0")
    made: bytes = HTML(string=inked(html(report, most_lines=LINES_ON_PAPER))).write_pdf()
    return made


def inked(page: str) -> str:
    """The page with the look of its drawings in their own attributes; text holds none of these, for it is escaped."""
    for name, attributes in INK.items():
        page = page.replace(name, attributes)
    return page
