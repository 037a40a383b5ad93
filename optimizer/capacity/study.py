"""What one replica carries within every latency that is promised: the use case, from an observation to a capacity.

A declared capacity wins. Else it is learned from the steps since capacity last changed, for each promise by itself, and
the promise that breaks first decides. Either way production is read: where it contradicts what is declared, or where a
replica carries less than it did, that is said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from domain.capacity import CapacityBasis, CapacityModel
from domain.observation import Observation, TokenRates, VersionSeen
from domain.unknown import Unknown
from optimizer.capacity.drift import Drift, drift_of, speeds
from optimizer.capacity.fits import Fit
from optimizer.capacity.options import CapacityOptions
from optimizer.capacity.pairs import Bound, Pairs, bounds_of, pairs_of
from optimizer.capacity.reading import Compared, read
from optimizer.capacity.tokens import UsualRequest, Work

DECLARED_RESAMPLES = 10  # where the learned interval only has to tell whether what is declared lies far from it


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCapacity:
    """The load at which the SLO would have been met on the day that begins at `day`."""

    day: datetime
    rate_rps: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Learned:
    """What production says of one promise, since `drift` if there was one; `fits` has the believed one first."""

    bound: Bound
    capacity: CapacityModel | Unknown
    fits: tuple[Compared, ...] = ()
    drift: Drift | None = None
    by_day: tuple[DayCapacity, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CapacityStudy:
    """The capacity to decide with (Unknown says what is missing), and what production says of it.

    All loads are in `unit` (plain requests/s where that is Unknown). `learned` is of the promise that breaks first.
    """

    capacity: CapacityModel | Unknown
    learned: Learned
    unit: UsualRequest | Unknown


def studied(work: Work, options: CapacityOptions) -> CapacityStudy:
    """The capacity of one replica in the unit of `work`, seeing nothing after its observation's moment."""
    declared = declared_capacity(work)
    if isinstance(declared, CapacityModel):
        options = replace(options, resamples=DECLARED_RESAMPLES)
    learned = min((learn(work.observation, bound, options) for bound in bounds_of(work.observation)), key=_breaks_at)
    capacity = learned.capacity if isinstance(declared, Unknown) else declared
    if isinstance(capacity, Unknown) and isinstance(declared, Unknown):
        capacity = Unknown(f"{declared.reason}, and it cannot be learned: {capacity.reason}")
    return CapacityStudy(capacity=capacity, learned=learned, unit=work.unit)


def _breaks_at(learned: Learned) -> float:
    """What is not known may break at any load."""
    return 0.0 if isinstance(learned.capacity, Unknown) else learned.capacity.rate_rps


def learn(observation: Observation, bound: Bound, options: CapacityOptions) -> Learned:
    """What production says of one promise."""
    pairs = pairs_of(observation, bound, options)
    if isinstance(pairs, Unknown):
        return Learned(bound=bound, capacity=pairs)
    reading = read(pairs, bound.slo_s, options)
    if not reading.fits:
        return Learned(bound=bound, capacity=_named(reading.capacity, bound))
    fit = next((each.fit for each in reading.fits if each.name == "queueing"), reading.fits[0].fit)
    drift = _drift(pairs, fit, observation, bound, options)
    if drift is not None:
        reading = read(pairs.since(drift.step), bound.slo_s, options)
    return Learned(
        bound=bound,
        capacity=_named(reading.capacity, bound),
        fits=reading.fits,
        drift=drift,
        by_day=_by_day(pairs, fit, observation, bound, options),
    )


def _named(capacity: CapacityModel | Unknown, bound: Bound) -> CapacityModel | Unknown:
    """The capacity with the promise it is about in its words."""
    if isinstance(capacity, Unknown):
        return Unknown(f"{bound.name}: {capacity.reason}")
    return replace(capacity, detail=f"{bound.name}: {capacity.detail}")


def _drift(pairs: Pairs, fit: Fit, observation: Observation, bound: Bound, options: CapacityOptions) -> Drift | None:
    assert not isinstance(observation.load, Unknown)  # noqa: S101  there are pairs
    versions: tuple[VersionSeen, ...] = () if isinstance(observation.versions, Unknown) else observation.versions
    return drift_of(pairs, fit, bound.slo_s, options.drift, load=observation.load, versions=versions)


def _by_day(
    pairs: Pairs, fit: Fit, observation: Observation, bound: Bound, options: CapacityOptions
) -> tuple[DayCapacity, ...]:
    """Each day's capacity: where k * L(k * x) meets the SLO; days on which it never would are left out."""
    load = observation.load
    assert not isinstance(load, Unknown)  # noqa: S101  there are pairs
    told = speeds(pairs, fit, bound.slo_s, options.drift)
    days = [load.start + pairs.begin_of(int(day)) * load.step for day in told.days]
    rates = [fit.load_at(bound.slo_s / k) / k for k in told.slower.tolist()]
    return tuple(
        DayCapacity(day=day, rate_rps=rate) for day, rate in zip(days, rates, strict=True) if np.isfinite(rate)
    )


def declared_capacity(work: Work) -> CapacityModel | Unknown:
    """What the settings say a replica carries, in the unit of the work."""
    rate, tokens = work.observation.declared_capacity_rps, work.observation.tokens
    tps = tokens.declared_capacity_tps if isinstance(tokens, TokenRates) else None
    if not isinstance(rate, Unknown):
        return _as_declared(rate, f"declared: {rate:g} requests/s for one replica")
    if tps is None:
        return rate
    if isinstance(work.unit, Unknown):
        return Unknown(f"a capacity is declared in tokens/s, but load is not known in tokens ({work.unit.reason})")
    rate = tps / work.unit.tokens
    said = f"declared: {tps:g} tokens/s for one replica, {rate:.3g} requests/s of {work.unit.tokens:.3g} tokens"
    return _as_declared(rate, said)


def _as_declared(rate_rps: float, detail: str) -> CapacityModel:
    return CapacityModel(
        rate_rps=rate_rps, low_rps=rate_rps, high_rps=rate_rps, basis=CapacityBasis.DECLARED, detail=detail
    )
