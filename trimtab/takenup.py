"""What was taken up of the recommendations of a workload, and for which of it a night is booked.

A recommendation is taken up when a person accepts it, or when what runs is seen to follow it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from domain.ledger import TakenUp
from domain.plan import Act
from domain.unknown import Unknown
from optimizer.guardrails import GuardrailOptions
from trimtab.records import Record, Status

DAY = timedelta(days=1)
BOOKED_FOR = 365 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenRecord:
    """A recommendation that was taken up, since when and how; `applied_at` is since when what runs followed it."""

    act: Act
    at: datetime
    how: TakenUp
    applied_at: datetime | None

    @classmethod
    def of(cls, record: Record) -> TakenRecord | None:
        """None for what is nothing to act on, or was neither accepted nor applied."""
        if not isinstance(record.recommendation, Act):
            return None
        accepted = record.decided_at if record.decision is Status.ACCEPTED and record.decided else None
        at = accepted or record.applied_at
        if at is None:
            return None
        return cls(
            act=record.recommendation,
            at=at,
            how="applied" if accepted is None else "accepted",
            applied_at=record.applied_at,
        )

    @property
    def nights_from(self) -> date:
        """The first whole day after it was taken up."""
        return self.at.astimezone(UTC).date() + DAY

    def same_machine(self, other: TakenRecord) -> bool:
        """Whether both propose the same mode and offer."""
        one, two = self.act.plan.proposed, other.act.plan.proposed
        return (one.mode, one.offer) == (two.mode, two.offer)


def chain(records: Sequence[TakenRecord], night: date, noise: GuardrailOptions) -> list[TakenRecord]:
    """Those of one workload that this night is booked for, each measured against what the next one replaced.

    Following the number, or accepting what runs already, is no new beginning: what ran before is still what ran
    before the first. One that was never applied ends when another takes its place.
    """
    kept: list[TakenRecord] = []
    for each in sorted(records, key=lambda one: one.at):
        if not night - BOOKED_FOR <= each.nights_from <= night:
            continue
        if _goes_on(each, kept[-1] if kept else None) or (each.how == "applied" and not _worth_booking(each, noise)):
            continue
        if kept and (kept[-1].applied_at is None or kept[-1].applied_at > each.at):
            kept.pop()
        kept.append(each)
    return kept


def _goes_on(each: TakenRecord, last: TakenRecord | None) -> bool:
    already = each.how == "applied" or (each.applied_at is not None and each.applied_at <= each.at)
    return last is not None and already and each.same_machine(last)


def _worth_booking(each: TakenRecord, noise: GuardrailOptions) -> bool:
    """What nobody accepted is booked only where it changes something: what ran may simply be what is proposed."""
    saving, current = each.act.saving, each.act.current
    if isinstance(saving, Unknown) or isinstance(current, Unknown):
        return False
    least = max(noise.min_saving_usd, noise.min_saving_share * current.usd_per_month)
    return abs(saving.usd_per_month) >= least
