"""How units (whole machines, or a share of one) are bought: reserved, on demand, spot.

What is always on is reserved, where the discount of the commitment outweighs the hours it stands
idle: level v is worth reserving while it is used for more than (1 - discount) of the time (the
newsvendor's rule). Above it, spot carries what an on-demand floor leaves over, if interruptions fit
into a share of the error budget. Where a history of availability is known, replay on it says what spot
holds, costs and loses (`optimizer.spot`). Elsewhere the published interruptions do: a machine
with hazard h per hour is away for what its notice does not cover of a start-up, so spot share * h * that
time is missed. On demand buys the rest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

import numpy as np

from domain.load import Floats
from domain.plan import Reason
from domain.prices import HOURS_PER_MONTH, Commitment, InstanceOffer
from domain.unknown import Unknown
from optimizer.demand import Spread
from optimizer.spot import SpotPrior, SpotProof, SpotYield


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseOptions:
    """What may be bought. A commitment needs a history of at least `committing_history`.

    Spot may use `spot_budget_share` of the error budget and never more than leaves `firm_share` of
    the units on demand or reserved. With `spot_needs_proof` it is bought only where a history of its availability
    speaks for it, not on published interruptions; a history that ends more than `availability_age` before the
    decision is not trusted. `notice` is the warning before a machine is taken back.
    """

    max_term: timedelta = timedelta(days=365)
    max_upfront_share: float = 0.0
    committing_history: timedelta = timedelta(days=28)
    spot: bool = True
    spot_needs_proof: bool = False
    firm_share: float = 0.5
    spot_budget_share: float = 0.25
    notice: timedelta = timedelta(seconds=30)
    availability_age: timedelta = timedelta(days=90)
    spot_prior: SpotPrior = field(default_factory=SpotPrior)


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """What a plan knows of itself when it buys: its history, its start-up and its error budget."""

    history: timedelta
    startup: timedelta
    budget: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotAllowance:
    """At most `share` of the units may be spot, and `why`, or why none may.

    What comes of them is what replay showed (`yields`), or else all of them with `lost` of their work missed.
    """

    share: float
    why: str
    yields: SpotYield | None = None
    lost: float = 0.0

    def of(self, units: Floats) -> tuple[Floats, Floats, Floats]:
        """Units on spot, units on demand in their place, and units missing, for so many units meant for spot."""
        if self.yields is not None:
            return self.yields.of(units)
        return units, np.zeros_like(units), units * self.lost


NO_SPOT = SpotAllowance(share=0.0, why="spot is switched off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How units are bought, once decided: `reserved` of them, and of the others what `spot` allows."""

    commitment: Commitment | None = None
    reserved: float = 0.0
    spot: SpotAllowance = NO_SPOT


class Bought(NamedTuple):
    """Mean units held in each way, USD per hour for all of them, and mean units missing because spot was taken back."""

    reserved: float
    on_demand: float
    spot: float
    usd_per_hour: float
    missed: float


def decide(
    units: Spread,
    base: Spread,
    offer: InstanceOffer,
    *,
    commitments: Sequence[Commitment],
    risk: Risk,
    options: PurchaseOptions,
    proof: SpotProof | Unknown | None = None,
) -> tuple[Terms, tuple[Reason, ...]]:
    """The cheapest terms for holding `units`, of which `base` is sure; with why each way was (not) taken.

    `proof` is what the history of the offer's spot availability shows, None where there is none.
    """
    commitment, why_reserved = committed(offer, commitments, risk, options)
    spot = allowed_spot(offer, risk, options, proof)
    reserved = base.exceeding(1.0 - commitment.discount) if commitment else 0.0
    firm = min(reserved, float(math.floor(base.exceeding(1.0) * (1.0 - spot.share))))
    choices = [
        Terms(commitment=commitment if held else None, reserved=held, spot=allowance)
        for held in sorted({0.0, firm, reserved})
        for allowance in ((NO_SPOT, spot) if spot.share > 0 else (NO_SPOT,))
    ]
    tried = [(bought(units, offer, terms), terms) for terms in choices]
    held, best = min(tried, key=lambda pair: pair[0].usd_per_hour)
    return best, (_reserved_reason(best, why_reserved), _spot_reason(held, units, spot))


def bought(units: Spread, offer: InstanceOffer, terms: Terms) -> Bought:
    """What holding `units` under `terms` comes to. Reserved units are paid for whether used or not."""
    on_demand = float(np.maximum(0.0, units.values - terms.reserved) @ units.weights)
    spot = missed = 0.0
    if terms.spot.share > 0:
        firm = np.minimum(units.values, np.maximum(1.0, np.ceil(units.values * (1.0 - terms.spot.share) - 1e-9)))
        meant = np.maximum(0.0, units.values - np.maximum(firm, terms.reserved))
        spot, instead, missed = (float(each @ units.weights) for each in terms.spot.of(meant))
        on_demand = on_demand - float(meant @ units.weights) + instead
    full = offer.on_demand.amount
    discount = terms.commitment.discount if terms.commitment else 0.0
    spot_usd = spot * offer.spot.amount if offer.spot else 0.0
    usd = terms.reserved * full * (1.0 - discount) + on_demand * full + spot_usd
    return Bought(terms.reserved, on_demand, spot, usd, missed)


