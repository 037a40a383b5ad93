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
    """What the user states about a workload in settings; it wins over what is measured or learned.

    `capacity_tps` is a capacity in tokens/s, a prompt token counted as `prompt_token_weight` of a generated one.
    `reserved_share` and `spot_share` (0..1) say how the replicas of today are bought; the rest is on demand.
    """

    capacity_rps: float | None = None
    capacity_tps: float | None = None
    prompt_token_weight: float | None = None
    time_to_ready: timedelta | None = None
    service_time: timedelta | None = None
    replicas: int | None = None
    mode: ServingMode | None = None
    offer: str | None = None
    reserved_share: float = 0.0
    spot_share: float = 0.0


NOT_ASKED = Unknown("it was not asked for")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRates:
    """Tokens/s that a language model took in and generated, on the grid of the load.

    A declared weight of a prompt token, and a declared capacity in weighted tokens/s, stand beside them.
    """

    prompt: LoadHistory | Unknown
    generated: LoadHistory | Unknown
    declared_weight: float | None = None
    declared_capacity_tps: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceUse:
    """What replicas used, on one grid of its own (coarser than that of the load).

    `cpu_cores` of the mean replica and `cpu_cores_peak` of the busiest one; `memory_bytes` of the largest one, at its
    highest; `out_of_memory` replicas last ended for want of it; `accelerator_busy` 0..1 and `accelerator_memory_bytes`
    of one accelerator.
    """

    cpu_cores: LoadHistory | Unknown = NOT_ASKED
    cpu_cores_peak: LoadHistory | Unknown = NOT_ASKED
    memory_bytes: LoadHistory | Unknown = NOT_ASKED
    out_of_memory: LoadHistory | Unknown = NOT_ASKED
    accelerator_busy: LoadHistory | Unknown = NOT_ASKED
    accelerator_memory_bytes: LoadHistory | Unknown = NOT_ASKED


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionSeen:
    """A version of the model (or its image), and the first moment at which it was seen to serve."""

    name: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Facts about one workload at `observed_at`; what could not be had is Unknown, with its reason.

    `load` is requests/s; `latency`, and of a language model `first_token` and `inter_token`, seconds at the SLO's
    quantile; `errors` a ratio; `replicas` ready replicas; `waiting` the requests that wait (or are under way, where only
    that is told) at the end of each step; all on the same grid where known. `service_time_s` is the mean time one
    request takes. `versions` are in the order in which they came.
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
    first_token: LoadHistory | Unknown = NOT_ASKED
    inter_token: LoadHistory | Unknown = NOT_ASKED
    waiting: LoadHistory | Unknown = NOT_ASKED
    tokens: TokenRates | Unknown = NOT_ASKED
    use: ResourceUse = ResourceUse()
    versions: tuple[VersionSeen, ...] | Unknown = NOT_ASKED
