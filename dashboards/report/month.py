"""The month on the page: forecast and objectives, what savings came to, what was unusual and what alerts fired."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from dashboards.report import words
from dashboards.report.aims import AlertLine, MonthLine, Share, UnusualCost
from dashboards.report.model import NightlyReport
from dashboards.report.tiles import Tile, covering, plural
from dashboards.report.view import Text
from domain.unknown import Unknown

ALERTS_SHOWN = 10
GREATER = "\N{GREATER-THAN OR EQUAL TO}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """An objective in words; `spent_width` and `ahead_width` are drawn on a scale of 0..100 on which the budget is at `mark`."""

    whose: str
    about: str
    budget: str | None
    spent: Text
    ahead: Text
    ahead_range: str
    over: bool
    spent_width: float | None
    ahead_width: float | None
    mark: float | None
    attained: Text | None
    target: str
    below: bool
    review: str | None
    due: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """An alert in words."""

    name: str
    severity: str
    about: str
    when: str
    summary: str


def month_tile(report: NightlyReport) -> Iterator[Tile]:
    """What the month will come to."""
    line = report.month
    if line is None:
        return
    so_far = f"So far {words.full(spent(line, report.currency))}{budgets_note(report)}"
    broken = any(over(each) for each in report.objectives)
    ahead = line.forecast
    if isinstance(ahead, Unknown):
        yield Tile(title="Forecast of the month", figure=ahead, note=so_far, broken=broken)
        return
    bounds = f"{words.rounded_money(ahead.low, report.currency)} to {words.rounded_money(ahead.high, report.currency)}"
    yield Tile(
        title="Forecast of the month" + covering(ahead.known, ahead.of),
        figure=words.rounded_money(ahead.amount, report.currency),
        note=f"{bounds}. {so_far}",
        broken=broken,
    )


def budgets_note(report: NightlyReport) -> str:
    """How many budgets the month will break, and of how many that is not known."""
    verdicts = [over(each) for each in report.objectives if each.budget is not None]
    if not verdicts:
        return ""
    known = [verdict for verdict in verdicts if verdict is not None]
    if not known:
        return f". Whether {plural(len(verdicts), 'budget')} will be exceeded is not known"
    rest = f", of {len(verdicts) - len(known):,} more it is not known" if len(known) < len(verdicts) else ""
    return f". {sum(known)} of {plural(len(known), 'budget')} will be exceeded{rest}"


def realised_tile(report: NightlyReport) -> Iterator[Tile]:
    """What came of savings that were taken up, on the day and in the month."""
    month, day = report.realised_month, report.realised_day
    if month is None or day is None:
        return
    title = "Realised saving this month"
    if not month.of:
        yield Tile(title=title, figure="none", note="Nothing that was proposed has been taken up")
        return
    if not month.known:
        unknown = Unknown(f"the outcome of none of {plural(month.of, 'night')} is known")
        yield Tile(title=title, figure=unknown, note="")
        return
    promised = words.rounded_money(month.promised, report.currency)
    on_the_day = f". On the day {words.money(day.realised, report.currency)}" if day.known else ""
    yield Tile(
        title=title + covering(month.known, month.of, "nights"),
        figure=words.rounded_money(month.realised, report.currency),
        note=f"{promised} was promised of it{on_the_day}",
        broken=month.realised < 0,
    )


def spent(line: MonthLine, currency: str) -> Text:
    """The month so far; a lower bound where days are missing."""
    if isinstance(line.spent, Unknown):
        return line.spent
    text = words.rounded_money(line.spent, currency)
    return text if line.spent_whole else f"{GREATER}{words.THIN}{text}"


def over(line: MonthLine) -> bool | None:
    """Whether the budget is spent, or will be by the forecast; None without a budget and where that is not known.

    What is spent is a lower bound, and so is a forecast that leaves workloads out: neither says that a budget will last.
    """
    if line.budget is None:
        return None
    if not isinstance(line.spent, Unknown) and line.spent > line.budget:
        return True
    if isinstance(line.forecast, Unknown):
        return None
    if line.forecast.amount > line.budget:
        return True
    return False if line.forecast.known == line.forecast.of else None


def aims(report: NightlyReport) -> list[Aim]:
    """The objectives, in the order of the settings."""
    return [aim(line, report.date, report.currency) for line in report.objectives]


def aim(line: MonthLine, day: date, currency: str) -> Aim:
    """One objective."""
    ahead, known = line.forecast, None if isinstance(line.spent, Unknown) else line.spent
    expected = None if isinstance(ahead, Unknown) else ahead.amount
    scale = None if line.budget is None else max(filter(None, (line.budget, known, expected)))
    below = isinstance(line.attained, Share) and line.target is not None and line.attained.share < line.target
    return Aim(
        whose=line.whose,
        about=". ".join(filter(None, (line.goal, *people(line)))),
        budget=None if line.budget is None else words.rounded_money(line.budget, currency),
        spent=spent(line, currency),
        ahead=ahead if isinstance(ahead, Unknown) else words.rounded_money(ahead.amount, currency),
        ahead_range=""
        if isinstance(ahead, Unknown)
        else f"{words.rounded_money(ahead.low, currency)} to {words.rounded_money(ahead.high, currency)}"
        + covering(ahead.known, ahead.of),
        over=over(line) is True,
        spent_width=width(known, scale),
        ahead_width=width(expected, scale),
        mark=width(line.budget, scale),
        attained=None if line.target is None else held(line.attained),
        target="" if line.target is None else words.attainment(line.target),
        below=below,
        review=None if line.review_on is None else f"{line.review_on.day} {line.review_on:%b %Y}",
        due=line.review_due or (line.review_on is not None and line.review_on <= day),
    )


def people(line: MonthLine) -> Iterator[str]:
    """Who answers for it, and who is to know."""
    if line.owner:
        yield f"Owner: {line.owner}"
    if line.stakeholders:
        yield f"Stakeholders: {', '.join(line.stakeholders)}"


def held(share: Share | Unknown | None) -> Text:
    """The share of requests held, and of how many days that is known."""
    if isinstance(share, Share):
        return words.attainment(share.share) + covering(share.known, share.of, "days of workloads")
    return share or Unknown("no day of the month has been reported yet")


def width(amount: float | None, scale: float | None) -> float | None:
    """Percent of the scale; None where either is missing."""
    return None if amount is None or not scale else round(100 * amount / scale, 2)


def unusual_text(each: UnusualCost, currency: str) -> str:
    """Cost $12, usually $5 ($4 to $6 on the last 13 days)."""
    paid = [words.money(amount, currency) for amount in (each.cost, each.usual, each.low, each.high)]
    return f"cost {paid[0]}, usually {paid[1]} ({paid[2]} to {paid[3]} on its last {each.days} known days)"


def alerts(report: NightlyReport) -> tuple[list[Fired], int]:
    """The first alerts of the day, and how many more there were."""
    shown = [fired(each) for each in report.alerts[:ALERTS_SHOWN]]
    return shown, len(report.alerts) - len(shown)


def fired(alert: AlertLine) -> Fired:
    """One alert."""
    return Fired(
        name=alert.name,
        severity=alert.severity,
        about=alert.workload or (f"team {alert.team}" if alert.team else "the fleet"),
        when=f"{clock(alert.starts_at)} to {clock(alert.ends_at)}"
        if alert.ends_at
        else f"since {clock(alert.starts_at)}",
        summary=alert.summary,
    )


def clock(at: datetime) -> str:
    """17 Mar 14:05."""
    return f"{at.day} {at:%b %H:%M}"