def committed(
    offer: InstanceOffer, commitments: Sequence[Commitment], risk: Risk, options: PurchaseOptions
) -> tuple[Commitment | None, str]:
    """The deepest discount that may be promised for, or None and why."""
    if offer.task:
        return None, f"no commitment in the price book covers {offer.instance_type}, which is no machine"
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
        day = timedelta(days=1)
        needed = options.committing_history / day
        known = math.floor(risk.history / day * 10) / 10  # down, or 27.96 would be told as 28.0
        return None, f"{known:.1f} days of history are too short to commit on; needed: {needed:g}"
    best = max(fitting, key=lambda each: each.discount)
    return best, f"{best.name} takes {best.discount:.0%} off"


def allowed_spot(
    offer: InstanceOffer, risk: Risk, options: PurchaseOptions, proof: SpotProof | Unknown | None = None
) -> SpotAllowance:
    """What of the units may be spot, and why, or why none: by replay where availability is known, else as published."""
    if not options.spot:
        return NO_SPOT
    if options.firm_share >= 1.0:
        return SpotAllowance(share=0.0, why="settings keep every machine reserved or on demand")
    if offer.spot is None or offer.spot.amount >= offer.on_demand.amount:
        return SpotAllowance(share=0.0, why=f"{offer.instance_type} has no spot price below on-demand")
    if proof is not None:
        return _proved(offer, options, proof)
    if options.spot_needs_proof:
        why = f"no history of the availability of {offer.instance_type} is given, and settings ask for proof"
        return SpotAllowance(share=0.0, why=why)
    return _published(offer, risk, options)


def _proved(offer: InstanceOffer, options: PurchaseOptions, proof: SpotProof | Unknown) -> SpotAllowance:
    if isinstance(proof, Unknown):
        return SpotAllowance(share=0.0, why=proof.reason)
    seen = f"{offer.instance_type}: {proof.words()}"
    most = max((n for n, why in enumerate(proof.refused) if not why), default=0)
    if most == 0:
        why = proof.refused[1] if len(proof.refused) > 1 else "none could ever be had"
        return SpotAllowance(share=0.0, why=f"{seen}; on that history {why}")
    after = "" if proof.wait is None else f", each after {proof.wait / timedelta(hours=1):.1f} h without a break"
    said = f"{seen}; replayed on it up to {most} machines at once paid{after}"
    return SpotAllowance(share=1.0 - options.firm_share, why=said, yields=proof.yields)


def _published(offer: InstanceOffer, risk: Risk, options: PurchaseOptions) -> SpotAllowance:
    if offer.interruption_per_month is None:
        return SpotAllowance(share=0.0, why=f"no interruption figures are published for {offer.instance_type}")
    if offer.interruption_per_month >= 1.0:
        return SpotAllowance(share=0.0, why=f"interruptions of {offer.instance_type} have no published upper bound")
    missed = missed_share(offer.interruption_per_month, risk.startup, options.notice)
    affordable = 1.0 if missed <= 0 else options.spot_budget_share * risk.budget / missed
    share = min(1.0 - options.firm_share, affordable)
    why = f"interruptions of up to {offer.interruption_per_month:.0%} a month cost {missed:.2e} of requests"
    return SpotAllowance(share=share, why=f"{why}; at most {share:.0%} of the machines may be spot", lost=missed)


def missed_share(interruption_per_month: float, startup: timedelta, notice: timedelta) -> float:
    """Share of a machine's requests lost to interruptions: hazard -ln(1-p)/730 h times the uncovered start-up."""
    hazard = -math.log1p(-interruption_per_month) / HOURS_PER_MONTH
    return hazard * max(0.0, (startup - notice) / timedelta(hours=1))


def _reserved_reason(terms: Terms, why: str) -> Reason:
    code = "reserved" if terms.reserved else "not_reserved"
    said = f"{terms.reserved:.3g} machines always on: {why}" if terms.reserved else f"nothing reserved: {why}"
    return Reason(code=code, detail=said)


def _spot_reason(held: Bought, units: Spread, allowed: SpotAllowance) -> Reason:
    if held.spot > 0:
        lost = 100.0 * held.missed / units.mean
        said = f"{held.spot:.2g} machines on spot on average, which loses {lost:.2g} % of the requests: {allowed.why}"
        return Reason(code="spot", detail=said)
    others = "reserved and on-demand machines are cheaper here, although " if allowed.share > 0 else ""
    return Reason(code="no_spot", detail=f"no spot: {others}{allowed.why}")
