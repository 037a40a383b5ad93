"""What is known of each whole day (UTC) of a workload: what the month's reckoning rests on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import insert, select, update

from domain.unknown import Unknown
from trimtab.store.database import Database
from trimtab.store.tables import CostRow, DayRow

HOURS_A_DAY = 24.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFacts:
    """Whose workload it was on the day, how many requests came and which share of them was missed (0..1)."""

    day: date
    workload: str
    team: str | None
    requests: float | Unknown
    missed_share: float | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySpend:
    """What a workload cost on a day, in 24 hours at the mean of what its cycles saw; None where no cycle knew it."""

    day: date
    workload: str
    usd: float | None


class DayStore:
    """The days. Every method raises StoreError when the database fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, facts: Iterable[DayFacts]) -> None:
        """Store the facts of days, in place of earlier ones of the same workloads and days."""
        rows = {(each.day, each.workload): _row(each) for each in facts}
        days = {day for day, _ in rows}
        with self._database.session() as session:
            there = select(DayRow.day, DayRow.workload).where(DayRow.day.in_(days))
            known = {(day, workload) for day, workload in session.execute(there)}
            for statement, chosen in (
                (insert(DayRow), rows.keys() - known),
                (update(DayRow), rows.keys() & known),
            ):
                if chosen:
                    session.execute(statement, [rows[key] for key in sorted(chosen)])

    def between(self, first: date, last: date) -> tuple[DayFacts, ...]:
        """The facts of the days from `first` to `last`."""
        query = select(DayRow).where(DayRow.day.between(first, last)).order_by(DayRow.day, DayRow.workload)
        with self._database.session() as session:
            return tuple(_facts(row) for row in session.scalars(query))

    def spend(self, first: date, last: date) -> Sequence[DaySpend]:
        """What every workload cost on the days from `first` to `last`; a day without any was not watched."""
        columns = (CostRow.day, CostRow.workload, CostRow.current_usd_per_hour, CostRow.current_cycles)
        query = select(*columns).where(CostRow.day.between(first, last)).order_by(CostRow.day, CostRow.workload)
        with self._database.session() as session:
            return tuple(
                DaySpend(day=day, workload=workload, usd=HOURS_A_DAY * summed / cycles if cycles else None)
                for day, workload, summed, cycles in session.execute(query)
            )


def _row(facts: DayFacts) -> dict[str, Any]:
    return {
        "day": facts.day,
        "workload": facts.workload,
        "team": facts.team,
        "requests": _known(facts.requests),
        "missed_share": _known(facts.missed_share),
        "reason": _why(facts.requests) or _why(facts.missed_share),
    }


def _known(value: float | Unknown) -> float | None:
    return None if isinstance(value, Unknown) else value


def _why(value: float | Unknown) -> str | None:
    return value.reason if isinstance(value, Unknown) else None


def _facts(row: DayRow) -> DayFacts:
    unknown = Unknown(row.reason or "it was not written down")
    return DayFacts(
        day=row.day,
        workload=row.workload,
        team=row.team,
        requests=unknown if row.requests is None else row.requests,
        missed_share=unknown if row.missed_share is None else row.missed_share,
    )
