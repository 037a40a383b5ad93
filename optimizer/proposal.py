"""From an outlook to one priced plan: how it is served, on what, how many, and what that costs."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from domain.capacity import CapacityModel
from domain.load import Floats, LoadHistory
from domain.observation import Observation, RunningState
from domain.plan import CalendarStep, Configuration, Plan, Reason
from domain.prices import PriceBook
from domain.unknown import Unknown
from domain.workload import ServingMode
from optimizer.calendar import calendar
from optimizer.cost import missed_today, today, without_spot
from optimizer.demand import Sizing
from optimizer.modes import MODES, Decided, Infeasible, Market, ModesOptions, Quote, quotes, repriced
from optimizer.modes.shared import copies_of
from optimizer.options import Options
from optimizer.outlook import Outlook, recent_of
from optimizer.pairing import on_grid_of
from optimizer.policies import POLICIES
from optimizer.proving import spot_proofs
from optimizer.purchase import Risk, Terms
from optimizer.readiness import length_of_history

HOW_CHOSEN = {
    "least_cost": "the cheapest mode that holds the SLO",
    "rule_of_thumb": "the rule of thumb, not the price",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A plan, the quote it was made from, every mode's answer, and the plan that leaves mode and machine alone.

    `missed` is the share of the recent requests that the plan's replicas would have missed, with what is
    expected to be lost on spot, and `missed_today` what the recorded ones did.
    """

    plan: Plan
    quote: Quote
    answers: dict[ServingMode, Quote | Infeasible]
    kept: Plan | None
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


def propose(observation: Observation, market: Market, outlook: Outlook, options: Options) -> Proposal | Infeasible:
    """The plan of the policy that `options` name; Infeasible where that policy finds no way to hold the SLO."""
    demand = outlook.demand()
    answers = quotes(market, demand)
    chosen = POLICIES[options.policy](market, demand)
    if isinstance(chosen, Infeasible):
        return chosen
    reasons = (*_mode_reasons(answers, chosen, options.policy), *chosen.reasons)
    plan = _plan(market, outlook, chosen, options)
    return Proposal(
        plan=replace(plan, reasons=(*reasons, *_schedule_reason(plan.calendar))),
        quote=chosen,
        answers=answers,
        kept=_kept(market, outlook, observation.running, options),
        missed=outlook.missed + chosen.spot_missed,
        missed_today=missed_today(
            outlook.recent.values, recorded(observation, outlook.recent), market.sizing.capacity_rps
        ),
    )


def _plan(market: Market, outlook: Outlook, chosen: Quote, options: Options) -> Plan:
    """`chosen`, costed on the measured past; the range from what the week ahead may turn out to be.

    The upper end counts spot at the on-demand price.
    """
    measured = repriced(market, chosen, outlook.measured())
    usd = measured.usd_per_month if isinstance(measured, Quote) else chosen.usd_per_month
    shown = measured if isinstance(measured, Quote) else chosen
    ends = [repriced(market, chosen, demand) for demand in (outlook.least(), outlook.most())]
    low, high = (end.usd_per_month if isinstance(end, Quote) else usd for end in ends)
    dear = max(high, without_spot(market, chosen, outlook.most()))
    proposed = Configuration(
        replicas=_replicas_now(market, outlook, chosen),
        mean_replicas=shown.mean_replicas,
        mode=chosen.mode,
        purchase=shown.purchase,
        offer=chosen.offer,
        usd_per_month=usd,
    )
    schedule = _calendar(outlook, options) if chosen.mode is ServingMode.DEDICATED else ()
    return Plan(
        proposed=proposed, usd_per_month_low=min(low, usd), usd_per_month_high=max(dear, usd), calendar=schedule
    )


def _replicas_now(market: Market, outlook: Outlook, chosen: Quote) -> int:
    """What the scaling policy wants now; for serverless what runs at once at the newest known load."""
    if chosen.mode is ServingMode.DEDICATED:
        return int(outlook.decisions.desired[-1])
    if chosen.mode is ServingMode.SHARED:
        return copies_of(market, outlook.demand())
    known = outlook.recent.values[np.isfinite(outlook.recent.values)]
    service = market.service_time_s
    return 0 if isinstance(service, Unknown) or not len(known) else math.ceil(float(known[-1]) * service)


def _calendar(outlook: Outlook, options: Options) -> tuple[CalendarStep, ...]:
    ahead = outlook.forecasting.forecast
    wanted = outlook.sizing.replicas(ahead.at(options.calendar.level), ahead.step)
    return calendar(wanted, ahead.origin, ahead.step, startup=outlook.sizing.startup, options=options.calendar)


def _kept(market: Market, outlook: Outlook, running: RunningState | Unknown, options: Options) -> Plan | None:
    """The plan with today's mode and machine; None where they are unknown or cannot hold the SLO."""
    if isinstance(running, Unknown) or running.mode not in market.workload.modes:
        return None
    answer = MODES[running.mode](market, outlook.demand(), Decided(running.offer, Terms()))
    if isinstance(answer, Infeasible):
        return None
    plan = _plan(market, outlook, answer, options)
    return replace(plan, reasons=_schedule_reason(plan.calendar))


def _mode_reasons(answers: dict[ServingMode, Quote | Infeasible], chosen: Quote, policy: str) -> tuple[Reason, ...]:
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


def _schedule_reason(steps: tuple[CalendarStep, ...]) -> tuple[Reason, ...]:
    if len(steps) < 2:
        return ()
    counts = [step.replicas for step in steps]
    detail = f"scaled on a schedule: {len(steps) - 1} changes in the coming week, between {min(counts)} and {max(counts)} replicas"
    return (Reason(code="scheduled", detail=detail),)
