"""A decision as far as one workload alone can take it: everything but where it lives.

Made for each workload by itself, in any process, it is small enough to be handed on: the facts it was made from stay
where they are. `optimizer.settle` makes the recommendation of it, once it is known who lives with whom.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from domain.allocation import Allocation
from domain.observation import Observation
from domain.plan import Configuration, Evidence, Json, Reason, Recommendation
from domain.prices import PriceBook
from domain.unknown import Unknown
from domain.workload import Resources, ServingMode
from optimizer.allocated import Told, priced_for
from optimizer.anomalies import anomalies_of
from optimizer.answer import Case
from optimizer.capacity import CapacityStudy, in_usual_requests, reasons_of, studied
from optimizer.confidence import certainty
from optimizer.evidence import evidence_of, kept_prices
from optimizer.fingerprint import fingerprint
from optimizer.kept import Kept
from optimizer.modes import Infeasible, Market, quote
from optimizer.options import Options
from optimizer.outlook import Outlook, outlook_of
from optimizer.proposal import Proposal, grounds, market_of, propose, today_of
from optimizer.prospect import Prospect, prospect_of
from optimizer.readiness import assess
from optimizer.rightsize import RightSized, right_sized, spot_of
from optimizer.scaling import past_reckoning
from optimizer.tenancy import Tenancy, tenancy_of

MORE_HISTORY = "more history of the load, without gaps, up to now"
CAPACITY = "declare `capacity_rps`, or let latency and ready replicas be scraped while the load varies"
UNITS = "a load and a `capacity_rps` that are both in requests/s"
LIMITS = "other bounds, modes, SLO or prices, under which some mode can hold the SLO"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotReady:
    """No plan can be made of what is known, because; `needs` would make one possible."""

    reasons: tuple[Reason, ...]
    needs: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ready:
    """The plan of a workload by itself, what it starts from, and the workload as a tenant (or why it is none).

    `allocation` is what one replica asks for, `if_kept` what is told instead where what runs today is kept,
    `tenant_size` what a replica takes of a shared host, `rate_rps` the mean of the week ahead, `certainty` the shares that its confidence is the product of.
    """

    proposal: Proposal
    grounds: tuple[Reason, ...]
    certainty: Mapping[str, float]
    ahead: Prospect
    evidence: Evidence
    tenancy: Tenancy | Unknown
    allocation: Allocation
    if_kept: Told | None
    tenant_size: Resources
    rate_rps: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Draft:
    """What was found, the hash of all that it was found from, what it costs today, what is out of the ordinary."""

    inputs_sha256: str
    current: Configuration | Unknown
    found: Ready | NotReady
    anomalies: Mapping[str, Json] = field(default_factory=dict)


def draft(observation: Observation, book: PriceBook, options: Options, previous: Recommendation | None, /) -> Draft:
    """Everything about one workload by itself; "now" is `observation.observed_at`, and nothing later is seen.

    The same inputs give the same answer, to the last bit. ValueError for signals that do not share a
    grid, KeyError for an unknown `options.policy`.
    """
    inputs_sha256 = fingerprint(observation, book, options, previous)
    work = in_usual_requests(observation, options.capacity)
    study = studied(work, options.capacity)
    market = market_of(work.observation, study.capacity, book, options.modes)
    current = today_of(work.observation, market, options.replay.window)
    case = Case(
        observation=work.observation,  # from here on the load is in requests as they usually are
        options=options,
        previous=previous,
        inputs_sha256=inputs_sha256,
        current=current,
        anomalies=anomalies_of(observation, current),
    )
    return Draft(
        inputs_sha256=inputs_sha256, current=current, anomalies=case.anomalies, found=_found(case, market, study)
    )


def _found(case: Case, market: Market | Unknown, study: CapacityStudy) -> Ready | NotReady:
    observation, options = case.observation, case.options
    unready = assess(observation.load, observed_at=observation.observed_at, limits=options.readiness)
    if unready or isinstance(observation.load, Unknown):
        return NotReady(reasons=unready, needs=MORE_HISTORY)
    if isinstance(market, Unknown):
        because = (Reason(code="no_capacity", detail=market.reason), *reasons_of(study, options.capacity))
        return NotReady(reasons=because, needs=CAPACITY)
    load = observation.load.until(observation.observed_at)
    why = past_reckoning(load, market.sizing.capacity_rps)
    if why is not None:
        return NotReady(reasons=(Reason(code="no_capacity", detail=why),), needs=UNITS)
    outlook = outlook_of(load, market, options)
    if isinstance(outlook, Unknown):
        return NotReady(reasons=(Reason(code="no_forecast", detail=outlook.reason),), needs=MORE_HISTORY)
    return planned(case, market, study, outlook)


def planned(case: Case, market: Market, study: CapacityStudy, outlook: Outlook, /) -> Ready | NotReady:
    """The plan of a workload whose week ahead is known."""
    observation, options = case.observation, case.options
    sized = right_sized(observation, market, outlook.demand(), options)
    because = (*grounds(observation, reasons_of(study, options.capacity), outlook), *sized.reasons)
    proposal = propose(observation, sized.market, outlook, options, sized.answers)
    if isinstance(proposal, Infeasible):
        return NotReady(reasons=(*because, Reason(code="no_mode", detail=proposal.reason)), needs=LIMITS)
    ahead = prospect_of(outlook, proposal, options)
    return Ready(
        proposal=proposal,
        grounds=because,
        certainty=certainty(outlook, market.capacity),
        ahead=ahead,
        evidence=evidence_of(case, outlook, proposal, ahead, study=study, sized=sized),
        tenancy=tenancy_of(sized.shared, outlook, _shared_too(sized, outlook, proposal), options),
        allocation=sized.allocation,
        if_kept=None if proposal.kept is None else _if_kept(observation, sized, proposal.kept),
        tenant_size=sized.shared.workload.resources,
        rate_rps=float(np.mean(outlook.forecasting.forecast.mean)),
    )


def _if_kept(observation: Observation, sized: RightSized, kept: Kept) -> Told:
    eligible, why = spot_of(sized.market, kept.quote)
    allocation = priced_for(
        sized.allocation,
        size=sized.market.workload.resources,
        declared=observation.workload.resources,
        usd=kept.quote.usd_per_month,
        spot_eligible=eligible,
    )
    return Told(allocation=allocation, prices=kept_prices(observation, sized.market, kept), spot=why)


def _shared_too(sized: RightSized, outlook: Outlook, proposal: Proposal) -> Proposal:
    """The proposal with the share of a host asked for by the size that it has as a tenant."""
    if sized.shared is sized.market:
        return proposal
    answer = quote(sized.shared, outlook.demand(), ServingMode.SHARED)
    return replace(proposal, answers={**proposal.answers, ServingMode.SHARED: answer})
