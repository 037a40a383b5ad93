"""Load, or spend, that is out of the ordinary: against the workload's own days, with nothing seen that comes later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from domain.observation import Observation
from domain.plan import Configuration, Json
from domain.unknown import Unknown
from optimizer.anomalies.reading import as_json, reading
from optimizer.anomalies.spend import spend_reading


def anomalies_of(observation: Observation, current: Configuration | Unknown) -> Mapping[str, Json]:
    """The readings of load and of spend at `observed_at`, as evidence; empty where no load is known.

    A reading that cannot be made is `unknown`, with its reason.
    """
    if isinstance(observation.load, Unknown):
        return {}
    seen = observation.load.until(observation.observed_at)
    return {
        "load": as_json(reading(seen)),
        "spend": as_json(spend_reading(replace(observation, load=seen), current)),
    }
