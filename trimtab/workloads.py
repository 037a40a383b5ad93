"""From settings to the words of the domain: workloads, and what is declared of them."""

from __future__ import annotations

from datetime import timedelta

from domain.observation import Declared
from domain.workload import Bounds, Resources, ScaleTarget, Slo, Workload
from trimtab.settings import ResourceSettings, SloSettings, WorkloadSettings


def workload_of(section: WorkloadSettings) -> Workload:
    """The workload that a (resolved) section of the settings describes."""
    return Workload(
        id=section.id,
        runtime=section.runtime,
        labels=dict(section.match),
        slo=_slo(section.slo),
        resources=_resources(section.resources),
        bounds=Bounds(min_replicas=section.bounds.min_replicas, max_replicas=section.bounds.max_replicas),
        modes=section.modes,
        cloud=section.cloud,
        region=section.region,
        isolation_group=section.isolation_group,
        anti_affinity=frozenset(section.anti_affinity),
        team=section.team,
        target=None if section.target is None else ScaleTarget(**section.target.model_dump()),
        stateless=section.stateless,
        country=section.country,
    )


def declared_of(section: WorkloadSettings) -> Declared:
    """What the section states about the workload; it wins over what is measured."""
    return Declared(
        capacity_rps=section.capacity_rps,
        capacity_tps=section.capacity_tps,
        prompt_token_weight=section.prompt_token_weight,
        time_to_ready=_seconds(section.time_to_ready_s),
        service_time=_seconds(None if section.service_time_ms is None else section.service_time_ms / 1000.0),
        replicas=section.replicas,
        mode=section.mode,
        offer=section.offer,
        reserved_share=section.purchase.reserved,
        spot_share=section.purchase.spot,
    )


def _slo(section: SloSettings) -> Slo:
    return Slo(
        attainment=section.attainment,
        latency_quantile=section.latency_quantile,
        latency=timedelta(milliseconds=section.latency_ms),
        time_to_first_token=_milliseconds(section.time_to_first_token_ms),
        inter_token=_milliseconds(section.inter_token_ms),
        usd_per_missed_request=section.usd_per_missed_request,
        min_accuracy=section.min_accuracy,
    )


def _resources(section: ResourceSettings) -> Resources:
    return Resources(**section.model_dump())


def _seconds(value: float | None) -> timedelta | None:
    return None if value is None else timedelta(seconds=value)


def _milliseconds(value: float | None) -> timedelta | None:
    return None if value is None else timedelta(milliseconds=value)
