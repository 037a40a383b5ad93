"""The plan that leaves things as they are: today's mode and machine, bought as they are bought today."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from domain.observation import RunningState
from domain.plan import Plan, Reason
from domain.unknown import Unknown
from domain.workload import PurchaseMix, ServingMode
from optimizer.cost import purchase_factor, shallowest
from optimizer.costed import plan_of, schedule_reason
from optimizer.kept import Kept, words
from optimizer.machines import Fit
from optimizer.modes import MODES, Decided, Infeasible, Market, PriceUsed, Quote
from optimizer.modes.dedicated import prices_used
from optimizer.options import Options
from optimizer.outlook import Outlook
from optimizer.purchase import Bought, SpotAllowance, Terms, allowed_spot

ROUNDING = 0.05  # by which a declared share of spot may be over what is allowed: people round


def kept_of(market: Market, outlook: Outlook, running: RunningState | Unknown, options: Options) -> Kept | None:
    """What runs today, planned as everything is; None where it is not known, not allowed, or cannot hold the SLO.

    Nor is it kept where more of it is on spot than may be: then only the plan holds the SLO.
    """
    if isinstance(running, Unknown) or running.mode not in market.workload.modes:
        return None
    answer = MODES[running.mode](market, outlook.demand(), Decided(running.offer, Terms()))
    if isinstance(answer, Infeasible):
        return None
    lost = _lost_on_spot(market, running, answer)
    if lost is None:
        return None
    quote = replace(_as_bought(market, running, answer), spot_missed=lost)
    plan = _plan(market, running, plan_of(market, outlook, answer, options))
    bought = Reason(code="bought_as_today", detail=f"bought as today: {words(running.purchase)}")
    reasons = (*answer.reasons, bought, *schedule_reason(plan.calendar))
    firm = answer.usd_per_month * purchase_factor(market, running, spot_at_on_demand=True)
    return Kept(plan=replace(plan, reasons=reasons), quote=quote, without_spot_usd=firm, missed=outlook.missed + lost)


def _lost_on_spot(market: Market, running: RunningState, quote: Quote) -> float | None:
    """Share of the requests that today's spot machines are expected to lose; None where more is on spot than may be."""
    mix = running.purchase
    if running.mode is ServingMode.SERVERLESS or mix.spot <= 0:
        return 0.0
    fit = market.machines.by_name[running.offer]
    share = mix.spot / mix.replicas
    allowed = allowed_spot(fit.offer, market.risk, market.options.purchase, market.spot.get(running.offer))
    if share > allowed.share + ROUNDING:
        return None
    machines = quote.mean_replicas / fit.replicas
    return _missing(allowed, share * machines) / machines if machines > 0 else 0.0


def _missing(allowed: SpotAllowance, units: float) -> float:
    """Units missing while so many are held on spot: those of the least number asked for that held as many."""
    if allowed.yields is None:
        return units * allowed.lost
    asked = min(int(np.searchsorted(allowed.yields.spot, units)), len(allowed.yields.spot) - 1)
    return allowed.yields.missed[asked]


def _as_bought(market: Market, running: RunningState, quote: Quote) -> Quote:
    """The quote, which is all on demand, with today's purchase mix and its prices."""
    mix = running.purchase
    if running.mode is ServingMode.SERVERLESS or mix.replicas <= 0:
        return quote
    held = _scaled(mix, quote.mean_replicas)
    return replace(
        quote,
        usd_per_month=quote.usd_per_month * purchase_factor(market, running),
        purchase=held,
        prices=_prices(market, market.machines.by_name[running.offer], held),
    )


def _prices(market: Market, fit: Fit, held: PurchaseMix) -> tuple[PriceUsed, ...]:
    promised = shallowest(market.book.commitments, fit.offer.cloud) if held.reserved > 0 else None
    bought = Bought(held.reserved, held.on_demand, held.spot, 0.0, 0.0)
    return prices_used(fit.offer, bought, Terms(commitment=promised, reserved=held.reserved))


def _plan(market: Market, running: RunningState, plan: Plan) -> Plan:
    """The plan, which is all on demand, at the price of today's purchase mix; its upper end counts spot at on-demand."""
    mix, proposed = running.purchase, plan.proposed
    if running.mode is ServingMode.SERVERLESS or mix.replicas <= 0:
        return plan
    factor = purchase_factor(market, running)
    bought = replace(
        proposed,
        purchase=_scaled(mix, proposed.mean_replicas),
        usd_per_month=proposed.usd_per_month * factor,
    )
    dear = purchase_factor(market, running, spot_at_on_demand=True)
    return replace(
        plan,
        proposed=bought,
        usd_per_month_low=plan.usd_per_month_low * factor,
        usd_per_month_high=plan.usd_per_month_high * dear,
    )


def _scaled(mix: PurchaseMix, replicas: float) -> PurchaseMix:
    each = replicas / mix.replicas
    return PurchaseMix(reserved=mix.reserved * each, on_demand=mix.on_demand * each, spot=mix.spot * each)
