"""The arithmetic of a calendar month (UTC): what was spent, what it will come to, and what share of requests was held.

A day of which nothing is known costs something all the same: it is counted, never summed as 0, and in a forecast it counts
as an ordinary day.
"""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np

from domain.unknown import Unknown
from trimtab.store.days import DayFacts, DaySpend

DAY = timedelta(days=1)
ORDINARY_DAYS = 14  # the last whole days that say what a day costs
FEWEST_DAYS = 3
LOW, HIGH = 0.1, 0.9  # quantiles of those days


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """Dollars of the days that are known: `known` of `of` days of workloads. A lower bound unless all are."""

    usd: float
    known: int
    of: int

    @property
    def whole(self) -> bool:
        return self.known == self.of


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What the whole month will come to; low and high as if every day that is not known were a cheap, or a dear one."""

    usd: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Attained:
    """The share of the month's requests that was held, over the days of workloads of which it is known."""

    share: float
    known: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """What a group of workloads cost day by day, up to `now`.

    `spend` maps a day to its workloads' dollars (None where not known); a workload that is absent on a day on which
    others were watched was not there. On a day that is absent altogether nothing was watched.
    """

    members: Collection[str]
    spend: Mapping[date, Mapping[str, float | None]]
    now: datetime

    @classmethod
    def of(cls, members: Collection[str], spend: Iterable[DaySpend], now: datetime) -> Days:
        """The days of these workloads, of rows of all."""
        days: dict[date, dict[str, float | None]] = defaultdict(dict)
        for row in spend:
            watched = days[row.day]
            if row.workload in members:
                watched[row.workload] = row.usd
        return cls(members=members, spend=dict(days), now=now.astimezone(UTC))

    @property
    def today(self) -> date:
        return self.now.date()

    @property
    def first(self) -> date:
        """The first of the month."""
        return self.today.replace(day=1)

    @property
    def passed(self) -> float:
        """The part of today that is over, 0..1."""
        return (self.now - datetime.combine(self.today, datetime.min.time(), UTC)) / DAY

    def parts(self, day: date) -> list[float | None]:
        """Each workload's dollars on the day; a day that nobody watched is unknown of every member."""
        watched = self.spend.get(day)
        return [None] * len(self.members) if watched is None else list(watched.values())

    def total(self, day: date) -> float | None:
        """The group's dollars on the day; None where a part is not known."""
        parts = self.parts(day)
        known = [part for part in parts if part is not None]
        return sum(known) if len(known) == len(parts) else None


def spent(days: Days) -> Spend | Unknown:
    """What the month has cost so far; of today the part that is over. Unknown where no day is known."""
    usd, known, of = 0.0, 0, 0
    for day in _month_to(days.today, days.first):
        share = days.passed if day == days.today else 1.0
        parts = days.parts(day) if share > 0 else []
        seen = [part for part in parts if part is not None]
        usd, known, of = usd + share * sum(seen), known + len(seen), of + len(parts)
    if of and not known:
        return Unknown(f"the cost of no day since {days.first} is known")
    return Spend(usd=usd, known=known, of=of)


def _month_to(today: date, first: date) -> list[date]:
    return [first + n * DAY for n in range((today - first).days + 1)]


def outlook(days: Days) -> Outlook | Unknown:
    """Known days as they were, every other day of the month like the last whole ones."""
    usual = [total for n in range(1, ORDINARY_DAYS + 1) if (total := days.total(days.today - n * DAY)) is not None]
    if len(usual) < FEWEST_DAYS:
        return Unknown(
            f"only {len(usual)} of the last {ORDINARY_DAYS} days are known in full, {FEWEST_DAYS} are needed"
        )
    known, open_days = 0.0, float(monthrange(days.today.year, days.today.month)[1] - days.today.day) + 1.0 - days.passed
    for day in _month_to(days.today, days.first):
        share, total = (days.passed if day == days.today else 1.0), days.total(day)
        if total is None:
            open_days += share
        else:
            known += share * total
    return Outlook(
        usd=known + open_days * float(np.mean(usual)),
        low=known + open_days * min(float(np.mean(usual)), float(np.quantile(usual, LOW))),
        high=known + open_days * max(float(np.mean(usual)), float(np.quantile(usual, HIGH))),
    )


def attained(facts: Sequence[DayFacts]) -> Attained | Unknown:
    """1 less the share of requests missed, each day by its requests; Unknown where no day is known or nothing came."""
    requests, missed, known = 0.0, 0.0, 0
    for day in facts:
        if day.requests == 0:
            known += 1  # nothing came: nothing was missed
        elif not isinstance(day.requests, Unknown) and not isinstance(day.missed_share, Unknown):
            requests, missed, known = requests + day.requests, missed + day.requests * day.missed_share, known + 1
    if requests <= 0:
        why = next((d.missed_share for d in facts if isinstance(d.missed_share, Unknown)), None)
        return why or Unknown("no day of the month has been reported yet" if not facts else "no request arrived")
    return Attained(share=1.0 - missed / requests, known=known, of=len(facts))
