"""A capacity study in words and as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from domain.capacity import CapacityBasis, CapacityModel
from domain.plan import Json, Reason
from domain.unknown import Unknown
from optimizer.capacity.drift import Drift
from optimizer.capacity.options import CapacityOptions
from optimizer.capacity.study import CapacityStudy
from optimizer.capacity.tokens import UsualRequest

TIMES = "%Y-%m-%dT%H:%M:%SZ"


def reasons_of(study: CapacityStudy, options: CapacityOptions) -> tuple[Reason, ...]:
    """What one replica carries, in what unit, and what production says against it."""
    return tuple(_reasons(study, options))


def _reasons(study: CapacityStudy, options: CapacityOptions) -> Iterator[Reason]:
    capacity, unit, drift = study.capacity, study.unit, study.learned.drift
    if isinstance(capacity, CapacityModel):
        yield Reason(code=f"capacity_{capacity.basis}", detail=capacity.detail)
        if isinstance(unit, UsualRequest):
            yield Reason(code="capacity_in_tokens", detail=_in_tokens(capacity, unit))
    if drift is not None:
        yield _drifted(drift)
    contradicted = contradiction(study, options)
    if contradicted is not None:
        yield contradicted


def _in_tokens(capacity: CapacityModel, unit: UsualRequest) -> str:
    return (
        f"{capacity.rate_rps * unit.tokens:.4g} tokens/s for one replica: load is counted in requests of {unit.tokens:.4g} "
        f"tokens, a prompt token as {unit.weight:.2g} of a generated one ({unit.basis}: {unit.detail})"
    )


def _drifted(drift: Drift) -> Reason:
    by = f" (version {drift.version})" if drift.version else ""
    less, way = abs(1.0 - drift.share), "less" if drift.share < 1.0 else "more"
    return Reason(
        code="capacity_fell" if drift.share < 1.0 else "capacity_rose",
        detail=f"since {drift.since:%Y-%m-%d %H:%M} UTC{by} a replica carries {less:.0%} {way} than before: "
        "what was seen earlier no longer counts",
        before="100%",
        after=f"{drift.share:.0%}",
    )


def contradiction(study: CapacityStudy, options: CapacityOptions) -> Reason | None:
    """Where a declared capacity lies outside what production shows by more than the options allow."""
    declared, learned = study.capacity, study.learned.capacity
    if isinstance(declared, Unknown) or declared.basis is not CapacityBasis.DECLARED or not study.learned.fits:
        return None
    if isinstance(learned, Unknown):
        said = f"the settings declare {declared.rate_rps:.3g} requests/s, but {learned.reason}"
        return Reason(code="capacity_contradicted", detail=f"{said}; the declared value is used")
    room = 1.0 + options.contradiction
    over = learned.high_rps is not None and declared.rate_rps > learned.high_rps * room
    if not over and declared.rate_rps * room >= learned.low_rps:
        return None
    name, slo_s = study.learned.bound.name, study.learned.bound.slo_s
    seen = f"reaches its {name} SLO of {slo_s:g} s" if learned.high_rps is not None else f"held its {name} SLO"
    return Reason(
        code="capacity_contradicted",
        detail=f"the settings declare {declared.rate_rps:.3g} requests/s, but production {seen} at {learned.rate_rps:.3g}; "
        "the declared value is used: correct it, or leave it out to have it learned",
        before=f"{declared.rate_rps:.3g} requests/s",
        after=f"{learned.rate_rps:.3g} requests/s",
    )


def study_json(study: CapacityStudy) -> dict[str, Json]:
    """What stands beside the capacity in the evidence; what is not known is null, with its reason beside it."""
    unit, learned = study.unit, study.learned
    capacity, drift = learned.capacity, learned.drift
    return {
        "promise": learned.bound.name,
        "learned": None if isinstance(capacity, Unknown) else model_json(capacity),
        "not_learned": capacity.reason if isinstance(capacity, Unknown) else None,
        "fits": [
            {"name": each.name, "held_out_error": _finite(each.error), "at_slo_rps": _finite(each.at_slo_rps)}
            for each in learned.fits
        ],
        "by_day": [{"day": each.day.strftime(TIMES), "rate_rps": each.rate_rps} for each in learned.by_day],
        "drift": None if drift is None else _drift_json(drift),
        "tokens": None if isinstance(unit, Unknown) else _tokens_json(study.capacity, unit),
        "no_tokens": unit.reason if isinstance(unit, Unknown) else None,
    }


def model_json(capacity: CapacityModel) -> dict[str, Json]:
    """A capacity with its interval and where it comes from."""
    return {
        "rate_rps": capacity.rate_rps,
        "low_rps": capacity.low_rps,
        "high_rps": capacity.high_rps,
        "basis": str(capacity.basis),
        "detail": capacity.detail,
    }


def _drift_json(drift: Drift) -> Mapping[str, Json]:
    return {
        "since": drift.since.strftime(TIMES),
        "share": drift.share,
        "version": drift.version,
        "chance": drift.chance,
    }


def _tokens_json(capacity: CapacityModel | Unknown, unit: UsualRequest) -> Mapping[str, Json]:
    """Tokens/s beside the requests/s."""
    known = (None,) * 3 if isinstance(capacity, Unknown) else (capacity.rate_rps, capacity.low_rps, capacity.high_rps)
    rate_tps, low_tps, high_tps = (None if rate is None else rate * unit.tokens for rate in known)
    return {
        "tokens_per_request": unit.tokens,
        "prompt_weight": unit.weight,
        "prompt_weight_basis": unit.basis,
        "detail": unit.detail,
        "counted": unit.counted,
        "rate_tps": rate_tps,
        "low_tps": low_tps,
        "high_tps": high_tps,
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
