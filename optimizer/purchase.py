"""How units (whole machines, or a share of one) are bought: reserved, on demand, spot.

What is always on is reserved, where the discount of the commitment outweighs the hours it stands
idle: level v is worth reserving while it is used for more than (1 - discount) of the time (the
newsvendor's rule). Above it, spot carries what an on-demand floor leaves over, if interruptions fit
into a share of the error budget: a machine with hazard h per hour is away for what its notice does
not cover of a start-up, so spot share * h * that time is missed. On demand buys the rest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

import numpy as np

from domain.plan import Reason
from domain.prices import HOURS_PER_MONTH, Commitment, InstanceOffer
from optimizer.demand import Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseOptions:
    """What may be bought. A commitment needs a history of at least `committing_history`.

    Spot may use `spot_budget_share` of the error budget and never more than leaves `firm_share` of
    the units on demand or reserved. `notice` is the warning before a machine is taken back.
    """

    max_term: timedelta = timedelta(days=365)
    max_upfront_share: float = 0.0
    committing_history: timedelta = timedelta(days=28)
    spot: bool = True
    firm_share: float = 0.5
    spot_budget_share: float = 0.25
    notice: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """What a plan knows of itself when it buys: its history, its start-up and its error budget."""

    history: timedelta
    startup: timedelta
    budget: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How units are bought, once decided: `reserved` of them, and at most `spot_share` of the others."""

    commitment: Commitment | None = None
    reserved: float = 0.0
    spot_share: float = 0.0


class Bought(NamedTuple):
    """Mean units held in each way, and USD per hour for all of them."""

    reserved: float
    on_demand: float
    spot: float
    usd_per_hour: float


def decide(
    units: Spread,
    base: Spread,
    offer: InstanceOffer,
    *,
    commitments: Sequence[Commitment],
    risk: Risk,
    options: PurchaseOptions,
) -> tuple[Terms, tuple[Reason, ...]]:
    """The cheapest terms for holding `units`, of which `base` is sure; with why each way was (not) taken."""
    commitment, why_reserved = committed(offer, commitments, risk, options)
    spot_share, why_spot = allowed_spot(offer, risk, options)
    reserved = base.exceeding(1.0 - commitment.discount) if commitment else 0.0
    firm = min(reserved, float(math.floor(base.exceeding(1.0) * (1.0 - spot_share))))
    choices = [
        Terms(commitment=commitment if held else None, reserved=held, spot_share=share)
        for held in sorted({0.0, firm, reserved})
        for share in sorted({0.0, spot_share})
    ]
    best = min(choices, key=lambda terms: bought(units, offer, terms).usd_per_hour)
    return best, (_reserved_reason(best, why_reserved), _spot_reason(best, why_spot))


def bought(units: Spread, offer: InstanceOffer, terms: Terms) -> Bought:
    """What holding `units` under `terms` comes to. Reserved units are paid for whether used or not."""
    firm = np.minimum(units.values, np.maximum(1.0, np.ceil(units.values * (1.0 - terms.spot_share) - 1e-9)))
    covered = np.maximum(firm, terms.reserved)
    spot = float(np.maximum(0.0, units.values - covered) @ units.weights) if terms.spot_share > 0 else 0.0
    needed = float(np.maximum(0.0, units.values - terms.reserved) @ units.weights)
    on_demand = needed - spot
    full = offer.on_demand.amount
    discount = terms.commitment.discount if terms.commitment else 0.0
    spot_usd = spot * offer.spot.amount if offer.spot else 0.0
    usd = terms.reserved * full * (1.0 - discount) + on_demand * full + spot_usd
    return Bought(terms.reserved, on_demand, spot, usd)


def committed(
    offer: InstanceOffer, commitments: Sequence[Commitment], risk: Risk, options: PurchaseOptions
) -> tuple[Commitment | None, str]:
    """The deepest discount that may be promised for, or None and why."""
    fitting = [
        each
        for each in commitments
        if each.cloud == offer.cloud
        and each.term <= options.max_term
        and each.upfront_share <= options.max_upfront_share
    ]
    if not fitting:
        return None, f"no commitment of {offer.cloud} is within the allowed term and upfront payment"
    if risk.history < options.committing_history:
        days = risk.history / timedelta(days=1)
        return None, f"{days:.1f} days of history are too short to commit on; needed: {options.committing_history.days}"
    best = max(fitting, key=lambda each: each.discount)
    return best, f"{best.name} takes {best.discount:.0%} off"


def allowed_spot(offer: InstanceOffer, risk: Risk, options: PurchaseOptions) -> tuple[float, str]:
    """The share of units that may be spot, or 0 and why."""
    if not options.spot:
        return 0.0, "spot is switched off"
    if offer.spot is None or offer.spot.amount >= offer.on_demand.amount:
        return 0.0, f"{offer.instance_type} has no spot price below on-demand"
    if offer.interruption_per_month is None:
        return 0.0, f"no interruption figures are published for {offer.instance_type}"
    if offer.interruption_per_month >= 1.0:
        return 0.0, f"interruptions of {offer.instance_type} have no published upper bound"
    missed = missed_share(offer.interruption_per_month, risk.startup, options.notice)
    affordable = 1.0 if missed <= 0 else options.spot_budget_share * risk.budget / missed
    share = min(1.0 - options.firm_share, affordable)
    why = f"interruptions of up to {offer.interruption_per_month:.0%} a month cost {missed:.2e} of requests"
    return share, f"{why}; at most {share:.0%} of the machines may be spot"


def missed_share(interruption_per_month: float, startup: timedelta, notice: timedelta) -> float:
    """Share of a machine's requests lost to interruptions: hazard -ln(1-p)/730 h times the uncovered start-up."""
    hazard = -math.log1p(-interruption_per_month) / HOURS_PER_MONTH
    return hazard * max(0.0, (startup - notice) / timedelta(hours=1))


def _reserved_reason(terms: Terms, why: str) -> Reason:
    code = "reserved" if terms.reserved else "not_reserved"
    said = f"{terms.reserved:.3g} machines always on: {why}" if terms.reserved else f"nothing reserved: {why}"
    return Reason(code=code, detail=said)


def _spot_reason(terms: Terms, why: str) -> Reason:
    code = "spot" if terms.spot_share else "no_spot"
    return Reason(code=code, detail=why if terms.spot_share else f"no spot: {why}")
