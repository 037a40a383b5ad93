"""The report as CSV: one row a workload, columns that stay; an unknown is an empty cell and a reason."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from decimal import Decimal

from dashboards.report import figures
from dashboards.report.model import NightlyReport, WorkloadRow
from dashboards.report.words import moment
from domain.unknown import Unknown

KNOWABLE = (
    "mode", "proposed_mode", "replicas", "proposed_replicas", "cost", "previous_cost", "cost_change", "proposed_cost",
    "saving_per_month", "requests", "missed_share", "failed_share", "idle_share", "cost_per_1k_requests", "price_age_days",
    "tokens", "cost_per_1m_tokens",
)  # fmt: skip
COLUMNS = (
    "date", "timezone", "workload", "model", "team", "recommendation_id", "decision", "currency",
    *KNOWABLE[:9], "saving_low", "saving_high", *KNOWABLE[9:12], "error_budget", *KNOWABLE[12:],
    "reasons", "needs", "generated_at", *(f"{name}_reason" for name in KNOWABLE), "cost_covered",
)  # fmt: skip
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_text(report: NightlyReport) -> str:
    """Comma-separated, RFC 4180 quoting, lines ended by a line feed, header first, rows by workload."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(line(report, row) for row in sorted(report.rows, key=lambda row: row.workload))
    return out.getvalue()


def line(report: NightlyReport, row: WorkloadRow) -> list[str]:
    """One workload's cells, in the order of COLUMNS."""
    knowable = dict(zip(KNOWABLE, values(row), strict=True))
    known = {name: "" if isinstance(value, Unknown) else value for name, value in knowable.items()}
    reasons = {
        f"{name}_reason": text(value.reason) if isinstance(value, Unknown) else "" for name, value in knowable.items()
    }
    saving = row.saving
    cells = {
        "date": report.date.isoformat(),
        "timezone": report.timezone,
        "workload": text(row.workload),
        "model": text(row.model or ""),
        "team": text(row.team or ""),
        "recommendation_id": text(row.recommendation_id),
        "decision": row.kind,
        "currency": report.currency,
        "saving_low": "" if isinstance(saving, Unknown) else plain(saving.low),
        "saving_high": "" if isinstance(saving, Unknown) else plain(saving.high),
        "error_budget": "" if isinstance(row.error_budget, Unknown) else plain(row.error_budget),
        "reasons": text(" | ".join(f"{reason.code}: {reason.detail}" for reason in row.reasons)),
        "needs": text(row.needs or ""),
        "generated_at": moment(report.generated_at),
        "cost_covered": "" if isinstance(row.covered, Unknown) else plain(row.covered),
    }
    cells |= known | reasons
    return [cells[name] for name in COLUMNS]


def values(row: WorkloadRow) -> Iterator[str | Unknown]:
    """The knowable cells, in the order of KNOWABLE."""
    step = figures.change(row)
    saving = row.saving
    yield row.mode if isinstance(row.mode, Unknown) else row.mode.value
    yield row.proposed_mode if isinstance(row.proposed_mode, Unknown) else row.proposed_mode.value
    for amount in (
        row.replicas,
        row.proposed_replicas,
        row.cost,
        row.previous_cost,
        step if isinstance(step, Unknown) else step.amount,
        row.proposed_cost,
        saving if isinstance(saving, Unknown) else saving.usd_per_month,
        row.requests,
        row.missed_share,
        row.failed_share,
        row.idle_share,
        figures.cost_per_1k_requests(row),
        row.price_age if isinstance(row.price_age, Unknown) else row.price_age.days,
        no_tokens(row.tokens),
        no_tokens(figures.cost_per_1m_tokens(row)),
    ):
        yield amount if isinstance(amount, Unknown) else plain(amount)


def no_tokens(amount: float | Unknown | None) -> float | Unknown:
    """Empty with its reason where the runtime tells of no tokens."""
    return Unknown("its runtime tells of no tokens") if amount is None else amount


def plain(value: float) -> str:
    """Ten significant digits without exponent, separators or trailing zeros."""
    digits = format(Decimal(f"{value:.10g}"), "f")
    digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return "0" if digits == "-0" else digits


def text(value: str) -> str:
    """A text that no spreadsheet takes for a formula: one that could be is led by an apostrophe."""
    return f"'{value}" if value.startswith(FORMULA_STARTS) else value
