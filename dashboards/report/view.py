"""What the page shows, in the page's own words: every text ready, every unknown still an Unknown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from dashboards.report import figures, words
from dashboards.report.curves import Curve, curve
from dashboards.report.model import NightlyReport, WorkloadRow
from domain.plan import Reason, Saving
from domain.unknown import Unknown

REASONS_SHOWN = 3
Text = str | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One workload in the table of all; `missing` says what is not known and why, `[]` if nothing."""

    workload: str
    team: str | None
    kind: str
    curve: Curve | None
    mode: Text
    replicas: Text
    requests: Text
    missed: Text
    over_budget: bool
    budget: str
    idle: Text
    cost: Text
    change: Text
    unit_cost: Text
    token_cost: str | None
    proposed: Text
    saving: Text
    missing: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One recommendation to act on: from what to what, what it saves, why."""

    workload: str
    link: str | None
    id: str
    now: str
    proposed: str
    saving: Text
    saving_range: str
    price_age: str
    why: str
    more: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One hold: why, and what would end it."""

    workload: str
    link: str | None
    why: str
    needs: str


def line(row: WorkloadRow, currency: str) -> Line:
    """The row in words."""

    def paid(amount: float) -> str:
        return words.money(amount, currency)

    step, unit_cost = figures.change(row), figures.cost_per_1k_requests(row)
    tokens = figures.cost_per_1m_tokens(row)
    day_curve = row.load if isinstance(row.load, Unknown) else curve(row.load)
    if day_curve is None:
        day_curve = Unknown("no hour of the day has a known load")
    held = row.kind == "hold"
    return Line(
        workload=row.workload,
        team=row.team,
        kind=row.kind,
        curve=None if isinstance(day_curve, Unknown) else day_curve,
        mode=row.mode if isinstance(row.mode, Unknown) else row.mode.value,
        replicas=row.replicas if isinstance(row.replicas, Unknown) else words.replicas(row.replicas),
        requests=row.requests if isinstance(row.requests, Unknown) else words.count(row.requests),
        missed=missed_text(row),
        over_budget=figures.over_budget(row) is True,
        budget="a budget that is not known" if isinstance(row.error_budget, Unknown) else words.percent(row.error_budget),
        idle=row.idle_share if isinstance(row.idle_share, Unknown) else words.percent(row.idle_share),
        cost=row.cost if isinstance(row.cost, Unknown) else paid(row.cost),
        change=step if isinstance(step, Unknown) else change_text(step, currency),
        unit_cost=unit_cost if isinstance(unit_cost, Unknown) else words.unit_money(unit_cost, currency),
        token_cost=f"{words.unit_money(tokens, currency)} per M tokens" if isinstance(tokens, float) else None,
        proposed="held" if held else row.proposed_cost if isinstance(row.proposed_cost, Unknown) else paid(row.proposed_cost),
        saving="held" if held else saving_text(row.saving, currency),
        missing=missing(row, step, unit_cost, day_curve),
    )  # fmt: skip


def missed_text(row: WorkloadRow) -> Text:
    """The share missed; where only the failed ones are known, they are a lower bound of it."""
    if not isinstance(row.missed_share, Unknown):
        return words.percent(row.missed_share)
    if not isinstance(row.failed_share, Unknown):
        return f"\N{GREATER-THAN OR EQUAL TO}{words.THIN}{words.percent(row.failed_share)}"
    return row.missed_share


def change_text(step: figures.Change, currency: str) -> str:
    """+$1.20 (+3.4 %), or "none"."""
    if not step.amount:
        return "none"
    text = words.signed(step.amount, words.money(step.amount, currency))
    return text if step.share is None else f"{text} ({words.percent(step.share, plus=True)})"


def saving_text(saving: Saving | Unknown, currency: str) -> Text:
    """Dollars a month; below zero it is what keeping the SLO costs more."""
    return saving if isinstance(saving, Unknown) else words.rounded_money(saving.usd_per_month, currency)


