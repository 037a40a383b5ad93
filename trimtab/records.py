"""A recommendation together with what has happened to it since: accepted, applied, held, superseded, expired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from domain.plan import Act, Configuration, Recommendation
from domain.unknown import Unknown
from domain.workload import ServingMode
from optimizer.placement import declined_until, seats_in
from trimtab.following import Following
from trimtab.moments import moment


class Status(StrEnum):
    """Where a recommendation stands."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"
    APPLIED = "applied"
    HELD = "held"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


# What may follow each status of one recommendation. A decision is refused on one that is not the newest or has expired.
NEXT: Mapping[Status, frozenset[Status]] = {
    Status.OPEN: frozenset(Status) - {Status.OPEN},
    Status.ACCEPTED: frozenset({Status.DISMISSED, Status.APPLIED, Status.HELD, Status.EXPIRED, Status.SUPERSEDED}),
    Status.DISMISSED: frozenset({Status.ACCEPTED, Status.APPLIED, Status.HELD, Status.EXPIRED, Status.SUPERSEDED}),
    Status.APPLIED: frozenset({Status.DISMISSED, Status.HELD, Status.EXPIRED, Status.SUPERSEDED}),
    # A newer one ends being held or expired; what a person said of the old one, and what was seen of it, stays said.
    Status.HELD: frozenset(Status) - {Status.OPEN, Status.HELD},
    Status.EXPIRED: frozenset({Status.ACCEPTED, Status.DISMISSED, Status.APPLIED, Status.SUPERSEDED}),
    Status.SUPERSEDED: frozenset({Status.APPLIED}),  # seen to be followed for long enough only now
}
SAME_SHARE = 0.25  # of the mean replicas decided on; a renewal within it is ordinary variation
DECLINED_FOR = timedelta(days=7)
PART_HELD = 0.1  # share of the mean replicas from which a way of buying is part of a proposal


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The recommendation could not be renewed since `since`, because; it is the last good one."""

    since: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """`latest` is true for the newest recommendation of its workload.

    `observed_at` is the moment the facts are of: that of the decision, or the end of a recording.
    `last_seen` has the end of the last known step of each signal, on the clock of `observed_at`.
    `decided_by` is who decided, as they called themselves; None where no name was given.
    `applied_at` is since when what runs follows the proposal, `following` what that is judged by.
    """

    recommendation: Recommendation
    observed_at: datetime
    last_seen: Mapping[str, datetime] = field(default_factory=dict)
    latest: bool = True
    decision: Status = Status.OPEN
    decided_at: datetime | None = None
    decided_by: str | None = None
    held: Held | None = None
    following: Following | None = None
    applied_at: datetime | None = None

    @property
    def decided(self) -> bool:
        """Whether a person decided on this one itself, and not on an earlier one of which it is a renewal."""
        return self.decided_at is not None and self.decided_at >= self.recommendation.created_at

    @property
    def own_application(self) -> bool:
        """Whether it is the one that was applied (it stood when that began, or was decided on), and no mere renewal."""
        return self.applied_at is not None and (self.decided or self.applied_at >= self.recommendation.created_at)

    def status(self, now: datetime) -> Status:
        """Where it stands at `now`; what the user decided of an old one, and that it was applied, stays said."""
        if not self.latest:
            return self._standing(self.decided, self.own_application) or Status.SUPERSEDED
        if now >= self.recommendation.valid_until:
            return Status.EXPIRED
        return Status.HELD if self.held else self._standing(True, self.applied_at is not None) or Status.OPEN

    def _standing(self, decided: bool, applied: bool) -> Status | None:
        """What was said or seen of it, the word of a person that refuses it first; None where nothing was."""
        if self.decision is Status.DISMISSED:
            return Status.DISMISSED if decided else None
        if applied:
            return Status.APPLIED
        return Status.ACCEPTED if decided and self.decision is Status.ACCEPTED else None

    def age(self, now: datetime) -> timedelta:
        """Time since it was decided."""
        return now - self.recommendation.created_at

    def replicas(self, now: datetime) -> int | Unknown:
        """The number to follow now; Unknown where there is none: dismissed, expired, serverless, or never known."""
        if self.status(now) in (Status.EXPIRED, Status.SUPERSEDED):
            return Unknown(f"the last recommendation was valid until {moment(self.recommendation.valid_until)}")
        if self.decision is Status.DISMISSED:  # held or not: nobody is to follow what a person has refused
            at = "" if self.decided_at is None else f" at {moment(self.decided_at)}"
            return Unknown(f"the proposal was dismissed{at}")
        if isinstance(self.recommendation, Act):
            proposed = self.recommendation.plan.proposed
            if proposed.mode is ServingMode.SERVERLESS:  # a 0 here would have a follower end what still serves
                return Unknown(f"serverless is proposed: {proposed.offer} scales by itself")
            return proposed.replicas
        return self.recommendation.last_good

    def input_age(self, signal: str, now: datetime) -> timedelta:
        """How old the newest known sample of `signal` is at `now`."""
        return self.observed_at - self.last_seen[signal] + self.age(now)


def no_place_before(record: Record) -> datetime | None:
    """Until when no place on a shared host is to be proposed, because a person dismissed one; None where one may be."""
    if record.decision is Status.DISMISSED and record.decided_at is not None and _is_shared(record.recommendation):
        return record.decided_at + DECLINED_FOR
    return declined_until(record.recommendation)


def _is_shared(recommendation: Recommendation) -> bool:
    return isinstance(recommendation, Act) and recommendation.plan.proposed.mode is ServingMode.SHARED


def still_decided(decided: Recommendation, renewed: Recommendation) -> bool:
    """Whether what a person said of `decided` also holds for its renewal.

    A proposal is the same while mode, offer, shared hosts and ways of buying are, and its mean replicas lie within one
    replica or a quarter of those decided on; the number wanted now follows the load and is not compared.
    A hold proposes nothing new, so that a decision outlasts it; a proposal after a hold is a new one.
    """
    if not isinstance(renewed, Act):
        return True
    if not isinstance(decided, Act):
        return False
    one, other = decided.plan.proposed, renewed.plan.proposed
    near = abs(one.mean_replicas - other.mean_replicas) <= max(1.0, SAME_SHARE * one.mean_replicas)
    same = (one.mode, one.offer, _bought(one)) == (other.mode, other.offer, _bought(other))
    return same and near and _hosts(decided) == _hosts(renewed)


def _hosts(recommendation: Recommendation) -> frozenset[str]:
    """The shared hosts that it names."""
    return frozenset(seat.host for seat in seats_in(recommendation))


def _bought(way: Configuration) -> frozenset[str]:
    """The ways of buying that hold more than a trace of the replicas."""
    bought = {"reserved": way.purchase.reserved, "on_demand": way.purchase.on_demand, "spot": way.purchase.spot}
    return frozenset(name for name, held in bought.items() if held > PART_HELD * way.mean_replicas)
