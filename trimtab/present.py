"""Recommendations as people and other programs read them: the JSON of the API and of `trimtab recommend`.

What is not known is null, and `unknown` says why; it is never 0 and never left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from domain.allocation import Allocation
from domain.plan import Act, Configuration, Reason, Saving
from domain.unknown import Unknown
from trimtab.moments import moment
from trimtab.priceages import price_age
from trimtab.records import Record
from trimtab.store.codec import configuration_body, evidence_body, reason_body
from trimtab.store.journal import Alert

Body = dict[str, Any]


# What a reader wants to know first of a plan; whatever else a recommendation says comes after.
FIRST = (
    "mode_chosen",
    "no_mode",
    "shares_host",
    "slo_unreachable",
    "slo_uncertain",
    "capacity_fell",
    "capacity_contradicted",
    "slo_proved",
    "right_sized",
    "scheduled",
    "step_down",
    "kept_warm",
    "cold_starts",
    "reserved",
    "spot",
)


def most_telling(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """The same reasons, those first that say most; the others keep their order."""
    rank = {code: place for place, code in enumerate(FIRST)}
    return tuple(sorted(reasons, key=lambda reason: rank.get(reason.code, len(FIRST))))


OF_A_PROPOSAL = ("proposed", "saving_usd_per_month", "saving_low", "saving_high", "confidence", "allocation")
UNEVEN = 0.05  # replicas by which the mean has to differ from the number now to be worth a word
STORED_TIMES = {"at", "declined_until"}  # in the evidence; other times in it are written in the form of the answers


def placed(
    offer: str, *, replicas: int, mean_replicas: float, machines: int | None, each: int | None, times: str = "x"
) -> str:
    """So many machines; where one of them holds more than one replica, or is not its own, so many replicas on them.

    `each` is how many replicas a machine holds. The mean is what is paid for, and said where it is another number.
    """
    if not replicas:
        return offer
    paid = f"{mean_replicas:.1f}" if mean_replicas >= UNEVEN else f"{mean_replicas:.1g}"
    mean = f" ({paid} on average)" if abs(mean_replicas - replicas) >= UNEVEN else ""
    if each == 1:
        return f"{replicas} {times} {offer}{mean}"
    on = offer if machines is None else f"{machines} {times} {offer}"
    return f"{replicas} replica{'s' * (replicas != 1)}{mean} on {on}"


def recommendation_body(record: Record, now: datetime) -> Body:
    """The whole recommendation with its status at `now`."""
    recommendation = record.recommendation
    unknown: dict[str, str] = {}
    facts: Body = {
        "id": recommendation.id,
        "workload": recommendation.workload,
        "kind": recommendation.kind,
        "created_at": moment(recommendation.created_at),
        "valid_until": moment(recommendation.valid_until),
        "observed_at": moment(record.observed_at),
        "status": record.status(now).value,
        "decided_at": None if record.decided_at is None else moment(record.decided_at),
        "decided_by": record.decided_by,
        "applied_at": None if record.applied_at is None else moment(record.applied_at),
        "age_seconds": round(record.age(now).total_seconds()),
        "held": None if record.held is None else {"since": moment(record.held.since), "reason": record.held.reason},
        "replicas": _known("replicas", record.replicas(now), unknown),
        "current": _configuration("current", recommendation.current, unknown),
        "price_age_days": _days(_known("price_age_days", price_age(recommendation.evidence, now.date()), unknown)),
    }
    outcome = _act(recommendation, unknown) if isinstance(recommendation, Act) else _hold(recommendation.needs, unknown)
    rest: Body = {
        "reasons": [reason_body(reason) for reason in recommendation.reasons],
        "evidence": _timed(evidence_body(recommendation.evidence)),
        "unknown": unknown,
    }
    return facts | outcome | rest


def told_body(alert: Alert) -> Body:
    """One time that an alert fired, as people ask for it."""
    return {
        "alert": alert.labels.get("alertname", ""),
        "severity": alert.labels.get("severity"),
        "status": alert.status,
        "starts_at": moment(alert.starts_at),
        "ends_at": None if alert.ends_at is None else moment(alert.ends_at),
        "summary": alert.annotations.get("summary"),
        "description": alert.annotations.get("description"),
    }


def _act(act: Act, unknown: dict[str, str]) -> Body:
    saving = act.saving
    return {
        "proposed": _counted("proposed", act.plan.proposed, unknown)
        | {"usd_per_month_low": act.plan.usd_per_month_low, "usd_per_month_high": act.plan.usd_per_month_high},
        "saving_usd_per_month": _known("saving_usd_per_month", _of(saving, "usd_per_month"), unknown),
        "saving_low": _known("saving_low", _of(saving, "low"), unknown),
        "saving_high": _known("saving_high", _of(saving, "high"), unknown),
        "confidence": act.confidence,
        "needs": None,
        "calendar": [{"at": moment(step.at), "replicas": step.replicas} for step in act.plan.calendar],
        "schedule": [{"at": moment(step.at), "replicas": step.replicas} for step in act.plan.schedule],
        "allocation": _allocation(act.plan.allocation, unknown),
    }


def _of(saving: Saving | Unknown, name: str) -> float | Unknown:
    return saving if isinstance(saving, Unknown) else float(getattr(saving, name))


def _allocation(allocation: Allocation | None, unknown: dict[str, str]) -> Body | None:
    if allocation is None:
        unknown["allocation"] = "the version that decided did not say what a replica should ask for"
        return None
    money = {
        name: _known(f"allocation.{name}", getattr(allocation, name), unknown)
        for name in ("usd_per_month", "declared_usd_per_month")
    }
    return asdict(allocation) | {"basis": allocation.basis.value} | money


def _hold(needs: str, unknown: dict[str, str]) -> Body:
    unknown |= dict.fromkeys(OF_A_PROPOSAL, "nothing is proposed while it is held")
    return dict.fromkeys(OF_A_PROPOSAL) | {"needs": needs, "calendar": [], "schedule": []}


def _configuration(name: str, value: Configuration | Unknown, unknown: dict[str, str]) -> Body | None:
    if isinstance(value, Unknown):
        unknown[name] = value.reason
        return None
    return _counted(name, value, unknown)


def _counted(name: str, value: Configuration, unknown: dict[str, str]) -> Body:
    """With its machines, which only some modes have."""
    counts = {
        field: _known(f"{name}.{field}", getattr(value, field), unknown)
        for field in ("machines", "replicas_per_machine")
    }
    return configuration_body(value) | counts


def _timed(value: Any) -> Any:
    """Evidence with its stored times in the form of all others."""
    if isinstance(value, Mapping):
        return {
            name: moment(datetime.fromisoformat(part))
            if name in STORED_TIMES and isinstance(part, str)
            else _timed(part)
            for name, part in value.items()
        }
    return value


def _days(age: timedelta | None) -> int | None:
    return None if age is None else age.days


def _known(name: str, value: Any, unknown: dict[str, str]) -> Any:
    if isinstance(value, Unknown):
        unknown[name] = value.reason
        return None
    return value
