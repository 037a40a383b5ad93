"""The ledger in the store: nights are added and never changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import and_, select, tuple_

from domain.ledger import LedgerNight
from domain.plan import Reason
from domain.prices import HOURS_PER_MONTH
from domain.unknown import Unknown
from trimtab.records import Status
from trimtab.store.database import Database
from trimtab.store.ledger_codec import decode_night, encode_night
from trimtab.store.tables import NightRow, RecommendationRow

DAY = timedelta(days=1)
WEEK = 7  # nights over which a rate is taken: every day of the week once
REMEMBERED = timedelta(days=14)  # a newest night that is older tells nothing of now
NIGHTS_A_MONTH = HOURS_PER_MONTH / 24.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a workload's taken-up recommendations have done over the last week of nights whose outcome is known.

    `night` is the newest of them, `worse` what it says of the one that was taken up last.
    """

    workload: str
    night: date
    promised_usd_per_month: float
    realised_usd_per_month: float
    worse: tuple[Reason, ...]


class Nights:
    """The table of nights. Every method raises StoreError when the database fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, rows: Iterable[LedgerNight], booked_at: datetime) -> tuple[LedgerNight, ...]:
        """Book these nights; one that is booked already stays as it is. Those that were new."""
        with self._database.session() as session:
            new = [row for row in rows if session.get(NightRow, (row.night, row.recommendation_id)) is None]
            session.add_all(_row(row, booked_at) for row in new)
        return tuple(new)

    def between(self, first: date, last: date, workload: str | None = None) -> tuple[LedgerNight, ...]:
        """The nights from `first` to `last`, by night, workload and moment of being taken up."""
        query = select(NightRow.body).where(NightRow.night.between(first, last))
        if workload is not None:
            query = query.where(NightRow.workload == workload)
        with self._database.session() as session:
            rows = [decode_night(body) for body in session.scalars(query)]
        return tuple(sorted(rows, key=lambda row: (row.night, row.workload, row.taken_up_at, row.recommendation_id)))

    def standing(self, today: date) -> tuple[Standing, ...]:
        """How each workload stands, by workload; absent where no outcome of the last two weeks is known.

        What was dismissed since has ended, and its nights count no more. A night counts where the outcome of
        everything that was booked for it is known.
        """
        refused = select(RecommendationRow.id).where(RecommendationRow.decision == Status.DISMISSED.value)
        lately = and_(NightRow.night >= today - REMEMBERED, NightRow.recommendation.not_in(refused))
        figures = select(NightRow.workload, NightRow.night, NightRow.promised_usd, NightRow.realised_usd).where(lately)
        with self._database.session() as session:
            weeks = _weeks([Figures(*row) for row in session.execute(figures)])
            newest = [(name, week[-1].night) for name, week in weeks.items()]
            bodies = select(NightRow.body).where(lately, tuple_(NightRow.workload, NightRow.night).in_(newest))
            last = [decode_night(body) for body in session.scalars(bodies)]
        return tuple(
            _standing(max((row for row in last if row.workload == name), key=lambda row: row.taken_up_at), week)
            for name, week in sorted(weeks.items())
        )


class Figures(NamedTuple):
    """What is summed of one row; None where it is not known."""

    workload: str
    night: date
    promised_usd: float | None
    realised_usd: float | None


def _weeks(seen: Sequence[Figures]) -> dict[str, list[Figures]]:
    """By workload the rows of its last nights of which everything is known, in order; without one it is left out."""
    unknown = {(row.workload, row.night) for row in seen if row.promised_usd is None or row.realised_usd is None}
    weeks: dict[str, list[Figures]] = {}
    for row in sorted(seen, key=lambda row: row.night):
        if (row.workload, row.night) not in unknown:
            weeks.setdefault(row.workload, []).append(row)
    return {name: _week(rows) for name, rows in weeks.items()}


def _week(rows: Sequence[Figures]) -> list[Figures]:
    nights = _last_nights(rows)
    return [row for row in rows if row.night in nights]


def _last_nights(rows: Sequence[Figures]) -> set[date]:
    return set(sorted({row.night for row in rows})[-WEEK:])


def _standing(newest: LedgerNight, week: Sequence[Figures]) -> Standing:
    """Of the row that was taken up last in the newest night, and the figures of the week."""
    month = NIGHTS_A_MONTH / len(_last_nights(week))
    return Standing(
        workload=newest.workload,
        night=newest.night,
        promised_usd_per_month=month * sum(row.promised_usd or 0.0 for row in week),
        realised_usd_per_month=month * sum(row.realised_usd or 0.0 for row in week),
        worse=newest.worse,
    )


def _row(row: LedgerNight, booked_at: datetime) -> NightRow:
    return NightRow(
        night=row.night,
        recommendation=row.recommendation_id,
        workload=row.workload,
        booked_at=booked_at,
        promised_usd=None if isinstance(row.promised_usd, Unknown) else row.promised_usd,
        realised_usd=None if isinstance(row.realised_usd, Unknown) else row.realised_usd,
        body=encode_night(row),
    )
