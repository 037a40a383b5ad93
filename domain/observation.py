"""Everything one decision sees of one workload: gathered first, then thought about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.capacity import TimeToReady
from domain.load import LoadHistory
from domain.unknown import Unknown
from domain.workload import PurchaseMix, ServingMode, Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningState:
    """How the workload runs today. `offer` names an instance type or a serverless service."""

    replicas: int
    mode: ServingMode
    offer: str
    purchase: PurchaseMix


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What the user states about a workload in settings; it wins over what is measured or learned."""

    capacity_rps: float | None = None
    time_to_ready: timedelta | None = None
    service_time: timedelta | None = None
    replicas: int | None = None
    mode: ServingMode | None = None
    offer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Facts about one workload at `observed_at`; what could not be had is Unknown, with its reason.

    `load` is requests/s; `latency` seconds at the SLO's quantile; `errors` a ratio; `replicas` ready
    replicas; all on the same grid where known. `service_time_s` is the mean time one request takes.
    """

    workload: Workload
    observed_at: datetime
    source: str
    load: LoadHistory | Unknown
    latency: LoadHistory | Unknown
    errors: LoadHistory | Unknown
    replicas: LoadHistory | Unknown
    time_to_ready: TimeToReady
    service_time_s: float | Unknown
    declared_capacity_rps: float | Unknown
    running: RunningState | Unknown
