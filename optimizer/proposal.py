"""From an outlook to one priced plan: how it is served, on what, how many, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from domain.capacity import CapacityModel
from domain.load import Floats, LoadHistory
from domain.observation import Observation
from domain.plan import Configuration, Plan, Reason
from domain.prices import PriceBook
from domain.unknown import Unknown
from domain.workload import ServingMode
from optimizer.as_today import kept_of
from optimizer.cost import missed_today, today
from optimizer.costed import plan_of, schedule_reason
from optimizer.demand import Sizing
from optimizer.kept import Kept
from optimizer.modes import Infeasible, Market, ModesOptions, Quote, quotes
from optimizer.options import Options
from optimizer.outlook import Outlook, recent_of
from optimizer.pairing import on_grid_of
from optimizer.policies import POLICIES, Answers
from optimizer.proving import spot_proofs
from optimizer.purchase import Risk
from optimizer.readiness import length_of_history

HOW_CHOSEN = {
    "least_cost": "the cheapest mode that holds the SLO",
    "rule_of_thumb": "the rule of thumb, not the price",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A plan, the quote it was made from, every mode's answer, and the plan that leaves things as they are.

    `missed` is the share of the recent requests that the plan's replicas would have missed, with what is
    expected to be lost on spot, and `missed_today` what the recorded ones did.
    """

    plan: Plan
    quote: Quote
    answers: Answers
    kept: Kept | None
    missed: float
    missed_today: float | Unknown

    def because(self, *grounds: Reason) -> Plan:
        """The plan with what it starts from in front of its own reasons."""
        return replace(self.plan, reasons=(*grounds, *self.plan.reasons))


def market_of(
    observation: Observation, capacity: CapacityModel | Unknown, book: PriceBook, options: ModesOptions
) -> Market | Unknown:
    """Everything that could be bought for the workload; Unknown where its load or capacity is."""
    if isinstance(capacity, Unknown):
        return capacity
    if isinstance(observation.load, Unknown):
        return observation.load
    workload, seen = observation.workload, observation.load.until(observation.observed_at)
    bounds, startup = workload.bounds, observation.time_to_ready.p90
    risk = Risk(history=length_of_history(seen), startup=startup, budget=workload.slo.budget)
    if workload.stateless is False:  # a machine that is taken away would take something with it
        options = replace(options, purchase=replace(options.purchase, spot=False))
    market = Market.of(
        workload,
        capacity=capacity,
        sizing=Sizing(
            capacity_rps=capacity.rate_rps,
            startup=startup,
            min_replicas=bounds.min_replicas,
            max_replicas=bounds.max_replicas,
            decision_interval=options.decision_interval,
        ),
        service_time_s=service_time_s(observation),
        risk=risk,
        book=book,
        options=options,
    )
    at, purchase = observation.observed_at, options.purchase
    return replace(market, spot=spot_proofs(workload, market.machines, book, at=at, risk=risk, options=purchase))


def today_of(observation: Observation, market: Market | Unknown, window: timedelta) -> Configuration | Unknown:
    """What runs today and its bill for the last `window` of load; Unknown where that cannot be told."""
    if isinstance(market, Unknown) or isinstance(observation.load, Unknown):
        return Unknown(f"it cannot be priced: {market.reason}" if isinstance(market, Unknown) else "no load is known")
    recent = recent_of(observation.load.until(observation.observed_at), window)
    if not np.isfinite(recent.values).any():
        return Unknown(f"it cannot be priced: none of the last {len(recent)} steps of load is known")
    return today(market, observation.running, recorded(observation, recent), recent)


def recorded(observation: Observation, load: LoadHistory) -> Floats:
    """Ready replicas at the steps of `load`, NaN where unknown."""
    if isinstance(observation.replicas, Unknown):
        return np.full(len(load), np.nan)
    return on_grid_of(load, observation.replicas)


