"""The use case: one workload's facts in, one recommendation out, with its reasons and its evidence."""

from __future__ import annotations

from dataclasses import replace

from domain.observation import Observation
from domain.plan import Reason, Recommendation
from domain.prices import PriceBook
from domain.unknown import Unknown
from optimizer.anomalies import anomalies_of
from optimizer.answer import Case, act, hold
from optimizer.capacity import in_usual_requests, reasons_of, studied
from optimizer.confidence import confidence_in
from optimizer.evidence import evidence_of
from optimizer.fingerprint import fingerprint
from optimizer.guardrails import Context, Refused, guarded, guardrails
from optimizer.modes import Infeasible
from optimizer.options import Options
from optimizer.outlook import outlook_of
from optimizer.proposal import grounds, market_of, propose, today_of
from optimizer.prospect import prospect_of, scheduled_too
from optimizer.readiness import assess
from optimizer.rightsize import right_sized

MORE_HISTORY = "more history of the load, without gaps, up to now"
CAPACITY = "declare `capacity_rps`, or let latency and ready replicas be scraped while the load varies"
LIMITS = "other bounds, modes, SLO or prices, under which some mode can hold the SLO"


def recommend(
    observation: Observation, book: PriceBook, options: Options, previous: Recommendation | None, /
) -> Recommendation:
    """Act on a plan, or hold and say why; "now" is `observation.observed_at`, and nothing later is seen.

    The same inputs give the same answer, to the last bit. ValueError for signals that do not share a
    grid, KeyError for an unknown `options.policy`.
    """
    inputs_sha256 = fingerprint(observation, book, options, previous)
    work = in_usual_requests(observation, options.capacity)
    asked, observation = observation, work.observation  # from here on the load is in requests as they usually are
    study = studied(work, options.capacity)
    carried = reasons_of(study, options.capacity)
    market = market_of(observation, study.capacity, book, options.modes)
    current = today_of(observation, market, options.replay.window)
    case = Case(
        observation=observation,
        options=options,
        previous=previous,
        inputs_sha256=inputs_sha256,
        current=current,
        anomalies=anomalies_of(asked, current),
    )
    unready = assess(observation.load, observed_at=observation.observed_at, limits=options.readiness)
    if unready or isinstance(observation.load, Unknown):
        return hold(case, unready, MORE_HISTORY)
    if isinstance(market, Unknown):
        return hold(case, (Reason(code="no_capacity", detail=market.reason), *carried), CAPACITY)
    outlook = outlook_of(observation.load.until(observation.observed_at), market, options)
    if isinstance(outlook, Unknown):
        return hold(case, (Reason(code="no_forecast", detail=outlook.reason),), MORE_HISTORY)
    sized = right_sized(observation, market, outlook.demand(), options)
    because = (*grounds(observation, carried, outlook), *sized.reasons)
    proposal = propose(observation, sized.market, outlook, options)
    if isinstance(proposal, Infeasible):
        return hold(case, (*because, Reason(code="no_mode", detail=proposal.reason)), LIMITS)
    confidence, trust = confidence_in(outlook, market.capacity, proposal.plan, case.current)
    ahead = prospect_of(outlook, proposal, options)
    because = (*because, *ahead.reasons(proposal.plan.proposed.mode))
    evidence = evidence_of(case, outlook, proposal, ahead, study=study, sized=sized)
    context = Context(
        options=options.guardrails,
        current=case.current,
        kept=proposal.kept,
        prices=proposal.quote.prices,
        confidence=confidence,
        missed=proposal.missed,
        missed_today=proposal.missed_today,
    )
    try:
        plan = guarded(proposal.because(*because, trust), observation, guardrails(context))
    except Refused as refusal:
        return hold(case, (*because, trust, refusal.reason), refusal.needs, evidence)
    return act(case, replace(scheduled_too(plan, ahead), allocation=sized.allocation), confidence, evidence)
