"""The month: what was spent, what it comes to, and what workloads and teams have set themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from domain.unknown import Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """An amount and the range it may fall in, over the `known` workloads `of` so many."""

    amount: float
    low: float
    high: float
    known: int = 1
    of: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The share (0..1) of requests held, over the `known` days of workloads `of` so many."""

    share: float
    known: int = 1
    of: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthLine:
    """The month up to the end of the report's day, of the fleet or of who has an objective (`whose`).

    `spent_whole` says whether every day is in `spent`; otherwise it is a lower bound. `attained` is the share of requests
    held so far, None where no target is set. `budget` is an amount a month, None where there is none.
    """

    whose: str
    spent: float | Unknown
    spent_whole: bool
    forecast: Range | Unknown
    budget: float | None = None
    attained: Share | Unknown | None = None
    target: float | None = None
    goal: str | None = None
    owner: str | None = None
    stakeholders: tuple[str, ...] = ()
    review_on: date | None = None
    review_due: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Realised:
    """What was promised and what came of it, over the `known` nights `of` so many of what was taken up."""

    promised: float
    realised: float
    known: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertLine:
    """An alert that fired on the report's day, of a workload, else of a team, else of the fleet; `ends_at` None while it still does."""

    name: str
    severity: str
    workload: str | None
    team: str | None
    starts_at: datetime
    ends_at: datetime | None
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnusualCost:
    """A workload whose cost of the day is far from that of its last known days; `usual` is their median."""

    workload: str
    cost: float
    usual: float
    low: float
    high: float
    days: int
