"""What is recommended: act on a plan, or hold and say why; both carry their evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from domain.allocation import Allocation
from domain.unknown import Unknown
from domain.workload import PurchaseMix, ServingMode

NOT_TOLD = Unknown("how many replicas a machine holds was not told")
Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One step of the explanation: a stable code, a sentence, and what it changed (if anything)."""

    code: str
    detail: str
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """One way of running a workload and its price: what is, or what is proposed.

    `replicas` is the number wanted now; `mean_replicas` the time average that the price rests on.
    A machine is paid for whole, however many of the `replicas_per_machine` that it holds are there.
    """

    replicas: int
    mean_replicas: float
    mode: ServingMode
    purchase: PurchaseMix
    offer: str
    usd_per_month: float
    replicas_per_machine: int | Unknown = NOT_TOLD

    @property
    def machines(self) -> int | Unknown:
        """Machines of its own for the replicas wanted now; Unknown where it has none, or how many one holds was not told."""
        each = self.replicas_per_machine
        return each if isinstance(each, Unknown) else -(-self.replicas // each)


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarStep:
    """From `at` on, keep at least `replicas` (until the next step)."""

    at: datetime
    replicas: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A configuration with the range its cost may fall in, and the week's floor of replicas.

    `calendar` stands under the number that follows the load; `schedule` serves the week alone, where
    nothing follows it (empty where there is none). `allocation` is what a replica should ask for.
    """

    proposed: Configuration
    usd_per_month_low: float
    usd_per_month_high: float
    calendar: tuple[CalendarStep, ...] = ()
    schedule: tuple[CalendarStep, ...] = ()
    allocation: Allocation | None = None
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a recommendation rests on, one JSON-able section a topic; absent topics are empty.

    `inputs_sha256` is the hash of every input, so that the same inputs can be shown to give the
    same answer.
    """

    inputs_sha256: str
    forecast: Mapping[str, Json] = field(default_factory=dict)
    backtest: Mapping[str, Json] = field(default_factory=dict)
    replay: Mapping[str, Json] = field(default_factory=dict)
    capacity: Mapping[str, Json] = field(default_factory=dict)
    prices: Mapping[str, Json] = field(default_factory=dict)
    break_even: Mapping[str, Json] = field(default_factory=dict)
    allocation: Mapping[str, Json] = field(default_factory=dict)
    anomalies: Mapping[str, Json] = field(default_factory=dict)
    sharing: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """Dollars a month against today's configuration at measured load; never above the bill."""

    usd_per_month: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Do this. `current` and `saving` are Unknown where what runs today could not be seen."""

    id: str
    workload: str
    created_at: datetime
    valid_until: datetime
    current: Configuration | Unknown
    plan: Plan
    saving: Saving | Unknown
    confidence: float
    reasons: tuple[Reason, ...]
    evidence: Evidence
    kind: Literal["act"] = "act"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Change nothing, because; `needs` says what would make an answer possible.

    `last_good` is the replica count of the last recommendation still valid, Unknown if there never
    was one; a hold for want of data never invents a number.
    """

    id: str
    workload: str
    created_at: datetime
    valid_until: datetime
    current: Configuration | Unknown
    last_good: int | Unknown
    needs: str
    reasons: tuple[Reason, ...]
    evidence: Evidence
    kind: Literal["hold"] = "hold"


Recommendation = Act | Hold


def recommendation_id(workload: str, created_at: datetime) -> str:
    """A short id that is safe in URLs and the same for the same workload and moment."""
    moment = created_at.astimezone(UTC).isoformat()
    return hashlib.sha256(f"{workload}\n{moment}".encode()).hexdigest()[:16]
