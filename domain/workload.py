"""What is being served: a workload, its promise, its needs, and the ways it may be run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from domain.signals import Signal

MOST_REPLICAS = 1_000_000  # of one workload: what asks for more is a slip of units, and is refused by name


class ServingMode(StrEnum):
    """How a model is kept ready to answer."""

    SERVERLESS = "serverless"
    DEDICATED = "dedicated"
    SHARED = "shared"


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseMix:
    """How replicas are bought: mean number of replicas held in each way (fractions are time shares)."""

    reserved: float = 0.0
    on_demand: float = 0.0
    spot: float = 0.0

    @property
    def replicas(self) -> float:
        return self.reserved + self.on_demand + self.spot


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """The promise: this share of requests is answered without error within `latency`.

    `time_to_first_token` and `inter_token`, where given, bound the same quantile of a language model's first
    token and of the time between two. `min_accuracy` (0..1) is the model's own bound; None leaves it to the alert rules' default.
    `usd_per_missed_request`, where given, takes the attainment's place as the aim of scaling: what another
    replica costs is weighed against it. The attainment then only serves alerts and reports.
    """

    attainment: float = 0.999
    latency_quantile: float = 0.95
    latency: timedelta = timedelta(milliseconds=500)
    min_accuracy: float | None = None
    usd_per_missed_request: float | None = None
    time_to_first_token: timedelta | None = None
    inter_token: timedelta | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.attainment < 1.0:
            raise ValueError(f"attainment must lie strictly between 0 and 1, not {self.attainment}")
        worth = self.usd_per_missed_request
        if worth is not None and not 0.0 < worth < float("inf"):
            raise ValueError(f"usd_per_missed_request must be a positive amount, not {worth}")

    @property
    def budget(self) -> float:
        """Share of requests that may be missed (the error budget)."""
        return 1.0 - self.attainment

    @property
    def slow_budget(self) -> float:
        """Share of requests (or tokens) that may take longer than their bound."""
        return 1.0 - self.latency_quantile

    @property
    def latency_bounds(self) -> Mapping[Signal, timedelta]:
        """What a runtime is asked for every latency that is promised, and its bound; all of them have to hold."""
        given = {
            Signal.LATENCY: self.latency,
            Signal.TIME_TO_FIRST_TOKEN: self.time_to_first_token,
            Signal.INTER_TOKEN_LATENCY: self.inter_token,
        }
        return {signal: bound for signal, bound in given.items() if bound is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What one replica asks for; `model_gib` is the weights alone, `memory_gib` the whole process."""

    cpu_cores: float = 1.0
    memory_gib: float = 2.0
    model_gib: float = 0.5
    accelerator: str | None = None
    accelerator_count: int = 0
    architecture: str = "amd64"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Limits that a guardrail enforces; they may only narrow a plan. No maximum is `None`."""

    min_replicas: int = 1
    max_replicas: int | None = None


ECS_SERVICE = "EcsService"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleTarget:
    """What manifests point at: a Kubernetes object in a namespace, or (kind `EcsService`) an ECS service in a cluster.

    `container` is the one of the object's containers whose resources are set. The capacity providers are those of the
    cluster whose machines are bought on demand and on the spot market. None is: nobody says.
    """

    name: str
    namespace: str = "default"
    kind: str = "Deployment"
    container: str | None = None
    cluster: str = "default"
    on_demand_provider: str | None = None
    spot_provider: str | None = None

    @property
    def in_kubernetes(self) -> bool:
        return self.kind != ECS_SERVICE


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One model (or service) as users name it; `labels` select its series in Prometheus.

    It shares hosts with workloads of its own `isolation_group` only, and with none of `anti_affinity` (ids).
    `stateless` says whether a replica may be ended at any time without loss; None where nobody says. `country` (ISO 3166) is
    where its users are: its public holidays and weekend count as days of rest; None counts Saturday and Sunday alone.
    """

    id: str
    runtime: str
    labels: Mapping[str, str] = field(default_factory=dict)
    slo: Slo = Slo()
    resources: Resources = Resources()
    bounds: Bounds = Bounds()
    modes: frozenset[ServingMode] = frozenset(ServingMode)
    cloud: str = "aws"
    region: str = "us-east-1"
    isolation_group: str | None = None
    anti_affinity: frozenset[str] = frozenset()
    team: str | None = None
    target: ScaleTarget | None = None
    stateless: bool | None = None
    country: str | None = None
