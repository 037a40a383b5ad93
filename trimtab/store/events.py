"""Events in the store: those that go on, and for a month those that are over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from domain.ports import Event
from trimtab.store.database import Database
from trimtab.store.tables import EventRow, PastEventRow

KEPT = timedelta(days=30)
NEWS = "info"  # severity of what asks for nothing; once told it is not remembered


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """An event from its beginning (`event.at`) to `ended_at`; None while it goes on."""

    event: Event
    ended_at: datetime | None


class Events:
    """Both tables. Every method raises StoreError when the database fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def going_on(self) -> tuple[Event, ...]:
        """Events that have begun and not ended, or whose end is still to be told, by key."""
        with self._database.session() as session:
            return tuple(map(_event, session.scalars(select(EventRow).order_by(EventRow.key))))

    def begin(self, event: Event) -> None:
        """The event has begun, or goes on with another detail."""
        with self._database.session() as session:
            session.merge(
                EventRow(
                    key=event.key, severity=event.severity, summary=event.summary, detail=event.detail, since=event.at
                )
            )

    def end(self, key: str, at: datetime) -> None:
        """The event is over and that has been told."""
        with self._database.session() as session:
            row = session.get(EventRow, key)
            if row is None:
                return
            if row.severity != NEWS:
                session.merge(
                    PastEventRow(
                        key=key,
                        since=row.since,
                        severity=row.severity,
                        summary=row.summary,
                        detail=row.detail,
                        ended_at=at,
                    )
                )
            session.delete(row)

    def between(self, start: datetime, end: datetime) -> tuple[Episode, ...]:
        """What asked for something at some time in [start, end), the first to begin first."""
        past = select(PastEventRow).where(PastEventRow.since < end, PastEventRow.ended_at >= start)
        still = select(EventRow).where(EventRow.since < end, EventRow.severity != NEWS)
        with self._database.session() as session:
            over = [Episode(event=_event(row), ended_at=row.ended_at) for row in session.scalars(past)]
            going = [Episode(event=_event(row), ended_at=None) for row in session.scalars(still)]
        return tuple(sorted([*over, *going], key=lambda episode: (episode.event.at, episode.event.key)))

    def prune(self, now: datetime) -> None:
        """Forget what was over long ago."""
        with self._database.session() as session:
            session.execute(delete(PastEventRow).where(PastEventRow.ended_at < now - KEPT))


def _event(row: EventRow | PastEventRow) -> Event:
    return Event(key=row.key, severity=row.severity, summary=row.summary, detail=row.detail, at=row.since)
