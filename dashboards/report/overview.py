"""The head of the page: the night's figures, the last days, the top movers, where the money goes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from dashboards.report import figures, words
from dashboards.report.model import NightlyReport, WorkloadRow
from dashboards.report.view import Text, change_text, saving_range
from domain.plan import Saving
from domain.unknown import Unknown

BARS = 10
MOVERS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A headline figure with what it rests on."""

    title: str
    figure: Text
    note: str
    broken: bool = False


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
class TeamLine:
    """Sums over one team's workloads."""

    team: str
    workloads: int
    cost: Text
    change: Text
    saving: Text


def tiles(report: NightlyReport) -> list[Tile]:
    """Cost, open savings, decisions, promises kept."""
    return [cost_tile(report), saving_tile(report), decisions_tile(report), service_tile(report)]


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


def covering(known: int, of: int, what: str = "workloads") -> str:
    """Says when a figure does not cover everything."""
    return "" if known == of else f" ({known:,} of {of:,} {what})"


def plural(number: int, noun: str) -> str:
    """1 workload, 2 workloads."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


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


def teams(report: NightlyReport) -> list[TeamLine]:
    """Sums by team, dearest first; empty where no workload names one."""
    if not any(row.team for row in report.rows):
        return []
    groups: dict[str, list[WorkloadRow]] = defaultdict(list)
    for row in figures.by_cost(report.rows):
        groups[row.team or "(no team)"].append(row)
    return [team_line(team, rows, report.currency) for team, rows in groups.items()]


def team_line(team: str, rows: list[WorkloadRow], currency: str) -> TeamLine:
    """One team's sums, each saying what it covers."""
    cost = figures.total([row.cost for row in rows], "cost")
    step = figures.fleet_change(rows)
    saving = figures.open_saving(rows)
    return TeamLine(
        team=team,
        workloads=len(rows),
        cost=cost if isinstance(cost, Unknown) else words.money(cost.amount, currency) + covering(cost.known, cost.of),
        change=step if isinstance(step, Unknown) else change_text(step[0], currency) + covering(step[1], len(rows)),
        saving=team_saving(saving, currency),
    )


def team_saving(saving: tuple[Saving, figures.Total] | Unknown, currency: str) -> Text:
    """A team's sum, "none" where nothing is proposed."""
    if isinstance(saving, Unknown):
        return saving
    amount, of = saving
    text = words.rounded_money(amount.usd_per_month, currency) + covering(of.known, of.of, "proposals")
    return text if of.of else "none"