def grounds(observation: Observation, capacity: tuple[Reason, ...], outlook: Outlook) -> tuple[Reason, ...]:
    """What the plan starts from: what was masked, capacity, forecast, today's misses, the scaling policy's words."""
    done = outlook.forecasting
    ahead = done.forecast
    said = [
        Reason(code="masked", detail=f"{m.start:%Y-%m-%d %H:%M} to {m.end:%H:%M} UTC: {m.detail}") for m in done.masked
    ]
    said.extend(capacity)
    said.append(
        Reason(code=f"time_to_ready_{observation.time_to_ready.basis}", detail=observation.time_to_ready.detail)
    )
    said.append(
        Reason(
            code="load_forecast",
            detail=f"{ahead.model}, planned at quantile {outlook.level:g}: "
            f"{float(np.mean(ahead.mean)):.3g} requests/s on average, {float(ahead.at(outlook.level).max()):.3g} at most",
        )
    )
    return (*said, *outlook.decisions.explanation.reasons)


def service_time_s(observation: Observation) -> float | Unknown:
    """Seconds one request takes; where unknown, the fastest quarter of its latencies bounds it from above."""
    stated, latency = observation.service_time_s, observation.latency
    if not isinstance(stated, Unknown):
        return stated
    if isinstance(latency, Unknown):
        return Unknown(f"{stated.reason}, and no latency is known")
    known = latency.until(observation.observed_at).values
    known = known[np.isfinite(known) & (known > 0)]
    return float(np.quantile(known, 0.25)) if len(known) else Unknown(f"{stated.reason}, and no latency is known")


def propose(
    observation: Observation, market: Market, outlook: Outlook, options: Options, known: Answers | None = None
) -> Proposal | Infeasible:
    """The plan of the policy that `options` name; Infeasible where that policy finds no way to hold the SLO.

    `known` are the modes' prices for the week ahead in this market, where somebody has asked for them before.
    """
    demand = outlook.demand()
    answers = quotes(market, demand) if known is None else known
    chosen = POLICIES[options.policy](market, demand, answers)
    if isinstance(chosen, Infeasible):
        return chosen
    reasons = (*_mode_reasons(answers, chosen, options.policy), *chosen.reasons)
    plan = plan_of(market, outlook, chosen, options)
    return Proposal(
        plan=replace(plan, reasons=(*reasons, *schedule_reason(plan.calendar))),
        quote=chosen,
        answers=answers,
        kept=kept_of(market, outlook, observation.running, options),
        missed=outlook.missed + chosen.spot_missed,
        missed_today=missed_today(
            outlook.recent.values, recorded(observation, outlook.recent), market.sizing.capacity_rps
        ),
    )


def _mode_reasons(answers: Answers, chosen: Quote, policy: str) -> tuple[Reason, ...]:
    """One reason for each mode that serves it by itself: refused and why, dearer, or chosen."""
    said = []
    for answer in answers.values():
        if answer.mode is ServingMode.SHARED and answer.mode is not chosen.mode:
            continue  # an estimate until it is known who lives with whom: `optimizer.settle` says what came of it
        if isinstance(answer, Infeasible):
            said.append(Reason(code="mode_infeasible", detail=_answered(answer)))
        elif answer.mode is not chosen.mode:
            said.append(Reason(code="mode_not_chosen", detail=_answered(answer)))
    detail = f"{HOW_CHOSEN[policy]}: {chosen.mode} on {chosen.offer}, {chosen.usd_per_month:,.2f} USD a month in the week ahead"
    said.append(Reason(code="mode_chosen", detail=detail))
    if chosen.short_of is not None:
        said.append(Reason(code="bounds_too_tight", detail=f"{chosen.short_of}; raise `max_replicas`"))
    return tuple(said)


def by_itself(proposal: Proposal) -> tuple[Reason, ...]:
    """What a workload that shares a host would cost in every other mode, or why it cannot be served so."""
    said = []
    for answer in proposal.answers.values():
        if answer.mode is not ServingMode.SHARED:
            code = "mode_infeasible" if isinstance(answer, Infeasible) else "mode_not_chosen"
            said.append(Reason(code=code, detail=_answered(answer)))
    return tuple(said)


def _answered(answer: Quote | Infeasible) -> str:
    if isinstance(answer, Infeasible):
        return f"{answer.mode}: {answer.reason}"
    return f"{answer.mode} on {answer.offer} would cost {answer.usd_per_month:.2f} USD a month"
