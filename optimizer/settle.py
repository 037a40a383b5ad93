"""From a draft and a placement to the recommendation: the plan, what it is told from, and its guardrails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from domain.observation import Observation
from domain.plan import Act, Configuration, Evidence, Json, Plan, Reason, Recommendation
from domain.unknown import Unknown
from domain.workload import PurchaseMix, ServingMode
from optimizer.allocated import ON_A_SHARED_HOST, Told, priced_for
from optimizer.answer import Case, act, hold
from optimizer.confidence import confidence_in
from optimizer.draft import Draft, Ready
from optimizer.evidence import used_json
from optimizer.fingerprint import fingerprint
from optimizer.guardrails import Context, Refused, guarded, guardrails, keeps_today
from optimizer.machines import NO_MACHINES
from optimizer.options import Options
from optimizer.placement import Placement, as_json, standing_seats, stays_json
from optimizer.proposal import by_itself
from optimizer.prospect import scheduled_too
from optimizer.tenancy import Tenancy

COMPANIONS = "workloads that may share a host with it, or another mode among those that are allowed"
NAMED = 6  # companions in a sentence; the evidence has them all
NOT_LOOKED_FOR = "which workloads could live with it was not looked at"


def settle(
    draft: Draft,
    observation: Observation,
    options: Options,
    previous: Recommendation | None,
    placement: Placement | None,
) -> Recommendation:
    """Act on the plan, or hold and say why. `observation`, `options` and `previous` are those of the draft.

    Without a placement, or with one without seats, nothing is moved onto a shared host.
    """
    case = Case(
        observation=observation,
        options=options,
        previous=previous,
        inputs_sha256=draft.inputs_sha256 if placement is None else fingerprint(draft.inputs_sha256, placement),
        current=draft.current,
    )
    stays = _stays(case, placement)
    found = draft.found
    if not isinstance(found, Ready):
        sharing = {**_placed(placement), **stays}
        nothing = Evidence(inputs_sha256=case.inputs_sha256, anomalies=draft.anomalies, sharing=sharing)
        return hold(case, found.reasons, found.needs, nothing)
    evidence = _evidence(found, case, placement)
    held = replace(evidence, sharing={**evidence.sharing, **stays})
    plan = _plan(found, placement)
    if plan is None:
        because = (*found.grounds, *found.ahead.reasons(ServingMode.SHARED), *_not_shared(found, placement))
        return hold(case, because, COMPANIONS, held)
    because = (*found.grounds, *found.ahead.reasons(plan.proposed.mode))
    confidence, trust = confidence_in(found.certainty, plan, draft.current)
    rails = guardrails(_context(draft.current, found, placement, options, confidence))
    try:
        passed = guarded(replace(plan, reasons=(*because, trust, *plan.reasons)), observation, rails)
    except Refused as refusal:
        return _refused(case, refusal, (*because, trust), found, held)
    told = _told(found, observation, placement, kept=keeps_today(passed) or _only_kept(found, placement))
    final = replace(
        scheduled_too(passed, found.ahead), allocation=found.allocation if told is None else told.allocation
    )
    return act(case, final, confidence, evidence if told is None else _told_of(evidence, told))


def _refused(
    case: Case, refusal: Refused, because: tuple[Reason, ...], found: Ready, evidence: Evidence
) -> Recommendation:
    """A hold; where what runs today was to be kept, and that was refused, it is told of that and not of what it replaced."""
    if refusal.plan is None or found.if_kept is None or not keeps_today(refusal.plan):
        return hold(case, (*because, refusal.reason), refusal.needs, evidence)
    return hold(case, (*refusal.plan.reasons, refusal.reason), refusal.needs, _told_of(evidence, found.if_kept))


def _only_kept(found: Ready, placement: Placement | None) -> bool:
    """Whether it stays as it is because it may only be shared, and has no place."""
    return found.proposal.quote.mode is ServingMode.SHARED and not (placement is not None and placement.seats)


def _told(found: Ready, observation: Observation, placement: Placement | None, *, kept: bool) -> Told | None:
    """What is told of another plan than the proposal's own; None where that came out."""
    if kept:
        return found.if_kept
    if placement is None or not placement.seats:
        return None
    allocation = priced_for(
        found.allocation,
        size=found.tenant_size,
        declared=observation.workload.resources,
        usd=placement.usd_per_month,
        spot_eligible=False,
    )
    used = used_json(placement.prices, observation.observed_at.date())
    return Told(allocation=allocation, prices={"spot": None, "used": used}, spot=ON_A_SHARED_HOST)


def _told_of(evidence: Evidence, told: Told) -> Evidence:
    spot: Json = {"eligible": told.allocation.spot_eligible, "detail": told.spot}
    return replace(
        evidence, prices={**evidence.prices, **told.prices}, allocation={**evidence.allocation, "spot": spot}
    )


