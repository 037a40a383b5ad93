"""The head of the page: the night's figures, the last days, the top movers, where the money goes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from dashboards.report import figures, words
from dashboards.report.model import NightlyReport, WorkloadRow
from dashboards.report.month import month_tile, realised_tile
from dashboards.report.tiles import Tile, covering, plural
from dashboards.report.view import Text, change_text, saving_range
from domain.plan import Saving
from domain.unknown import Unknown

BARS = 10
MOVERS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Cost of a day now and as proposed, drawn on one scale (0..100); `proposed` None if none is."""

    name: str
    text: str
    now: float
    proposed: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayBar:
    """One day of the trend; `height` None where the cost is not known. `label` is empty on most days."""

    label: str
    figure: str
    caption: str
    height: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLine:
    """Sums over the workloads of one team, or of one model."""

    name: str
    workloads: int
    cost: Text
    change: Text
    unit_cost: Text
    token_cost: str | None
    idle: Text
    saving: Text


def tiles(report: NightlyReport) -> list[Tile]:
    """Cost, the month, savings proposed and realised, decisions, promises kept."""
    return [
        cost_tile(report),
        *month_tile(report),
        saving_tile(report),
        *realised_tile(report),
        decisions_tile(report),
        service_tile(report),
    ]


def cost_tile(report: NightlyReport) -> Tile:
    """What the day cost, and the change over workloads known on both days."""
    cost = figures.total([row.cost for row in report.rows], "cost")
    if isinstance(cost, Unknown):
        return Tile(title="Cost of the day", figure=cost, note="")
    step = figures.fleet_change(report.rows)
    if isinstance(step, Unknown):
        note = f"Change against the day before not known: {step.reason}"
    else:
        note = f"Against the day before: {change_text(step[0], report.currency)}{covering(step[1], cost.known)}"
    idle = figures.idle_share(report.rows)
    if not isinstance(idle, Unknown):
        note += f". Idle capacity was {words.percent(idle[0])} of it{covering(idle[1], len(report.rows))}"
    figure = words.rounded_money(cost.amount, report.currency)
    return Tile(title="Cost of the day" + covering(cost.known, cost.of), figure=figure, note=note)


def saving_tile(report: NightlyReport) -> Tile:
    """The sum of open proposals a month."""
    saving = figures.open_saving(report.rows)
    title = "Proposed saving a month"
    if isinstance(saving, Unknown):
        return Tile(title=title, figure=saving, note="")
    amount, of = saving
    if not of.of:
        return Tile(title=title, figure="none", note="Nothing is proposed")
    note = f"{saving_range(amount, report.currency)}, from {plural(of.of, 'proposal')}"
    return Tile(
        title=title + covering(of.known, of.of, "proposals"),
        figure=words.rounded_money(amount.usd_per_month, report.currency),
        note=note,
    )


def decisions_tile(report: NightlyReport) -> Tile:
    """How many to act on, how many held."""
    acts = sum(row.kind == "act" for row in report.rows)
    return Tile(
        title="Decisions",
        figure=f"{acts} to act on",
        note=f"{len(report.rows) - acts} held, of {plural(len(report.rows), 'workload')}",
    )


def service_tile(report: NightlyReport) -> Tile:
    """How many workloads missed more requests than their error budget allows."""
    verdicts = [figures.over_budget(row) for row in report.rows]
    known = [verdict for verdict in verdicts if not isinstance(verdict, Unknown)]
    title = "Over their error budget"
    if verdicts and not known:
        return Tile(title=title, figure=Unknown("of no workload it is known how many requests it missed"), note="")
    return Tile(
        title=title,
        figure=plural(sum(known), "workload"),
        note=f"of {len(known)} of which it is known",
        broken=any(known),
    )


def bars(report: NightlyReport) -> tuple[list[Bar], str]:
    """The dearest workloads, and a word on those left out."""
    dear = [row for row in figures.by_cost(report.rows) if not isinstance(row.cost, Unknown) and row.cost > 0]
    shown = dear[:BARS]
    scale = max([max(cost_of(row), proposal_of(row) or 0.0) for row in shown], default=0.0) or 1.0
    rest = sum(cost_of(row) for row in dear[BARS:])
    note = (
        f"The other {len(dear) - BARS:,} cost {words.rounded_money(rest, report.currency)} together."
        if len(dear) > BARS
        else ""
    )
    return [bar(row, scale, report.currency) for row in shown], note


