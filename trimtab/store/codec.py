"""Recommendations to JSON text and back, without loss: `decode(encode(r)) == r`.

Unknown is `{"unknown": reason}`, so that it can never be read as a number. Evidence is JSON
already; it may hold no NaN, which JSON has no word for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from domain.allocation import Allocation, AllocationBasis
from domain.errors import StoreError
from domain.plan import (
    NOT_TOLD,
    Act,
    CalendarStep,
    Configuration,
    Evidence,
    Hold,
    Json,
    Plan,
    Reason,
    Recommendation,
    Saving,
)
from domain.unknown import Unknown
from domain.workload import PurchaseMix, ServingMode

Body = dict[str, Any]
TOPICS = ("forecast", "backtest", "replay", "capacity", "prices", "break_even", "allocation", "anomalies", "sharing")


ALLOCATION_MONEY = ("usd_per_month", "declared_usd_per_month")


def encode(recommendation: Recommendation) -> str:
    """JSON text; StoreError for evidence that JSON cannot hold."""
    try:
        return json.dumps(
            _act(recommendation) if isinstance(recommendation, Act) else _hold(recommendation), allow_nan=False
        )
    except (TypeError, ValueError) as fault:
        raise StoreError(f"recommendation {recommendation.id} cannot be written as JSON: {fault}") from fault


def decode(text: str) -> Recommendation:
    """The recommendation in a text by `encode`; StoreError for any other."""
    try:
        body = json.loads(text)
        return _to_act(body) if body["kind"] == "act" else _to_hold(body)
    except (KeyError, TypeError, ValueError) as fault:
        raise StoreError(f"a stored recommendation cannot be read: {fault!r}") from fault


def _common(recommendation: Recommendation) -> Body:
    return {
        "kind": recommendation.kind,
        "id": recommendation.id,
        "workload": recommendation.workload,
        "created_at": recommendation.created_at.isoformat(),
        "valid_until": recommendation.valid_until.isoformat(),
        "current": _known(recommendation.current, configuration_body),
        "reasons": [reason_body(reason) for reason in recommendation.reasons],
        "evidence": evidence_body(recommendation.evidence),
    }


def _act(act: Act) -> Body:
    return _common(act) | {
        "plan": {
            "proposed": configuration_body(act.plan.proposed),
            "usd_per_month_low": act.plan.usd_per_month_low,
            "usd_per_month_high": act.plan.usd_per_month_high,
            "calendar": _steps(act.plan.calendar),
            "schedule": _steps(act.plan.schedule),
            "allocation": None if act.plan.allocation is None else _allocation(act.plan.allocation),
            "reasons": [reason_body(reason) for reason in act.plan.reasons],
        },
        "saving": _known(act.saving, lambda s: {"usd_per_month": s.usd_per_month, "low": s.low, "high": s.high}),
        "confidence": act.confidence,
    }


def _steps(steps: Sequence[CalendarStep]) -> list[Body]:
    return [{"at": step.at.isoformat(), "replicas": step.replicas} for step in steps]


def _hold(hold: Hold) -> Body:
    return _common(hold) | {"last_good": _known(hold.last_good, lambda replicas: replicas), "needs": hold.needs}


def configuration_body(configuration: Configuration) -> Body:
    """A way of running a workload as JSON."""
    purchase = configuration.purchase
    return {
        "replicas": configuration.replicas,
        "mean_replicas": configuration.mean_replicas,
        "mode": configuration.mode.value,
        "purchase": {"reserved": purchase.reserved, "on_demand": purchase.on_demand, "spot": purchase.spot},
        "offer": configuration.offer,
        "usd_per_month": configuration.usd_per_month,
        "replicas_per_machine": _known(configuration.replicas_per_machine, int),
    }


def _allocation(allocation: Allocation) -> Body:
    money = {name: _known(getattr(allocation, name), lambda usd: usd) for name in ALLOCATION_MONEY}
    return asdict(allocation) | {"basis": allocation.basis.value} | money


def _to_allocation(body: Mapping[str, Any]) -> Allocation:
    money = {name: _or_unknown(body[name], float) for name in ALLOCATION_MONEY}
    return Allocation(**{**body, "basis": AllocationBasis(body["basis"]), **money})


def reason_body(reason: Reason) -> Body:
    """One step of the explanation as JSON."""
    return {"code": reason.code, "detail": reason.detail, "before": reason.before, "after": reason.after}


def evidence_body(evidence: Evidence) -> Body:
    """The evidence as JSON, every topic present."""
    return {"inputs_sha256": evidence.inputs_sha256} | {topic: dict(getattr(evidence, topic)) for topic in TOPICS}


def _known(value: Any, body: Any) -> Any:
    return {"unknown": value.reason} if isinstance(value, Unknown) else body(value)


def _or_unknown(body: Any, read: Any) -> Any:
    return Unknown(body["unknown"]) if isinstance(body, Mapping) and "unknown" in body else read(body)


def _to_common(body: Mapping[str, Any]) -> Body:
    return {
        "id": body["id"],
        "workload": body["workload"],
        "created_at": datetime.fromisoformat(body["created_at"]),
        "valid_until": datetime.fromisoformat(body["valid_until"]),
        "current": _or_unknown(body["current"], _to_configuration),
        "reasons": _to_reasons(body["reasons"]),
        "evidence": _to_evidence(body["evidence"]),
    }


def _to_act(body: Mapping[str, Any]) -> Act:
    plan = body["plan"]
    return Act(
        **_to_common(body),
        plan=Plan(
            proposed=_to_configuration(plan["proposed"]),
            usd_per_month_low=plan["usd_per_month_low"],
            usd_per_month_high=plan["usd_per_month_high"],
            calendar=_to_steps(plan["calendar"]),
            schedule=_to_steps(plan.get("schedule", [])),
            allocation=_to_allocation(plan["allocation"]) if plan.get("allocation") else None,
            reasons=_to_reasons(plan["reasons"]),
        ),
        saving=_or_unknown(body["saving"], lambda saving: Saving(**saving)),
        confidence=body["confidence"],
    )


def _to_hold(body: Mapping[str, Any]) -> Hold:
    return Hold(**_to_common(body), last_good=_or_unknown(body["last_good"], int), needs=body["needs"])


def _to_configuration(body: Mapping[str, Any]) -> Configuration:
    return Configuration(
        replicas=body["replicas"],
        mean_replicas=body["mean_replicas"],
        mode=ServingMode(body["mode"]),
        purchase=PurchaseMix(**body["purchase"]),
        offer=body["offer"],
        usd_per_month=body["usd_per_month"],
        replicas_per_machine=_or_unknown(body["replicas_per_machine"], int)
        if "replicas_per_machine" in body
        else NOT_TOLD,
    )


def _to_steps(bodies: list[Mapping[str, Any]]) -> tuple[CalendarStep, ...]:
    return tuple(CalendarStep(at=datetime.fromisoformat(body["at"]), replicas=body["replicas"]) for body in bodies)


def _to_reasons(bodies: list[Mapping[str, Any]]) -> tuple[Reason, ...]:
    return tuple(Reason(**body) for body in bodies)


def _to_evidence(body: Mapping[str, Any]) -> Evidence:
    topics: dict[str, Mapping[str, Json]] = {topic: body.get(topic, {}) for topic in TOPICS}
    return Evidence(inputs_sha256=body["inputs_sha256"], **topics)
