"""A recommendation together with what has happened to it since: accepted, held, superseded, expired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from domain.plan import Act, Recommendation
from domain.unknown import Unknown
from domain.workload import ServingMode


class Status(StrEnum):
    """Where a recommendation stands."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"
    HELD = "held"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


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
    """

    recommendation: Recommendation
    observed_at: datetime
    last_seen: Mapping[str, datetime] = field(default_factory=dict)
    latest: bool = True
    decision: Status = Status.OPEN
    decided_at: datetime | None = None
    held: Held | None = None

    def status(self, now: datetime) -> Status:
        """Where it stands at `now`; what the user decided of an old one stays said."""
        if not self.latest:
            return Status.SUPERSEDED if self.decision is Status.OPEN else self.decision
        if now >= self.recommendation.valid_until:
            return Status.EXPIRED
        return Status.HELD if self.held else self.decision

    def age(self, now: datetime) -> timedelta:
        """Time since it was decided."""
        return now - self.recommendation.created_at

    def replicas(self, now: datetime) -> int | Unknown:
        """The number to follow now; Unknown where there is none to follow: expired, serverless, or never known."""
        if self.status(now) in (Status.EXPIRED, Status.SUPERSEDED):
            return Unknown(f"the last recommendation was valid until {self.recommendation.valid_until.isoformat()}")
        if isinstance(self.recommendation, Act):
            proposed = self.recommendation.plan.proposed
            if proposed.mode is ServingMode.SERVERLESS:  # a 0 here would have a follower end what still serves
                return Unknown(f"serverless is proposed: {proposed.offer} scales by itself")
            return proposed.replicas
        return self.recommendation.last_good

    def input_age(self, signal: str, now: datetime) -> timedelta:
        """How old the newest known sample of `signal` is at `now`."""
        return self.observed_at - self.last_seen[signal] + self.age(now)
