"""What else is remembered: cycles, costs per day, the ledger, reports, events, alerts received."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import String, cast, delete, func, insert, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from domain.unknown import Unknown
from domain.workload import Workload
from trimtab.store.database import Database
from trimtab.store.events import Events
from trimtab.store.nights import Nights
from trimtab.store.tables import AlertRow, CostRow, CycleRow, ReportRow, TotalRow, WorkloadRow
from trimtab.store.workload_codec import to_workload, workload_body

CYCLES_KEPT, MOST_CYCLES = timedelta(days=62), 20_000  # two months of one every five minutes
ALERTS_KEPT, MOST_ALERTS = timedelta(days=30), 1_000
FAILURES_FORGOTTEN = "cycle_failures_forgotten"
HOURS_A_DAY = 24
UNSEEN = {"synchronize_session": False}  # nothing that is deleted has been read in the same transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleNote:
    """What one run of the cycle came to; `kept` counts last good recommendations held over."""

    at: datetime
    duration_s: float
    acts: int
    holds: int
    kept: int
    failure: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CostSample:
    """What a workload costs an hour as one cycle saw it."""

    workload: str
    current_usd_per_hour: float | Unknown
    proposed_usd_per_hour: float | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCosts:
    """What a workload cost on a day, and would have cost as proposed (mean over the day's cycles).

    `covered` is how much of the day that mean has seen: the share of its hours in which a cycle ran, times
    the share of its cycles that knew the cost.
    """

    day: date
    workload: str
    usd: float | Unknown
    proposed_usd: float | Unknown
    covered: float | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReport:
    """A nightly report: its files by what follows the date in their names (`html`, `focus.csv`; `pdf` in base 64)."""

    day: date
    generated_at: datetime
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One time that an alert fired, as Alertmanager last told of it; `ends_at` once it is over."""

    fingerprint: str
    status: str
    starts_at: datetime
    ends_at: datetime | None
    received_at: datetime
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


class Journal:
    """These tables. Every method raises StoreError when the database fails."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.nights = Nights(database)
        self.events = Events(database)

    def keep_workloads(self, workloads: Sequence[Workload]) -> None:
        """These are the workloads now; any other is forgotten."""
        with self._database.session() as session:
            session.execute(delete(WorkloadRow))
            session.add_all(WorkloadRow(id=workload.id, body=workload_body(workload)) for workload in workloads)

    def workloads(self) -> tuple[Workload, ...]:
        """The workloads as last seen, by id."""
        with self._database.session() as session:
            return tuple(to_workload(row.body) for row in session.scalars(select(WorkloadRow).order_by(WorkloadRow.id)))

    def note_cycle(self, note: CycleNote) -> None:
        """Write down a run."""
        with self._database.session() as session:
            session.add(
                CycleRow(
                    at=note.at,
                    duration_s=note.duration_s,
                    acts=note.acts,
                    holds=note.holds,
                    kept=note.kept,
                    failure=note.failure,
                )
            )

    def last_cycle(self) -> CycleNote | None:
        """The latest run."""
        with self._database.session() as session:
            row = session.scalars(select(CycleRow).order_by(CycleRow.id.desc()).limit(1)).first()
        if row is None:
            return None
        return CycleNote(
            at=row.at, duration_s=row.duration_s, acts=row.acts, holds=row.holds, kept=row.kept, failure=row.failure
        )

    def cycle_failures(self) -> int:
        """How many runs failed, ever; those that are forgotten stay counted."""
        with self._database.session() as session:
            kept = session.scalar(select(func.count()).where(CycleRow.failure.is_not(None))) or 0
            forgotten = session.get(TotalRow, FAILURES_FORGOTTEN)
            return kept + (0 if forgotten is None else forgotten.count)

    def prune(self, now: datetime, most_cycles: int = MOST_CYCLES) -> None:
        """Forget cycles, alerts and events that are old, and the oldest where there are too many."""
        with self._database.session() as session:
            newest = select(CycleRow.id).order_by(CycleRow.id.desc()).limit(1).offset(most_cycles - 1).scalar_subquery()
            old = or_(CycleRow.at < now - CYCLES_KEPT, CycleRow.id < func.coalesce(newest, 0))
            failed = session.scalar(select(func.count()).where(old, CycleRow.failure.is_not(None))) or 0
            if failed:
                total = session.get(TotalRow, FAILURES_FORGOTTEN) or TotalRow(name=FAILURES_FORGOTTEN, count=0)
                total.count += failed
                session.add(total)
            session.execute(delete(CycleRow).where(old), execution_options=UNSEEN)
            session.execute(delete(AlertRow).where(AlertRow.received_at < now - ALERTS_KEPT), execution_options=UNSEEN)
        self.events.prune(now)

    def add_costs(self, day: date, samples: Sequence[CostSample]) -> None:
        """Add one cycle's figures to the day's sums; what is unknown adds nothing and leaves its reason."""
        with self._database.session() as session:
            for sample in samples:
                changes, empty = _cost_changes(sample)
                mine = update(CostRow).where(CostRow.day == day, CostRow.workload == sample.workload)
                # Added up by the database: another process may be adding to the same row, or just making it.
                added = mine.values(changes).returning(CostRow.workload)
                if session.scalar(added) is None:
                    try:
                        with session.begin_nested():
                            session.execute(insert(CostRow).values(day=day, workload=sample.workload, **empty))
                    except IntegrityError:
                        session.scalar(added)

    def costs(self, first: date, last: date, workload: str | None = None) -> tuple[DayCosts, ...]:
        """Costs of the days from `first` to `last`, by day and workload."""
        query = select(CostRow).where(CostRow.day.between(first, last)).order_by(CostRow.day, CostRow.workload)
        if workload is not None:
            query = query.where(CostRow.workload == workload)
        with self._database.session() as session:
            seen = _cycles_seen(session, first, last)
            return tuple(_day_costs(row, *seen.get(row.day, (0, 0))) for row in session.scalars(query))

    def days_without_report(self, first: date, before: date, at_most: int = 31) -> tuple[date, ...]:
        """Days (UTC) in [first, before) of which costs are known and no report was written since they ended, oldest first.

        A report that was asked for while its day went on is not the report of that day.
        """
        whole = func.substr(ReportRow.generated_at, 1, 10) > cast(ReportRow.day, String)
        days = (
            select(CostRow.day)
            .where(CostRow.day >= first, CostRow.day < before, CostRow.day.not_in(select(ReportRow.day).where(whole)))
            .distinct()
            .order_by(CostRow.day.desc())
            .limit(at_most)
        )
        with self._database.session() as session:
            return tuple(sorted(session.scalars(days)))

    def keep_report(self, report: StoredReport) -> None:
        """Store a report in place of an earlier one of that day."""
        with self._database.session() as session:
            session.merge(ReportRow(day=report.day, generated_at=report.generated_at, files=dict(report.files)))

    def prune_reports(self, before: date) -> None:
        """Forget the reports of days before `before`; what they were made of is kept."""
        with self._database.session() as session:
            session.execute(delete(ReportRow).where(ReportRow.day < before), execution_options=UNSEEN)

    def report(self, day: date) -> StoredReport | None:
        """The report of a day."""
        with self._database.session() as session:
            row = session.get(ReportRow, day)
        return None if row is None else StoredReport(day=row.day, generated_at=row.generated_at, files=row.files)

    def report_days(self, before: date | None, limit: int) -> tuple[tuple[date, datetime], ...]:
        """Days with a report and when it was written, newest first."""
        query = select(ReportRow.day, ReportRow.generated_at).order_by(ReportRow.day.desc()).limit(limit)
        if before is not None:
            query = query.where(ReportRow.day < before)
        with self._database.session() as session:
            return tuple((row.day, row.generated_at) for row in session.execute(query))

    def keep_alerts(self, alerts: Sequence[Alert], most: int = MOST_ALERTS) -> None:
        """Store alerts as told now, each time that one fired by itself; beyond `most` the oldest are forgotten."""
        with self._database.session() as session:
            for alert in alerts:
                session.merge(
                    AlertRow(
                        fingerprint=alert.fingerprint,
                        starts_at=alert.starts_at,
                        workload=alert.labels.get("workload", ""),
                        status=alert.status,
                        ends_at=alert.ends_at,
                        received_at=alert.received_at,
                        labels=dict(alert.labels),
                        annotations=dict(alert.annotations),
                    )
                )
            session.flush()
            each = (AlertRow.fingerprint, AlertRow.starts_at)
            kept = select(*each).order_by(AlertRow.received_at.desc(), *each).limit(most).subquery()
            session.execute(
                delete(AlertRow).where(tuple_(*each).not_in(select(kept.c.fingerprint, kept.c.starts_at))),
                execution_options=UNSEEN,
            )

    def alerts(self, limit: int = 200) -> tuple[Alert, ...]:
        """Alerts, the latest told first."""
        with self._database.session() as session:
            rows = session.scalars(select(AlertRow).order_by(AlertRow.received_at.desc()).limit(limit))
            return tuple(map(_alert, rows))

    def alerts_between(self, start: datetime, end: datetime, most: int = MOST_ALERTS) -> tuple[Alert, ...]:
        """Alerts that fired at some time in [start, end), the first to begin first."""
        still = or_(AlertRow.ends_at.is_(None), AlertRow.ends_at >= start, AlertRow.status == "firing")
        query = select(AlertRow).where(AlertRow.starts_at < end, still).order_by(AlertRow.starts_at).limit(most)
        with self._database.session() as session:
            return tuple(map(_alert, session.scalars(query)))

    def alerts_of(self, workloads: Sequence[str], each: int = 5) -> dict[str, tuple[Alert, ...]]:
        """Of each of these workloads the alerts told last, the latest first, at most `each`."""
        found: dict[str, tuple[Alert, ...]] = dict.fromkeys(workloads, ())
        told = select(AlertRow).where(AlertRow.workload.in_(workloads)).order_by(AlertRow.received_at.desc())
        with self._database.session() as session:
            for row in session.scalars(told):
                if len(found[row.workload]) < each:
                    found[row.workload] += (_alert(row),)
        return found


def _alert(row: AlertRow) -> Alert:
    return Alert(
        fingerprint=row.fingerprint,
        status=row.status,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        received_at=row.received_at,
        labels=row.labels,
        annotations=row.annotations,
    )


def _cost_changes(sample: CostSample) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a sample adds to the row that is there, and the row it makes where there is none."""
    changes: dict[str, Any] = {}
    empty: dict[str, Any] = {"reason": None}
    for name, value in (("current", sample.current_usd_per_hour), ("proposed", sample.proposed_usd_per_hour)):
        cycles, sums = f"{name}_cycles", f"{name}_usd_per_hour"
        if isinstance(value, Unknown):
            empty |= {cycles: 0, sums: 0.0}
        else:
            changes |= {cycles: getattr(CostRow, cycles) + 1, sums: getattr(CostRow, sums) + value}
            empty |= {cycles: 1, sums: value}
    if isinstance(sample.current_usd_per_hour, Unknown):
        changes["reason"] = empty["reason"] = sample.current_usd_per_hour.reason
    return changes, empty


def _cycles_seen(session: Session, first: date, last: date) -> dict[date, tuple[int, int]]:
    """Of each day (UTC): in how many of its hours cycles ran, and how many ran."""
    day, hour = func.substr(CycleRow.at, 1, 10), func.substr(CycleRow.at, 1, 13)
    query = (
        select(day, func.count(hour.distinct()), func.count())
        .where(day.between(first.isoformat(), last.isoformat()))
        .group_by(day)
    )
    return {date.fromisoformat(text): (hours, cycles) for text, hours, cycles in session.execute(query)}


def _day_costs(row: CostRow, hours: int, cycles: int) -> DayCosts:
    unknown = Unknown(row.reason or "no cycle of that day knew it")
    return DayCosts(
        day=row.day,
        workload=row.workload,
        usd=24.0 * row.current_usd_per_hour / row.current_cycles if row.current_cycles else unknown,
        proposed_usd=24.0 * row.proposed_usd_per_hour / row.proposed_cycles if row.proposed_cycles else unknown,
        covered=hours / HOURS_A_DAY * min(1.0, row.current_cycles / cycles)
        if cycles
        else Unknown("no cycle of that day is remembered"),
    )
