"""Workloads to JSON and back, so that what was discovered is still known when the source is away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from domain.workload import Bounds, Resources, ScaleTarget, ServingMode, Slo, Workload


def workload_body(workload: Workload) -> dict[str, Any]:
    """The workload as JSON; durations in seconds."""
    return {
        "id": workload.id,
        "runtime": workload.runtime,
        "labels": dict(workload.labels),
        "slo": {
            "attainment": workload.slo.attainment,
            "latency_quantile": workload.slo.latency_quantile,
            "latency_seconds": workload.slo.latency.total_seconds(),
            **_optional(workload.slo),
        },
        "resources": asdict(workload.resources),
        "bounds": asdict(workload.bounds),
        "modes": sorted(mode.value for mode in workload.modes),
        "cloud": workload.cloud,
        "region": workload.region,
        "isolation_group": workload.isolation_group,
        "anti_affinity": sorted(workload.anti_affinity),
        "team": workload.team,
        "target": None if workload.target is None else asdict(workload.target),
        "stateless": workload.stateless,
        "country": workload.country,
    }


def _optional(slo: Slo) -> dict[str, float]:
    """What a promise need not have; what it has not is left out."""
    given = {
        "usd_per_missed_request": slo.usd_per_missed_request,
        "min_accuracy": slo.min_accuracy,
        "time_to_first_token_seconds": _in_seconds(slo.time_to_first_token),
        "inter_token_seconds": _in_seconds(slo.inter_token),
    }
    return {name: value for name, value in given.items() if value is not None}


def to_workload(body: Mapping[str, Any]) -> Workload:
    """The workload that `workload_body` wrote."""
    slo, target = body["slo"], body["target"]
    return Workload(
        id=body["id"],
        runtime=body["runtime"],
        labels=dict(body["labels"]),
        slo=Slo(
            attainment=slo["attainment"],
            latency_quantile=slo["latency_quantile"],
            usd_per_missed_request=slo.get("usd_per_missed_request"),
            min_accuracy=slo.get("min_accuracy"),
            latency=timedelta(seconds=slo["latency_seconds"]),
            time_to_first_token=_seconds(slo.get("time_to_first_token_seconds")),
            inter_token=_seconds(slo.get("inter_token_seconds")),
        ),
        resources=Resources(**body["resources"]),
        bounds=Bounds(**body["bounds"]),
        modes=frozenset(ServingMode(mode) for mode in body["modes"]),
        cloud=body["cloud"],
        region=body["region"],
        isolation_group=body["isolation_group"],
        anti_affinity=frozenset(body.get("anti_affinity", ())),
        team=body["team"],
        target=None if target is None else ScaleTarget(**target),
        stateless=body.get("stateless"),
        country=body.get("country"),
    )


def _in_seconds(value: timedelta | None) -> float | None:
    return None if value is None else value.total_seconds()


def _seconds(value: float | None) -> timedelta | None:
    return None if value is None else timedelta(seconds=value)