def took_its_place(recommendation: Recommendation, placement: Placement) -> bool:
    """Whether this is what the seats of `placement` came to: no guardrail refused them or kept what runs today."""
    if not isinstance(recommendation, Act):
        return False
    proposed = recommendation.plan.proposed
    return (proposed.mode, proposed.offer, proposed.usd_per_month) == (
        ServingMode.SHARED,
        placement.offer,
        placement.usd_per_month,
    )


def _plan(found: Ready, placement: Placement | None) -> Plan | None:
    """The plan with its own reasons; None where it may only be shared, nobody lives with it, and it is not so today."""
    if placement is not None and placement.seats and not isinstance(found.tenancy, Unknown):
        return _shared(found, found.tenancy, placement)
    if found.proposal.quote.mode is not ServingMode.SHARED:
        plan = found.proposal.plan
        return replace(plan, reasons=(*_not_shared(found, placement), *plan.reasons))
    kept = found.proposal.kept
    return None if kept is None else replace(kept.plan, reasons=(*_not_shared(found, placement), *kept.plan.reasons))


def _shared(found: Ready, tenancy: Tenancy, placement: Placement) -> Plan:
    """The plan of living on the hosts of `placement`: their bill does not fall with the load.

    Where the load comes to the upper end, it takes so much more of them, or moves out and costs what it does alone.
    """
    usd = placement.usd_per_month
    copies, reserved = tenancy.mean_copies, all(seat.reserved for seat in placement.seats)
    dearer = usd * tenancy.growth
    if found.proposal.quote.mode is not ServingMode.SHARED:
        dearer = min(dearer, found.proposal.plan.usd_per_month_high)
    return Plan(
        proposed=Configuration(
            replicas=tenancy.copies,
            mean_replicas=copies,
            mode=ServingMode.SHARED,
            purchase=PurchaseMix(reserved=copies) if reserved else PurchaseMix(on_demand=copies),
            offer=placement.offer,
            usd_per_month=usd,
            replicas_per_machine=NO_MACHINES[ServingMode.SHARED],
        ),
        usd_per_month_low=usd,
        usd_per_month_high=max(usd, dearer),
        calendar=tenancy.calendar if len(tenancy.calendar) > 1 else (),
        reasons=(*by_itself(found.proposal), *_shares_host(tenancy, placement)),
    )


def _shares_host(tenancy: Tenancy, placement: Placement) -> Iterator[Reason]:
    alone = tenancy.tenant.alone_usd
    for seat in placement.seats:
        others = ", ".join(seat.companions[:NAMED])
        more = f" and {len(seat.companions) - NAMED} more" if len(seat.companions) > NAMED else ""
        yield Reason(
            code="shares_host",
            detail=f"lives on host {seat.host} ({seat.offer}) with {others}{more}: {seat.share:.0%} of it at its own peak, "
            f"{seat.usd_per_month:.2f} of {seat.host_usd_per_month:.2f} USD a month",
        )
    yield Reason(
        code="shared_costs_less",
        detail=f"{placement.why}; alone it would cost {alone:.2f} USD a month",
        before=f"{alone:.2f}",
        after=f"{placement.usd_per_month:.2f}",
    )


def _not_shared(found: Ready, placement: Placement | None) -> tuple[Reason, ...]:
    """Why it stays by itself."""
    return (Reason(code="not_shared", detail=f"shared: {_why(found, placement)}"),)


def _why(found: Ready, placement: Placement | None) -> str:
    """Why it lives as it does."""
    if isinstance(found.tenancy, Unknown):
        return found.tenancy.reason
    return NOT_LOOKED_FOR if placement is None else placement.why


def _stays(case: Case, placement: Placement | None) -> Mapping[str, Json]:
    """The seats that a hold leaves it; none where a person refused them."""
    if placement is not None and placement.declined_until is not None:
        return {}
    return stays_json(standing_seats(case.previous, case.observation.observed_at))


def _placed(placement: Placement | None) -> dict[str, Json]:
    return {} if placement is None else {"placement": as_json(placement)}


def _evidence(found: Ready, case: Case, placement: Placement | None) -> Evidence:
    """The evidence with what the fleet said."""
    said: dict[str, Json] = {"detail": _why(found, placement), **_placed(placement)}
    if not isinstance(found.tenancy, Unknown):
        said["alone_usd_per_month"] = found.tenancy.tenant.alone_usd
    return replace(found.evidence, inputs_sha256=case.inputs_sha256, sharing=said)


def _context(
    current: Configuration | Unknown, found: Ready, placement: Placement | None, options: Options, confidence: float
) -> Context:
    seated = placement if placement is not None and placement.seats else None
    kept = found.proposal.kept
    alone = kept.quote if kept is not None and _only_kept(found, placement) else found.proposal.quote
    return Context(
        options=options.guardrails,
        current=current,
        kept=kept,
        prices=alone.prices if seated is None else seated.prices,
        confidence=confidence,
        missed=found.proposal.missed,
        missed_today=found.proposal.missed_today,
        missed_shared=None if seated is None else _missed(seated),
    )


def _missed(placement: Placement) -> float | Unknown:
    return Unknown("how full the host would have been is not known") if placement.missed is None else placement.missed
