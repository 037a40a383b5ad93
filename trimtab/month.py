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
ORDINARY_DAYS = 14  # the last days that say what a day costs
FEWEST_DAYS = 3  # of those that were watched at all
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
    """What the whole month will come to; low and high as if every day that is not known were a cheap, or a dear one.

    It covers `known` `of` so many workloads: one whose cost is never known is left out, and the month will cost more.
    """

    usd: float
    low: float
    high: float
    known: int
    of: int


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


def spent(days: Days) -> Spend | Unknown:
    """What the month has cost so far; of today the part that is over. Unknown where no day is known."""
    if not days.members:
        return _nobody_looked(days)
    usd, known, of = 0.0, 0, 0
    for day in _month_to(days.today, days.first):
        share = days.passed if day == days.today else 1.0
        parts = days.parts(day) if share > 0 else []
        seen = [part for part in parts if part is not None]
        usd, known, of = usd + share * sum(seen), known + len(seen), of + len(parts)
    if of and not known:
        return Unknown(f"the cost of no day since {days.first} is known")
    return Spend(usd=usd, known=known, of=of)


def _nobody_looked(days: Days) -> Unknown:
    since = min(days.first, days.today - ORDINARY_DAYS * DAY)
    return Unknown(f"no cycle looked at a workload between {since} and {days.today}")


def _month_to(today: date, first: date) -> list[date]:
    return [first + n * DAY for n in range((today - first).days + 1)]


def outlook(days: Days) -> Outlook | Unknown:
    """What is known as it was; every other day of a workload that is still there like its own last known ones."""
    watched = [day for day in days.spend if day <= days.today]
    if not days.members or not watched:
        return _nobody_looked(days)
    before = sum(days.today - ORDINARY_DAYS * DAY <= day < days.today for day in watched)
    if before < FEWEST_DAYS:
        return Unknown(f"only {before} of the last {ORDINARY_DAYS} days were watched, {FEWEST_DAYS} are needed")
    there = days.spend[max(watched)].keys()
    known, still = _known_and_open(days, there)
    usual = {workload: _usual(days, workload) for workload in still}
    each = [(share, np.asarray(usual[workload])) for workload, share in still.items() if usual[workload]]
    if still and not each:
        return Unknown(f"no cost is known of {min(still)}, nor of any other workload, on the last {ORDINARY_DAYS} days")
    return Outlook(
        usd=known + sum(share * float(own.mean()) for share, own in each),
        low=known + sum(share * float(min(own.mean(), np.quantile(own, LOW))) for share, own in each),
        high=known + sum(share * float(max(own.mean(), np.quantile(own, HIGH))) for share, own in each),
        known=len(each),
        of=len(still),
    )


def _known_and_open(days: Days, there: Collection[str]) -> tuple[float, dict[str, float]]:
    """Dollars that are known of the month, and the days that are to come or not known, of each workload."""
    length = monthrange(days.today.year, days.today.month)[1]
    known, still = 0.0, dict.fromkeys(there, length - days.today.day + 1.0 - days.passed)
    for day in _month_to(days.today, days.first):
        share = days.passed if day == days.today else 1.0
        for workload, usd in days.spend.get(day, dict.fromkeys(there)).items():
            if usd is not None:
                known += share * usd
            else:
                still[workload] = still.get(workload, 0.0) + share
    return known, {workload: share for workload, share in still.items() if share > 0}


def _usual(days: Days, workload: str) -> list[float]:
    """What the workload cost on those of the last days, today included, on which that is known."""
    costs = (days.spend.get(days.today - n * DAY, {}).get(workload) for n in range(ORDINARY_DAYS + 1))
    return [usd for usd in costs if usd is not None]


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
