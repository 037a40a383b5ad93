"""Recommendations as a table, JSON, CSV or Markdown."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from dashboards.report.spreadsheet import text as cell
from dashboards.report.words import rounded_money
from domain.plan import Reason
from trimtab.present import most_telling, placed, recommendation_body
from trimtab.records import Record
from trimtab.totals import Totals, totals_of

COLUMNS = ("workload", "do", "now", "proposed", "USD/month now", "saving/month", "price age", "why")
FIELDS = (
    "id", "workload", "kind", "status", "created_at", "valid_until", "current_replicas", "current_machines", "current_mode", "current_offer",
    "current_usd_per_month", "proposed_replicas", "proposed_machines", "proposed_mean_replicas", "proposed_mode", "proposed_offer",
    "proposed_usd_per_month", "saving_usd_per_month", "saving_low", "saving_high", "price_age_days",
    "confidence", "why", "needs",
)  # fmt: skip
NARROWEST = 130


def write(output: str, records: Sequence[Record], now: datetime) -> str:
    """The records in one of the forms, ending with a line break; under what is read by people, the fleet's sum."""
    text = write_bodies(output, [recommendation_body(record, now) for record in records])
    return f"{text}\n{_sum(totals_of(records, now))}\n" if output in ("table", "markdown") else text


def _sum(totals: Totals) -> str:
    """One sentence on the whole fleet; a shared host is in it once."""
    usd = partial(rounded_money, currency="USD")
    bill = f"{usd(totals.bill)} a month" if totals.billed else "not known"
    said = f"all together: {bill} as it runs (known for {totals.billed} of {totals.workloads})"
    if totals.saving_known:
        said += f", {usd(totals.plan)} as proposed: {usd(totals.saving)} less ({usd(totals.low)} to {usd(totals.high)})"
    if totals.hosts:
        said += f"; {len(totals.hosts)} shared host{'s' * (len(totals.hosts) != 1)}, {usd(totals.hosts_usd)} a month"
    if totals.prices is not None:
        said += f"; {totals.prices}"
    return said


def write_bodies(output: str, bodies: Sequence[dict[str, Any]]) -> str:
    """The same from recommendations as the API gives them."""
    if output == "json":
        return json.dumps(bodies, indent=2, ensure_ascii=False) + "\n"
    if output == "csv":
        return _csv(bodies)
    if output == "markdown":
        return _markdown(bodies)
    return _table(bodies)


def _csv(bodies: Sequence[dict[str, Any]]) -> str:
    """One line a workload; what is not known is an empty cell, and no text is one that a spreadsheet takes for a formula."""
    text = io.StringIO()
    writer = csv.DictWriter(text, FIELDS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for body in bodies:
        row = body | _flat("current", body["current"]) | _flat("proposed", body["proposed"]) | {"why": _why(body)}
        writer.writerow({name: cell(value) if isinstance(value, str) else value for name, value in row.items()})
    return text.getvalue()


def _flat(prefix: str, configuration: dict[str, Any] | None) -> dict[str, Any]:
    return {f"{prefix}_{name}": value for name, value in (configuration or {}).items()}


def _markdown(bodies: Sequence[dict[str, Any]]) -> str:
    rows = [COLUMNS, ("---",) * len(COLUMNS), *(_cells(body) for body in bodies)]
    return "".join("| " + " | ".join(_escaped(cell) for cell in row) + " |\n" for row in rows)


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|").replace("\n", " ")


def _table(bodies: Sequence[dict[str, Any]]) -> str:
    """The figures side by side, and beneath them why, a paragraph for each workload."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    wide = max(NARROWEST, shutil.get_terminal_size((NARROWEST, 24)).columns)
    printed = io.StringIO()
    screen = Console(file=printed, width=wide, force_terminal=sys.stdout.isatty(), highlight=False)
    figures, reasons = Table(*COLUMNS[:-1]), Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for column in figures.columns[4:]:
        column.justify = "right"
    for body in bodies:
        *cells, why = [Text(cell) for cell in _cells(body)]
        cells[1].stylize("bold green" if body["kind"] == "act" else "yellow")
        figures.add_row(*cells)
        reasons.add_row(cells[0], why)
    screen.print(figures)
    screen.print(reasons)
    return printed.getvalue()


def _cells(body: dict[str, Any]) -> tuple[str, ...]:
    current, saving = body["current"], body["saving_usd_per_month"]
    return (
        body["workload"],
        body["kind"] if body["status"] == "open" else f"{body['kind']} ({body['status']})",
        _runs(current) or "not known",
        _runs(body["proposed"]) or "no change",
        rounded_money(current["usd_per_month"], "USD") if current else "not known",
        _saving(body) if saving is not None else "none" if body["kind"] == "hold" else "not known",
        "not known" if body["price_age_days"] is None else f"{body['price_age_days']} d",
        _why(body),
    )


def _saving(body: dict[str, Any]) -> str:
    low, high = (rounded_money(body[name], "USD") for name in ("saving_low", "saving_high"))
    return f"{rounded_money(body['saving_usd_per_month'], 'USD')} ({low} to {high})"


def _runs(configuration: dict[str, Any] | None) -> str | None:
    if configuration is None:
        return None
    on = placed(
        configuration["offer"],
        replicas=configuration["replicas"],
        mean_replicas=configuration["mean_replicas"],
        machines=configuration["machines"],
        each=configuration["replicas_per_machine"],
    )
    return f"{on}, {configuration['mode']}"


def _why(body: dict[str, Any]) -> str:
    """What a person asks first: what the decision rests on, or why it is held and what it needs."""
    most = 1 if body["kind"] == "hold" else 3
    said = [reason.detail for reason in most_telling([Reason(**reason) for reason in body["reasons"]])[:most]]
    needs = [f"needs {body['needs']}"] if body["kind"] == "hold" else []
    return "; ".join([*said, *needs, *_not_known(body, said)])


def _not_known(body: dict[str, Any], said: Sequence[str]) -> list[str]:
    """Why what runs today, or the saving against it, is not known; nothing where it was said, or a hold saves nothing."""
    fields = ("current",) if body["kind"] == "hold" else ("current", "saving_usd_per_month")
    because = next((body["unknown"][field] for field in fields if field in body["unknown"]), None)
    return [] if because is None or because in said else [f"today's cost is not known: {because}"]
