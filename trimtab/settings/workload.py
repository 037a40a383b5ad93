"""What may be said of a workload, and what holds for all that do not say otherwise."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from domain.workload import ECS_SERVICE, ServingMode
from trimtab.settings.section import Dollars, Milliseconds, Positive, Replicas, Seconds, Section, Share, Text

CAPACITIES = {"capacity_rps", "capacity_tps"}  # of which at most one is given
WHOLE = {"match", "purchase"}  # a workload's own, never mixed with those of the defaults
KUBERNETES_FIELDS = {"namespace", "container"}  # the other fields but name and kind are those of ECS
KUBERNETES_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
ECS_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")


class SloSettings(Section):
    """The promise to the users of a workload."""

    attainment: Share = Field(default=0.999, description="Share of requests answered without error and in time.")
    latency_quantile: Share = Field(default=0.95, description="The quantile of latency that is watched.")
    latency_ms: Milliseconds = Field(default=500.0, description="Milliseconds within which that quantile has to lie.")
    time_to_first_token_ms: Milliseconds | None = Field(
        default=None,
        description="Milliseconds within which that quantile of first tokens has to come; capacity and alerts keep it.",
    )
    inter_token_ms: Milliseconds | None = Field(
        default=None,
        description="Milliseconds within which that quantile of tokens has to follow the one before; capacity and alerts keep it.",
    )
    usd_per_missed_request: Dollars | None = Field(
        default=None,
        description="Dollars that a missed request costs; where given, replicas are weighed against it and not "
        "against the attainment, which then only serves alerts and reports.",
    )
    min_accuracy: Share | None = Field(
        default=None, description="Accuracy of the model under which an alert fires; without it, that of the rules."
    )


class ResourceSettings(Section):
    """What one replica asks for."""

    cpu_cores: Positive = Field(default=1.0, description="CPU cores of one replica.")
    memory_gib: Positive = Field(default=2.0, description="Memory of the whole process in GiB.")
    model_gib: Positive = Field(default=0.5, description="Memory of the model's weights alone in GiB.")
    accelerator: Text | None = Field(
        default=None, description="Kind of accelerator, as the price book names it, such as T4."
    )
    accelerator_count: int = Field(default=0, ge=0, description="Accelerators of one replica.")
    architecture: Literal["amd64", "arm64"] = Field(default="amd64", description="What the image runs on.")


class BoundSettings(Section):
    """Limits that no recommendation crosses."""

    min_replicas: Replicas = Field(default=1, description="Replicas always kept.")
    max_replicas: Replicas | None = Field(default=None, ge=1, description="Replicas never exceeded.")

    @field_validator("max_replicas")
    @classmethod
    def _not_below_the_minimum(cls, value: int | None, info: ValidationInfo) -> int | None:
        least = info.data.get("min_replicas", 0)
        if value is not None and value < least:
            raise ValueError(f"give at least min_replicas ({least})")
        return value


class TargetSettings(Section):
    """What rendered manifests point at: an object in Kubernetes, or a service in Amazon ECS."""

    kind: Literal["Deployment", "StatefulSet", "ReplicaSet", "EcsService"] = Field(
        default="Deployment", description="Its kind."
    )
    name: Text = Field(description="Name of the object or the service.")
    namespace: Text = Field(default="default", description="In Kubernetes: its namespace.")
    container: Text | None = Field(
        default=None,
        description="In Kubernetes: the container that serves, whose resources are set; by default the one named like the object.",
    )
    cluster: Text = Field(default="default", description="Of an ECS service: its cluster.")
    on_demand_provider: Text | None = Field(
        default=None,
        description="Of an ECS service: the capacity provider of on-demand and reserved machines, such as FARGATE.",
    )
    spot_provider: Text | None = Field(
        default=None, description="Of an ECS service: the capacity provider of spot machines, such as FARGATE_SPOT."
    )

    @field_validator("name", "namespace", "container", "cluster", "on_demand_provider", "spot_provider")
    @classmethod
    def _of_its_kind(cls, value: str | None, info: ValidationInfo) -> str | None:
        kind, field = info.data.get("kind"), str(info.field_name)
        if kind is None or value == cls.model_fields[field].default:
            return value
        ecs = kind == ECS_SERVICE
        if field != "name" and ecs != (field not in KUBERNETES_FIELDS):
            raise ValueError(f"leave it out: kind {kind} has none")
        if ecs and not ECS_NAME.fullmatch(str(value)):
            raise ValueError("give letters, digits, - and _, at most 255")
        if not ecs and not KUBERNETES_NAME.fullmatch(str(value)):
            raise ValueError("give a name as Kubernetes has them: a-z, 0-9, - and ., at most 253")
        return value


class BoughtSettings(Section):
    """How the machines of today are bought, in shares of the replicas; the rest is on demand. No metric tells it."""

    reserved: float = Field(default=0.0, ge=0, le=1, description="Share that is reserved.")
    spot: float = Field(default=0.0, ge=0, le=1, description="Share that is on spot.")

    @field_validator("spot")
    @classmethod
    def _not_over_the_whole(cls, value: float, info: ValidationInfo) -> float:
        rest = 1.0 - info.data.get("reserved", 0.0)
        if value > rest + 1e-9:
            raise ValueError(f"give at most what reserved leaves of the whole ({rest:g})")
        return value


class WorkloadDefaults(Section):
    """What holds for every workload that does not say otherwise."""

    runtime: Text = Field(default="trimtab-serving", description="Runtime profile: trimtab-serving or vllm.")
    slo: SloSettings = Field(default_factory=SloSettings, description="The promise to its users.")
    resources: ResourceSettings = Field(default_factory=ResourceSettings, description="What one replica asks for.")
    bounds: BoundSettings = Field(default_factory=BoundSettings, description="Limits on replicas.")
    modes: frozenset[ServingMode] = Field(
        default=frozenset(ServingMode),
        min_length=1,
        description="Serving modes that are allowed: serverless, dedicated, shared.",
    )
    cloud: Text = Field(default="aws", description="Cloud whose prices apply: aws, gcp or azure.")
    region: Text = Field(default="us-east-1", description="Region whose prices apply.")
    isolation_group: Text | None = Field(default=None, description="Only workloads of one group may share a host.")
    anti_affinity: tuple[Text, ...] = Field(
        default=(), description="Ids of workloads that must not be on a host with it, nor it with them."
    )
    team: Text | None = Field(default=None, description="Who pays, for reports.")
    capacity_rps: Positive | None = Field(
        default=None,
        description="Requests/s that one replica carries within its SLO; without it, it is learned from history.",
    )
    capacity_tps: Positive | None = Field(
        default=None,
        description="The same for a language model in tokens/s, a prompt token counted as `prompt_token_weight`.",
    )
    prompt_token_weight: Positive | None = Field(
        default=None,
        description="What a prompt token weighs against a generated one; without it, it is learned from history, or 0.4.",
    )
    time_to_ready_s: Seconds | None = Field(
        default=None,
        description="Seconds from wanting a replica until it answers; without it, it is measured or assumed.",
    )
    service_time_ms: Milliseconds | None = Field(
        default=None, description="Milliseconds of work in one request; without it, it is measured."
    )
    replicas: Replicas | None = Field(default=None, description="Replicas that run today, where no metric says.")
    mode: ServingMode | None = Field(default=None, description="Serving mode of today, where no metric says.")
    offer: Text | None = Field(
        default=None, description="Instance type or serverless service of today, as the price book names it."
    )
    purchase: BoughtSettings = Field(
        default_factory=BoughtSettings, description="How the machines of today are bought; without it, on demand."
    )

    stateless: bool | None = Field(
        default=None,
        description="Whether a replica may be ended at any time without loss; false keeps it off spot machines.",
    )
    country: Text | None = Field(
        default=None,
        description="Country of its users (ISO 3166, such as DE): its public holidays and weekend are days of rest to the forecast.",
    )

    @field_validator("country")
    @classmethod
    def _with_a_calendar(cls, value: str | None) -> str | None:
        if value is not None:
            from optimizer.restdays import need_calendar  # noqa: PLC0415  it costs time that only those who name a country pay

            need_calendar(value)
        return value

    @field_validator("capacity_tps")
    @classmethod
    def _one_capacity(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is not None and info.data.get("capacity_rps") is not None:
            raise ValueError("give capacity_rps or capacity_tps, not both")
        return value


class WorkloadSettings(WorkloadDefaults):
    """One model or service; what it leaves out is taken from `defaults`."""

    id: Text = Field(
        description="Its name everywhere: identity label values joined by `:`, or a name of `history.files`."
    )
    match: dict[str, Text] = Field(
        default_factory=dict, description="Labels that select its series in Prometheus, such as service and model."
    )
    target: TargetSettings | None = Field(
        default=None, description="What scales it: an object in Kubernetes, or an ECS service."
    )


def resolved(workload: WorkloadSettings, defaults: WorkloadDefaults) -> WorkloadSettings:
    """The workload with every field it does not set itself taken from the defaults, section by section.

    A capacity of its own, in either unit, stands alone.
    """
    own, below = _written(workload), _written(defaults)
    if own.keys() & CAPACITIES:
        below = {key: value for key, value in below.items() if key not in CAPACITIES}
    return WorkloadSettings.model_validate(_over(below, own))


def _written(section: Section) -> dict[str, Any]:
    return section.model_dump(exclude_unset=True, exclude_none=True)


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """`above` laid over `below`; labels (`match`) and shares (`purchase`) are the workload's own and never mixed."""
    both = {key for key in below.keys() & above.keys() if isinstance(below[key], dict) and key not in WHOLE}
    return below | above | {key: _over(below[key], above[key]) for key in both}
