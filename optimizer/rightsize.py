"""Which resources a plan is priced with: as declared, or as measured where that is safer or cheaper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.allocation import Allocation, AllocationBasis
from domain.observation import Observation
from domain.plan import Json, Reason
from domain.unknown import Unknown
from domain.workload import Resources, ServingMode
from optimizer.allocation import Need, need_json, needed, reasons_of
from optimizer.demand import Demand
from optimizer.modes import Infeasible, Market, Quote, quotes
from optimizer.options import Options
from optimizer.policies import POLICIES, Answers
from optimizer.proving import spot_proofs
from optimizer.purchase import allowed_spot


@dataclass(frozen=True, slots=True, kw_only=True)
class RightSized:
    """The market to plan in with every mode's price there, what a replica should ask for, and why.

    `shared` is the market of the workload as a tenant: beside others less room is less money, whatever it is alone.
    """

    market: Market
    answers: Answers
    shared: Market
    allocation: Allocation
    reasons: tuple[Reason, ...]
    evidence: Mapping[str, Json]


def right_sized(observation: Observation, market: Market, demand: Demand, options: Options) -> RightSized:
    """The market as declared, or with measured resources where less is declared than is needed or they cost less.

    Both are priced for the same `demand` by the same policy. Measured resources that fit no machine at all are told and
    not priced: what runs today holds them somehow.
    """
    need = needed(observation, market.capacity, options.allocation)
    sized = market if need.resources == need.declared else resized(market, need.resources, observation.observed_at)
    policy, asked = POLICIES[options.policy], quotes(market, demand)
    before = policy(market, demand, asked)
    asked_sized = asked if sized is market else quotes(sized, demand)
    after = before if sized is market else policy(sized, demand, asked_sized)
    priced = sized is not market and isinstance(after, Quote) and (need.raised or _cheaper(after, before))
    chosen, quote = (sized, after) if priced else (market, before)
    eligible, spot = spot_of(chosen, quote)
    return RightSized(
        market=chosen,
        answers=asked_sized if priced else asked,
        shared=chosen if need.raised else sized,
        allocation=Allocation(
            basis=AllocationBasis.MEASURED if need.measured else AllocationBasis.DECLARED,
            cpu_request_cores=need.resources.cpu_cores,
            cpu_limit_cores=None,
            memory_request_gib=need.resources.memory_gib,
            memory_limit_gib=need.resources.memory_gib,
            accelerator=need.declared.accelerator,
            accelerator_count=need.declared.accelerator_count,
            spot_eligible=eligible,
            priced=priced,
            usd_per_month=_usd(after),
            declared_usd_per_month=_usd(before),
            detail="; ".join(reason.detail for reason in reasons_of(need)),
        ),
        reasons=(*reasons_of(need), *_effect(need, before, after, priced=priced)),
        evidence={
            **need_json(need),
            "priced": priced,
            "declared_plan": _quote_json(before),
            "sized_plan": _quote_json(after),
            "spot": {"eligible": eligible, "detail": spot},
        },
    )


def resized(market: Market, resources: Resources, at: datetime) -> Market:
    """The same market for replicas that ask for `resources`; what availability proves is looked up for new types only."""
    workload = replace(market.workload, resources=resources)
    found = Market.of(
        workload,
        capacity=market.capacity,
        sizing=market.sizing,
        service_time_s=market.service_time_s,
        risk=market.risk,
        book=market.book,
        options=market.options,
    )
    unproved = tuple(each for each in market.book.availability if each.instance_type not in market.spot)
    book, options = replace(market.book, availability=unproved), market.options.purchase
    more = spot_proofs(workload, found.machines, book, at=at, risk=market.risk, options=options)
    return replace(found, spot={**market.spot, **more})


def _cheaper(after: Quote, before: Quote | Infeasible) -> bool:
    return isinstance(before, Infeasible) or after.usd_per_month < before.usd_per_month


def _effect(need: Need, before: Quote | Infeasible, after: Quote | Infeasible, *, priced: bool) -> tuple[Reason, ...]:
    """What measured resources change in machines and dollars; nothing where they are those that are declared."""
    if need.resources == need.declared:
        return ()
    asked = f"replicas of {need.resources.cpu_cores:g} cores and {need.resources.memory_gib:g} GiB, as measured"
    if priced:
        detail = f"{asked}, are planned with: {_said(after)} in the week ahead"
        return (Reason(code="right_sized", detail=detail, before=_said(before), after=_said(after)),)
    if isinstance(after, Infeasible):
        return (Reason(code="not_right_sized", detail=f"{asked}, fit nowhere ({after.reason}): planned as declared"),)
    said = "would not make it cheaper: planned as declared, unless it shares a host"
    return (Reason(code="not_right_sized", detail=f"{asked}, {said}"),)


def _said(answer: Quote | Infeasible) -> str:
    if isinstance(answer, Infeasible):
        return f"nothing holds it ({answer.reason})"
    return f"{answer.mode} on {answer.offer}, {answer.usd_per_month:.2f} USD a month"


def _usd(answer: Quote | Infeasible) -> float | Unknown:
    return Unknown(answer.reason) if isinstance(answer, Infeasible) else answer.usd_per_month


def _quote_json(answer: Quote | Infeasible) -> Mapping[str, Json]:
    if isinstance(answer, Infeasible):
        return {"mode": str(answer.mode), "infeasible": answer.reason}
    return {"mode": str(answer.mode), "offer": answer.offer, "usd_per_month": answer.usd_per_month}


def spot_of(market: Market, answer: Quote | Infeasible) -> tuple[bool, str]:
    """Whether its machines may be spot: nothing is lost with one, and what others must carry meanwhile fits the budget."""
    if isinstance(answer, Infeasible) or answer.mode is ServingMode.SERVERLESS:
        return False, "there are no machines of its own that could be taken away"
    if market.workload.stateless is False:
        return False, "it is declared not to be stateless: what a replica holds would be lost"
    startup, notice = market.risk.startup, market.options.purchase.notice
    offer, proof = market.machines.by_name[answer.offer].offer, market.spot.get(answer.offer)
    allowed = allowed_spot(offer, market.risk, market.options.purchase, proof)
    stateless = "declared stateless" if market.workload.stateless else "taken as stateless, which nobody declared"
    gap = max(timedelta(0), startup - notice).total_seconds()
    return (
        allowed.share > 0,
        f"{stateless}; a machine goes with {notice.total_seconds():g} s of notice and its replacement is ready {gap:g} s after it is gone; {allowed.why}",
    )
