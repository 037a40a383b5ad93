"""Recommendations in the store: keep, hold, decide, search."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, case, delete, func, or_, select, tuple_, update
from sqlalchemy.orm import Session

from domain.plan import Act, Recommendation
from domain.unknown import Unknown
from trimtab.records import Held, Record, Status, still_decided
from trimtab.store.codec import decode, encode
from trimtab.store.database import Database
from trimtab.store.following_codec import following_body, to_following
from trimtab.store.tables import InputRow
from trimtab.store.tables import RecommendationRow as Row

SortKey = Literal["created_at", "workload", "saving_usd_per_month"]
KEPT_WHOLE = timedelta(hours=2)  # a body is tens of kilobytes, and a cycle writes one for each workload
NO_SAVING = -1e300  # an unknown saving sorts below every known one


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is wanted of the recommendations; without `status` the newest of each workload."""

    workload: str | None = None
    kind: str | None = None
    status: Status | None = None
    min_saving: float | None = None
    sort: SortKey = "saving_usd_per_month"
    descending: bool = True
    limit: int = 50
    after: tuple[Any, str] | None = None  # sort value and id of the last one already seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page of records; `next` is the place to go on from, None at the end."""

    records: tuple[Record, ...]
    next: tuple[Any, str] | None


class Recommendations:
    """The table of recommendations as records. Every method raises StoreError when the database fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, records: Sequence[Record]) -> None:
        """Store these as the newest of their workloads; what was newest before is superseded.

        A decision on the one before is that on this one too, while it is materially the same proposal.
        """
        with self._database.session() as session:
            for fresh in records:
                workload = fresh.recommendation.workload
                record = _as_decided(session, fresh)
                session.execute(update(Row).where(Row.workload == workload, Row.latest).values(latest=False))
                session.merge(_row(record))
                _mark_applied(session, record)

    def hold(self, workloads: Collection[str], held: Held) -> None:
        """Mark the newest of these as held; the moment the first hold began stays."""
        newest = select(Row).where(Row.latest, Row.workload.in_(workloads))
        with self._database.session() as session:
            for row in session.scalars(newest):
                row.held_since = row.held_since or held.since
                row.held_reason = held.reason

    def retire(self, workloads: Collection[str]) -> None:
        """These workloads are gone: their newest recommendation is no longer current."""
        with self._database.session() as session:
            session.execute(update(Row).where(Row.latest, Row.workload.in_(workloads)).values(latest=False))

    def prune(self, now: datetime) -> None:
        """Forget superseded ones, but for the last of each workload's day and those that something rests on.

        On those a person decided on and those that were (or may turn out to be) applied the ledger rests; on one
        that was the previous of a decision whose inputs are kept, that decision.
        """
        day = func.substr(Row.created_at, 1, 10)
        last_of_a_day = select(Row.workload, func.max(Row.created_at)).group_by(Row.workload, day)
        superseded = and_(~Row.latest, ~taken_up(), Row.created_at < now - KEPT_WHOLE)
        with self._database.session() as session:
            session.execute(
                delete(Row).where(
                    superseded,
                    tuple_(Row.workload, Row.created_at).not_in(last_of_a_day),
                    Row.id.not_in(followed()),
                    Row.id.not_in(select(InputRow.previous).where(InputRow.previous.is_not(None))),
                ),
                execution_options={"synchronize_session": False},
            )

    def newest(self) -> tuple[Record, ...]:
        """The newest of each workload, by workload."""
        with self._database.session() as session:
            return tuple(map(_record, session.scalars(select(Row).where(Row.latest).order_by(Row.workload))))

    def newest_of(self, workload: str) -> Record | None:
        """The newest of one workload."""
        with self._database.session() as session:
            row = session.scalars(select(Row).where(Row.latest, Row.workload == workload)).first()
            return None if row is None else _record(row)

    def in_force(self, at: datetime) -> tuple[Record, ...]:
        """Of each workload the one that was the newest at `at`, or the first later one where there was none yet."""
        there = Row.workload.in_(select(Row.workload).where(Row.latest))
        had_one = select(Row.workload).where(Row.created_at <= at)
        before = select(Row.workload, func.max(Row.created_at)).where(there, Row.created_at <= at)
        after = select(Row.workload, func.min(Row.created_at)).where(there, Row.workload.not_in(had_one))
        each = tuple_(Row.workload, Row.created_at)
        chosen = or_(each.in_(before.group_by(Row.workload)), each.in_(after.group_by(Row.workload)))
        with self._database.session() as session:
            return tuple(map(_record, session.scalars(select(Row).where(chosen).order_by(Row.workload))))

    def find(self, recommendation_id: str) -> Record | None:
        """One by its id."""
        with self._database.session() as session:
            row = session.get(Row, recommendation_id)
            return None if row is None else _record(row)

    def before(self, record: Record) -> Record | None:
        """The one of the same workload that came before."""
        mine = select(Row).where(
            Row.workload == record.recommendation.workload, Row.created_at < record.recommendation.created_at
        )
        with self._database.session() as session:
            row = session.scalars(mine.order_by(Row.created_at.desc()).limit(1)).first()
            return None if row is None else _record(row)

    def taken_up(self, since: datetime) -> tuple[Record, ...]:
        """Proposals that were accepted or applied at `since` or later and not dismissed, by when they were decided."""
        mine = and_(taken_up(), Row.kind == "act", Row.decision != Status.DISMISSED.value)
        recent = or_(Row.decided_at >= since, Row.applied_at >= since)
        with self._database.session() as session:
            return tuple(map(_record, session.scalars(select(Row).where(mine, recent).order_by(Row.created_at))))

    def decide(self, recommendation_id: str, decision: Status, at: datetime, by: str | None = None) -> Record | None:
        """Write down what the user decided, and who that was; None if there is no such recommendation."""
        with self._database.session() as session:
            row = session.get(Row, recommendation_id)
            if row is None:
                return None
            if row.decision != decision.value:  # said again it is no new decision: the first moment counts
                if decision is Status.DISMISSED:
                    _refuse_renewed(session, row, at, by)
                row.decision, row.decided_at, row.decided_by = decision.value, at, by
            return _record(row)

    def search(self, search: Search, now: datetime) -> Found:
        """One page."""
        with self._database.session() as session:
            rows = session.scalars(_query(search, now).limit(search.limit + 1)).all()
        more = len(rows) > search.limit
        page = rows[: search.limit]
        place = (_sort_value(page[-1], search.sort), page[-1].id) if more else None
        return Found(records=tuple(map(_record, page)), next=place)


def _query(search: Search, now: datetime) -> Select[Row]:
    key = _sort_column(search.sort)
    query = select(Row).order_by(*((key.desc(), Row.id.desc()) if search.descending else (key, Row.id)))
    query = query.where(Row.latest if search.status is None else _status(now) == search.status.value)
    if search.workload is not None:
        query = query.where(Row.workload == search.workload)
    if search.kind is not None:
        query = query.where(Row.kind == search.kind)
    if search.min_saving is not None:
        query = query.where(Row.saving_usd_per_month >= search.min_saving)
    if search.after is not None:
        value, last = search.after
        value = datetime.fromisoformat(value) if search.sort == "created_at" else value
        beyond = (key < value, Row.id < last) if search.descending else (key > value, Row.id > last)
        query = query.where(or_(beyond[0], and_(key == value, beyond[1])))
    return query


def taken_up() -> ColumnElement[bool]:
    """Rows on which a person decided themselves, or whose own proposal was applied; not their mere renewals."""
    return or_(_decided(), _own_application())


def followed() -> Select[Any]:
    """Ids of those that stood when what runs began to follow the newest proposal of their workload."""
    return select(Row.first_followed).where(Row.latest, Row.first_followed.is_not(None))


def _decided() -> ColumnElement[bool]:
    """`Record.decided` as SQL."""
    return and_(Row.decided_at.is_not(None), Row.decided_at >= Row.created_at)


def _own_application() -> ColumnElement[bool]:
    """`Record.own_application` as SQL."""
    return and_(Row.applied_at.is_not(None), or_(_decided(), Row.applied_at >= Row.created_at))


def _mark_applied(session: Session, record: Record) -> None:
    """Write down with the one that was first followed, and the one decided on, that it has been applied."""
    if record.applied_at is None or record.following is None:
        return
    mine = and_(Row.workload == record.recommendation.workload, Row.applied_at.is_(None))
    decided_on = and_(_decided(), Row.decision == record.decision.value, Row.decided_at == record.decided_at)
    session.execute(
        update(Row).where(mine, or_(Row.id == record.following.first, decided_on)).values(applied_at=record.applied_at),
        execution_options={"synchronize_session": False},
    )


def _refuse_renewed(session: Session, row: Row, at: datetime, by: str | None) -> None:
    """Who dismisses a renewal takes back what was said, or seen to be done, of the one that it renews."""
    accepted = and_(_decided(), Row.decision == Status.ACCEPTED.value, Row.decided_at == row.decided_at)
    first = and_(Row.id == row.first_followed, Row.applied_at.is_not(None))
    session.execute(
        update(Row)
        .where(Row.workload == row.workload, ~Row.latest, or_(accepted, first))
        .values(decision=Status.DISMISSED.value, decided_at=at, decided_by=by),
        execution_options={"synchronize_session": False},
    )


def _as_decided(session: Session, fresh: Record) -> Record:
    """The fresh record with what a person said of the proposal that it renews."""
    mine = select(Row).where(Row.workload == fresh.recommendation.workload)
    newest = session.scalars(mine.where(Row.latest)).first()
    if newest is None or newest.decided_at is None or fresh.decision is not Status.OPEN:
        return fresh
    on = mine.where(Row.created_at <= newest.decided_at).order_by(Row.created_at.desc()).limit(1)
    decided = session.scalars(on).first() or newest
    if not still_decided(decode(decided.body), fresh.recommendation):
        return fresh
    return replace(fresh, decision=Status(newest.decision), decided_at=newest.decided_at, decided_by=newest.decided_by)


def _sort_column(sort: SortKey) -> ColumnElement[Any]:
    if sort == "saving_usd_per_month":
        return case((Row.saving_usd_per_month.is_(None), NO_SAVING), else_=Row.saving_usd_per_month)
    return (Row.created_at if sort == "created_at" else Row.workload).expression


def _sort_value(row: Row, sort: SortKey) -> float | str:
    """What a cursor carries: text or a number, for it is written as JSON."""
    value = getattr(row, sort)
    if isinstance(value, datetime):
        return value.isoformat()
    return NO_SAVING if value is None else value


def _status(now: datetime) -> ColumnElement[str]:
    """`Record.status` as SQL."""
    dismissed = Row.decision == Status.DISMISSED.value
    return case(
        (and_(~Row.latest, dismissed, ~_decided()), Status.SUPERSEDED.value),
        (and_(~Row.latest, dismissed), Status.DISMISSED.value),
        (and_(~Row.latest, _own_application()), Status.APPLIED.value),
        (and_(~Row.latest, Row.decision == Status.ACCEPTED.value, _decided()), Status.ACCEPTED.value),
        (~Row.latest, Status.SUPERSEDED.value),
        (Row.valid_until <= now, Status.EXPIRED.value),
        (Row.held_reason.is_not(None), Status.HELD.value),
        (and_(~dismissed, Row.applied_at.is_not(None)), Status.APPLIED.value),
        else_=Row.decision,
    )


def _saving(recommendation: Recommendation) -> float | None:
    if not isinstance(recommendation, Act) or isinstance(recommendation.saving, Unknown):
        return None
    return recommendation.saving.usd_per_month


def _row(record: Record) -> Row:
    recommendation = record.recommendation
    return Row(
        id=recommendation.id,
        workload=recommendation.workload,
        kind=recommendation.kind,
        created_at=recommendation.created_at,
        valid_until=recommendation.valid_until,
        observed_at=record.observed_at,
        last_seen={signal: moment.isoformat() for signal, moment in record.last_seen.items()},
        inputs_sha256=recommendation.evidence.inputs_sha256,
        saving_usd_per_month=_saving(recommendation),
        body=encode(recommendation),
        latest=record.latest,
        decision=record.decision.value,
        decided_at=record.decided_at,
        decided_by=record.decided_by,
        held_since=record.held.since if record.held else None,
        held_reason=record.held.reason if record.held else None,
        following=None if record.following is None else following_body(record.following),
        first_followed=None if record.following is None else record.following.first,
        applied_at=record.applied_at,
    )


def _record(row: Row) -> Record:
    held = None
    if row.held_since is not None and row.held_reason is not None:
        held = Held(since=row.held_since, reason=row.held_reason)
    return Record(
        recommendation=decode(row.body),
        observed_at=row.observed_at,
        last_seen={signal: datetime.fromisoformat(moment) for signal, moment in row.last_seen.items()},
        latest=row.latest,
        decision=Status(row.decision),
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        held=held,
        following=None if row.following is None else to_following(row.following),
        applied_at=row.applied_at,
    )
