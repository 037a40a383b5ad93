"""The tables, as typed SQLAlchemy models. Times are aware UTC, kept as text that sorts as they do.

A store of an earlier version is opened as it is: tables that it lacks are made, and columns that it
lacks are added, for which a new column has to be nullable.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import JSON, Date, Float, Index, Integer, LargeBinary, String, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class Moment(TypeDecorator[datetime]):
    """An aware datetime as fixed-width UTC text; SQLite has no time type, and this one sorts everywhere."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("only aware datetimes are stored")
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        del dialect
        return None if value is None else datetime.fromisoformat(value)


class Base(DeclarativeBase):
    """Root of the models."""

    type_annotation_map = {datetime: Moment, date: Date, dict[str, Any]: JSON}  # noqa: RUF012  SQLAlchemy's own idiom


class RecommendationRow(Base):
    """One recommendation, its whole body as JSON, and what has happened to it."""

    __tablename__ = "recommendations"
    __table_args__ = (Index("ix_recommendations_newest", "latest", "workload"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    workload: Mapped[str] = mapped_column(String(512), index=True)
    kind: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[datetime] = mapped_column(index=True)
    valid_until: Mapped[datetime]
    observed_at: Mapped[datetime]
    last_seen: Mapped[dict[str, Any]]
    inputs_sha256: Mapped[str] = mapped_column(String(64))
    saving_usd_per_month: Mapped[float | None] = mapped_column(Float)
    body: Mapped[str] = mapped_column(Text)
    latest: Mapped[bool]
    decision: Mapped[str] = mapped_column(String(16))
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(Text)
    held_since: Mapped[datetime | None]
    held_reason: Mapped[str | None] = mapped_column(Text)
    following: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    first_followed: Mapped[str | None] = mapped_column(String(64))
    applied_at: Mapped[datetime | None]


class InputRow(Base):
    """What one recommendation was decided on: a packed body, and the pieces that it is put together from, in order."""

    __tablename__ = "inputs"

    recommendation: Mapped[str] = mapped_column(String(64), primary_key=True)
    form: Mapped[int]
    version: Mapped[str] = mapped_column(String(32))
    arithmetic: Mapped[str | None] = mapped_column(Text)
    previous: Mapped[str | None] = mapped_column(String(64))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    pieces: Mapped[list[int]] = mapped_column(JSON)


class PieceRow(Base):
    """A packed part of inputs by the hash of what it holds: what many recommendations rest on is kept once."""

    __tablename__ = "input_pieces"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class WorkloadRow(Base):
    """A workload as it was last seen, whole."""

    __tablename__ = "workloads"

    id: Mapped[str] = mapped_column(String(512), primary_key=True)
    body: Mapped[dict[str, Any]]


class CycleRow(Base):
    """One run of the cycle."""

    __tablename__ = "cycles"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(index=True)
    duration_s: Mapped[float]
    acts: Mapped[int]
    holds: Mapped[int]
    kept: Mapped[int]
    failure: Mapped[str | None] = mapped_column(Text)


class TotalRow(Base):
    """A count that goes on when the rows it was counted from are forgotten."""

    __tablename__ = "totals"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int]


class CostRow(Base):
    """Sums over the cycles of one day of what a workload costs and would cost; means are taken on reading."""

    __tablename__ = "costs"

    day: Mapped[date] = mapped_column(primary_key=True)
    workload: Mapped[str] = mapped_column(String(512), primary_key=True)
    current_cycles: Mapped[int]
    current_usd_per_hour: Mapped[float]
    proposed_cycles: Mapped[int]
    proposed_usd_per_hour: Mapped[float]
    reason: Mapped[str | None] = mapped_column(Text)


class NightRow(Base):
    """One night of the ledger, its whole body as JSON, and what is summed and looked for."""

    __tablename__ = "ledger"

    night: Mapped[date] = mapped_column(primary_key=True)
    recommendation: Mapped[str] = mapped_column(String(64), primary_key=True)
    workload: Mapped[str] = mapped_column(String(512), index=True)
    booked_at: Mapped[datetime]
    promised_usd: Mapped[float | None] = mapped_column(Float)
    realised_usd: Mapped[float | None] = mapped_column(Float)
    body: Mapped[str] = mapped_column(Text)


class DayRow(Base):
    """What the nightly report found out of a workload's day."""

    __tablename__ = "days"

    day: Mapped[date] = mapped_column(primary_key=True)
    workload: Mapped[str] = mapped_column(String(512), primary_key=True)
    team: Mapped[str | None] = mapped_column(String(512))
    requests: Mapped[float | None] = mapped_column(Float)
    missed_share: Mapped[float | None] = mapped_column(Float)
    reason: Mapped[str | None] = mapped_column(Text)


class ReportRow(Base):
    """A nightly report as it was rendered: its files by suffix."""

    __tablename__ = "reports"

    day: Mapped[date] = mapped_column(primary_key=True)
    generated_at: Mapped[datetime]
    files: Mapped[dict[str, Any]]


class EventRow(Base):
    """An event that goes on (or that has ended, and whose end is still to be told)."""

    __tablename__ = "events"

    key: Mapped[str] = mapped_column(String(512), primary_key=True)
    severity: Mapped[str] = mapped_column(String(16))
    summary: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime]


class PastEventRow(Base):
    """An event that is over, and whose end has been told."""

    __tablename__ = "past_events"

    key: Mapped[str] = mapped_column(String(512), primary_key=True)
    since: Mapped[datetime] = mapped_column(primary_key=True)
    severity: Mapped[str] = mapped_column(String(16))
    summary: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(Text)
    ended_at: Mapped[datetime] = mapped_column(index=True)


class AlertRow(Base):
    """One time that an alert fired, as Alertmanager last told of it; `workload` is empty where it names none."""

    __tablename__ = "alert_history"
    __table_args__ = (Index("ix_alert_history_workload", "workload", "received_at"),)

    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(primary_key=True)
    workload: Mapped[str] = mapped_column(String(512))
    status: Mapped[str] = mapped_column(String(16))
    ends_at: Mapped[datetime | None]
    received_at: Mapped[datetime] = mapped_column(index=True)
    labels: Mapped[dict[str, Any]]
    annotations: Mapped[dict[str, Any]]


class ProofRow(Base):
    """What an alert would have done on real history (`workload` is empty for one of the fleet), or why nobody knows."""

    __tablename__ = "proofs"

    workload: Mapped[str] = mapped_column(String(512), primary_key=True)
    alert: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime]
    body: Mapped[dict[str, Any]]