def saving_range(saving: Saving | Unknown, currency: str) -> str:
    """Low to high; empty where the saving is not known."""
    if isinstance(saving, Unknown):
        return ""
    return f"{words.rounded_money(saving.low, currency)} to {words.rounded_money(saving.high, currency)}"


def missing(
    row: WorkloadRow,
    step: figures.Change | Unknown,
    unit_cost: float | Unknown,
    day_curve: Curve | Unknown,
) -> list[str]:
    """What is not known, one entry a reason: "cost, change: no price for this machine"."""
    shown: list[tuple[str, object]] = [
        ("load curve", day_curve),
        ("mode", row.mode),
        ("replicas", row.replicas),
        ("requests", row.requests),
        ("missed share", row.missed_share),
        ("idle share", row.idle_share),
        ("cost", row.cost),
        ("change", step),
        ("cost per 1,000 requests", unit_cost),
        ("cost per million tokens", figures.cost_per_1m_tokens(row)),
    ]
    if row.kind == "act":
        shown += [
            ("proposed mode", row.proposed_mode),
            ("proposed replicas", row.proposed_replicas),
            ("proposed cost", row.proposed_cost),
            ("saving", row.saving),
            ("age of prices", row.price_age),
        ]
    names: dict[str, list[str]] = {}
    for name, value in shown:
        if isinstance(value, Unknown):
            names.setdefault(value.reason, []).append(name)
    return [f"{', '.join(of)}: {reason}" for reason, of in names.items()]


def proposals(report: NightlyReport) -> list[Proposal]:
    """Every act, the largest known saving first."""

    def key(row: WorkloadRow) -> tuple[bool, float, str]:
        known = isinstance(row.saving, Saving)
        return not known, -row.saving.usd_per_month if isinstance(row.saving, Saving) else 0.0, row.workload

    acts = sorted((row for row in report.rows if row.kind == "act"), key=key)
    return [
        Proposal(
            workload=row.workload,
            link=link(report, row),
            id=row.recommendation_id,
            now=way(row.mode, row.replicas),
            proposed=way(row.proposed_mode, row.proposed_replicas),
            saving=saving_text(row.saving, report.currency),
            saving_range=saving_range(row.saving, report.currency),
            price_age=words.full(row.price_age if isinstance(row.price_age, Unknown) else words.days(row.price_age)),
            why=sentences(row.reasons[:REASONS_SHOWN]),
            more=max(0, len(row.reasons) - REASONS_SHOWN),
        )
        for row in acts
    ]


def way(mode: object, replicas: float | Unknown) -> str:
    """How a workload is run: "dedicated, 4 replicas"."""
    if isinstance(mode, Unknown):
        return words.full(mode)
    if isinstance(replicas, Unknown):
        return f"{mode}, replicas {words.full(replicas)}"
    text = words.replicas(replicas)
    return f"{mode}, {text} replica{'' if text == '1' else 's'}"


def holds(report: NightlyReport) -> list[Held]:
    """Every hold, by name."""
    return [
        Held(
            workload=row.workload,
            link=link(report, row),
            why=sentences(row.reasons) or "no reason was recorded",
            needs=row.needs or "not stated",
        )
        for row in sorted(report.rows, key=lambda row: row.workload)
        if row.kind == "hold"
    ]


def sentences(reasons: Iterable[Reason]) -> str:
    """The details one after another, each ended, with what it changed."""
    return " ".join(sentence(reason) for reason in reasons)


def sentence(reason: Reason) -> str:
    """A reason's detail, and its before and after where it has both."""
    text = reason.detail.rstrip(" .")
    if reason.before is not None and reason.after is not None:
        text += f" ({reason.before} \N{RIGHTWARDS ARROW} {reason.after})"
    return f"{text}."


def link(report: NightlyReport, row: WorkloadRow) -> str | None:
    """The workload on our own page, with its recommendation and evidence, if its address is known."""
    return None if report.base_url is None else f"{report.base_url.rstrip('/')}/#{quote(row.workload, safe='')}"