def bar(row: WorkloadRow, scale: float, currency: str) -> Bar:
    """One workload's pair of bars."""
    proposed = proposal_of(row)
    text = words.money(cost_of(row), currency)
    if proposed is not None:
        text += f" \N{RIGHTWARDS ARROW} {words.money(proposed, currency)}"
    return Bar(
        name=row.workload,
        text=text,
        now=round(100 * cost_of(row) / scale, 2),
        proposed=None if proposed is None else round(100 * proposed / scale, 2),
    )


def cost_of(row: WorkloadRow) -> float:
    """The known cost; for rows chosen because it is known."""
    if isinstance(row.cost, Unknown):
        raise TypeError(f"{row.workload} has no known cost to draw")
    return row.cost


def proposal_of(row: WorkloadRow) -> float | None:
    """The proposed cost of a day where one is proposed and known."""
    return None if row.kind == "hold" or isinstance(row.proposed_cost, Unknown) else row.proposed_cost


def trend(report: NightlyReport) -> list[DayBar]:
    """A bar a day on a scale from 0; the first, the dearest and the last carry their figure."""
    known = [day.cost for day in report.trend if not isinstance(day.cost, Unknown)]
    top = max(known, default=0.0)
    spoken = {0, len(report.trend) - 1}
    result = []
    for position, day in enumerate(report.trend):
        name = f"{day.day.day} {day.day:%b}"
        text = day.cost if isinstance(day.cost, Unknown) else words.rounded_money(day.cost, report.currency)
        result.append(
            DayBar(
                label=name if position in spoken else "",
                figure=text if position in spoken and isinstance(text, str) else "",
                caption=f"{name}: {words.full(text)}",
                height=None if isinstance(day.cost, Unknown) else round(100 * day.cost / top, 1) if top > 0 else 0.0,
            )
        )
    return result


def movers(report: NightlyReport) -> list[tuple[str, str]]:
    """Workload and change, the largest first."""
    return [(row.workload, change_text(step, report.currency)) for row, step in figures.movers(report.rows, MOVERS)]


def teams(report: NightlyReport) -> list[GroupLine]:
    """Sums by team, dearest first; empty where no workload names one."""
    if not any(row.team for row in report.rows):
        return []
    return groups(report, lambda row: row.team or "(no team)")


def models(report: NightlyReport) -> list[GroupLine]:
    """Sums by model, dearest first; empty where every workload has a model of its own, for then its line says it all."""
    named = [row.model for row in report.rows if row.model]
    return groups(report, lambda row: row.model or "(no model)") if len(set(named)) < len(named) else []


def groups(report: NightlyReport, key: Callable[[WorkloadRow], str]) -> list[GroupLine]:
    """One line for each value of `key`."""
    found: dict[str, list[WorkloadRow]] = defaultdict(list)
    for row in figures.by_cost(report.rows):
        found[key(row)].append(row)
    return [group_line(name, rows, report.currency) for name, rows in found.items()]


def group_line(name: str, rows: list[WorkloadRow], currency: str) -> GroupLine:
    """One group's sums, each saying what it covers."""
    cost = figures.total([row.cost for row in rows], "cost")
    step = figures.fleet_change(rows)
    unit, tokens, idle = figures.unit_cost(rows), figures.token_cost(rows), figures.idle_share(rows)
    return GroupLine(
        name=name,
        workloads=len(rows),
        cost=cost if isinstance(cost, Unknown) else words.money(cost.amount, currency) + covering(cost.known, cost.of),
        change=step if isinstance(step, Unknown) else change_text(step[0], currency) + covering(step[1], len(rows)),
        unit_cost=unit
        if isinstance(unit, Unknown)
        else words.unit_money(unit[0], currency) + covering(unit[1], len(rows)),
        token_cost=None if tokens is None else f"{words.unit_money(tokens[0], currency)} per M tokens",
        idle=idle if isinstance(idle, Unknown) else words.percent(idle[0]) + covering(idle[1], len(rows)),
        saving=group_saving(figures.open_saving(rows), currency),
    )


def group_saving(saving: tuple[Saving, figures.Total] | Unknown, currency: str) -> Text:
    """A group's sum, "none" where nothing is proposed."""
    if isinstance(saving, Unknown):
        return saving
    amount, of = saving
    text = words.rounded_money(amount.usd_per_month, currency) + covering(of.known, of.of, "proposals")
    return text if of.of else "none"
