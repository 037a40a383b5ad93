"""The report as one self-contained HTML page: style and drawings inside, nothing fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.report import figures, month, overview, view, words
from dashboards.report.model import NightlyReport
from dashboards.report.tiles import plural
from dashboards.style import stylesheet
from domain.unknown import Unknown

if TYPE_CHECKING:
    from jinja2 import Environment

# On a phone each row becomes a card and its cells carry these names (by position among the row's cells).
LABELS: dict[str, tuple[str, ...]] = {
    "proposals": ("Now", "Proposed", "Saving a month"),
    "holds": ("", "What would end it"),
    "groups": ("Workloads", "Cost of the day", "Change", "Per 1,000 requests", "Idle", "Proposed saving a month"),
    "aims": ("Budget a month", "Spent so far", "Forecast", "Requests held", "Review"),
    "alerts": ("Severity", "Whose", "When", ""),
    "workloads": (
        "Decision", "Mode", "Replicas", "Requests", "Missed", "Idle", "Cost", "Change", "Per 1,000 requests",
        "A day as proposed", "Saving a month",
    ),
}  # fmt: skip


def environment() -> Environment:
    """Jinja with every text escaped and every misspelt name an error; imported late, it is not cheap."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415  `trimtab --help` does without

    return Environment(
        loader=PackageLoader("dashboards.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def html(report: NightlyReport, most_lines: int | None = None) -> str:
    """The whole page; with `most_lines` each table ends after so many lines, and it says so."""
    bars, bars_note = overview.bars(report)
    alerts, more_alerts = month.alerts(report)
    lines = figures.by_cost(report.rows)[:most_lines]
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            style=stylesheet(),
            labels={table: [(i, label) for i, label in enumerate(of, 1) if label] for table, of in LABELS.items()},
            day=words.long_date(report.date),
            summary=summary(report),
            shortfalls=report.shortfalls,
            tiles=overview.tiles(report),
            trend=overview.trend(report),
            movers=overview.movers(report),
            unmoved=unmoved(report),
            bars=bars,
            bars_note=bars_note,
            aims=month.aims(report)[:most_lines],
            unusual=[(each.workload, month.unusual_text(each, report.currency)) for each in report.unusual],
            alerts=alerts,
            more_alerts=more_alerts,
            alerts_lack=report.alerts_lack,
            proposals=view.proposals(report)[:most_lines],
            holds=view.holds(report)[:most_lines],
            groups=[
                ("team", "By team", overview.teams(report)[:most_lines]),
                ("model", "By model", overview.models(report)[:most_lines]),
            ],
            lines=[view.line(row, report.currency) for row in lines],
            left_out=left_out(report, most_lines),
            currency=report.currency,
            timezone=report.timezone,
            prices=prices(report),
            generated_at=words.moment(report.generated_at),
        )
    )


def summary(report: NightlyReport) -> str:
    """One sentence for who reads no further."""
    if not report.rows:
        return "No workload was seen on this day."
    saving = figures.open_saving(report.rows)
    cost = figures.total([row.cost for row in report.rows], "cost")
    spent = (
        f"What the fleet cost is not known: {cost.reason}."
        if isinstance(cost, Unknown)
        else f"{some(cost)} cost {words.rounded_money(cost.amount, report.currency)}."
    )
    if isinstance(saving, Unknown) or not saving[1].of:
        return spent
    amount, of = saving
    return (
        f"{spent} {plural(of.of, 'proposal')} would save about "
        f"{words.rounded_money(amount.usd_per_month, report.currency)} a month."
    )


def some(cost: figures.Total) -> str:
    """12 workloads, or 11 of 12 workloads."""
    fleet = plural(cost.of, "workload")
    return fleet if cost.whole else f"{cost.known:,} of {fleet}"


def left_out(report: NightlyReport, most_lines: int | None) -> str:
    """Says that tables were ended early; empty where none was."""
    if most_lines is None or len(report.rows) <= most_lines:
        return ""
    return f"Tables end after {most_lines} lines: the HTML page and the CSV have all {plural(len(report.rows), 'workload')}."


def unmoved(report: NightlyReport) -> str:
    """Why no mover is listed."""
    step = figures.fleet_change(report.rows)
    if isinstance(step, Unknown):
        return f"Changes are not known: {step.reason}."
    return f"The cost of {plural(step[1], 'workload')} is the same as the day before."


def prices(report: NightlyReport) -> str:
    """Where prices come from and how old they are."""
    if not report.price_sources:
        return "No price was used."
    named = [
        f"{source.name} ({'date not stated' if source.as_of is None else f'as of {source.as_of.isoformat()}'})"
        for source in report.price_sources
    ]
    return f"Prices: {'; '.join(named)}."
