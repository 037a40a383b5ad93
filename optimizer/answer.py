"""The two forms of an answer: act on a plan, or hold what is there and say why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from domain.observation import Observation
from domain.plan import Act, Configuration, Evidence, Hold, Json, Plan, Reason, Recommendation, recommendation_id
from domain.unknown import Unknown
from domain.workload import ServingMode
from optimizer.cost import saving
from optimizer.options import Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What one decision is about: its inputs, their hash, what the workload costs today, what is out of the ordinary."""

    observation: Observation
    options: Options
    previous: Recommendation | None
    inputs_sha256: str
    current: Configuration | Unknown
    anomalies: Mapping[str, Json] = field(default_factory=dict)


def act(case: Case, plan: Plan, confidence: float, evidence: Evidence) -> Act:
    """Recommend `plan`, whose reasons stand in the order in which they applied."""
    seen = case.observation
    return Act(
        id=recommendation_id(seen.workload.id, seen.observed_at),
        workload=seen.workload.id,
        created_at=seen.observed_at,
        valid_until=seen.observed_at + case.options.valid_for,
        current=case.current,
        plan=plan,
        saving=saving(case.current, plan),
        confidence=confidence,
        reasons=plan.reasons,
        evidence=evidence,
    )


def hold(case: Case, reasons: tuple[Reason, ...], needs: str, evidence: Evidence | None = None) -> Hold:
    """Change nothing, because; a number that is still good stays good until it expires, and none is made up."""
    seen = case.observation
    number, until = last_good(case.previous, seen.observed_at)
    return Hold(
        id=recommendation_id(seen.workload.id, seen.observed_at),
        workload=seen.workload.id,
        created_at=seen.observed_at,
        valid_until=until or seen.observed_at + case.options.valid_for,
        current=case.current,
        last_good=number,
        needs=needs,
        reasons=reasons,
        evidence=evidence or Evidence(inputs_sha256=case.inputs_sha256, anomalies=case.anomalies),
    )


def last_good(previous: Recommendation | None, at: datetime) -> tuple[int | Unknown, datetime | None]:
    """The replicas last recommended, and until when they stand; a hold hands on what it held, no longer."""
    if previous is None:
        return Unknown("there was no recommendation before"), None
    if previous.valid_until <= at:
        return Unknown(f"the last recommendation was valid until {previous.valid_until:%Y-%m-%d %H:%M} UTC"), None
    if isinstance(previous, Act):
        proposed = previous.plan.proposed
        if proposed.mode is ServingMode.SERVERLESS:  # a number here would be followed, down to none
            return Unknown(f"serverless was recommended last: {proposed.offer} scales by itself"), None
        return proposed.replicas, previous.valid_until
    if isinstance(previous.last_good, Unknown):
        return previous.last_good, None
    return previous.last_good, previous.valid_until
