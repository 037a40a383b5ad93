"""Reading a capacity from pairs: which fit is believed, where it meets the SLO, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.capacity import CapacityBasis, CapacityModel
from domain.unknown import Unknown
from optimizer.capacity.fits import FITTERS, Fit, Fitter, binned
from optimizer.capacity.options import CapacityOptions
from optimizer.capacity.pairs import OVERLOADED, Pairs

NEARLY_EQUAL = 0.98  # of the curve's error: a staircase has to do better than that to be believed
FEWEST_NEAR = 20  # held-out steps near the SLO that say which fit is better there


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One fit, its error on days that it had not seen (mean absolute log latency), and its load at the SLO.

    A load of 0 or inf: it is always, or never, over the SLO.
    """

    name: str
    error: float
    fit: Fit
    at_slo_rps: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the pairs say: a capacity or why there is none, and the fits it was chosen from, the believed one first."""

    capacity: CapacityModel | Unknown
    fits: tuple[Compared, ...]


def read(pairs: Pairs, slo_s: float, options: CapacityOptions) -> Reading:
    """The load at which the better fit meets the SLO, with an interval, or a lower bound of it."""
    fits = compare(pairs, slo_s, options)
    return Reading(capacity=_capacity(pairs, slo_s, options, fits[0] if fits else None), fits=fits)


def compare(pairs: Pairs, slo_s: float, options: CapacityOptions) -> tuple[Compared, ...]:
    """Every fit that could be made, the one with the least error on held-out days first; ties are the curve's."""
    found = []
    for name, fitter in FITTERS.items():
        fit = fitter(pairs, slo_s, options, None)
        if fit is not None:
            error = held_out_error(pairs, slo_s, options, fitter, fit)
            found.append(Compared(name=name, error=error, fit=fit, at_slo_rps=fit.load_at(slo_s)))
    return tuple(sorted(found, key=lambda each: each.error * (NEARLY_EQUAL if each.name == "queueing" else 1.0)))


def held_out_error(pairs: Pairs, slo_s: float, options: CapacityOptions, fitter: Fitter, whole: Fit) -> float:
    """Mean absolute error of log latency on days left out, on steps near the SLO where there are enough of them.

    Overloaded steps count as at most that; inf where nothing could be held out.
    """
    groups = pairs.groups
    names = np.unique(groups)
    errors, near = [np.empty(0)], [np.empty(0, dtype=np.bool_)]
    for first in range(min(options.folds, len(names))):
        out = np.isin(groups, names[first :: options.folds])
        fit = fitter(pairs.rows(~out), slo_s, options, whole) if not out.all() else None
        if fit is not None:
            most = OVERLOADED * slo_s
            said, was = np.minimum(fit.at(pairs.load_rps[out]), most), np.minimum(pairs.latency_s[out], most)
            errors.append(np.abs(np.log(said / was)))
            near.append((np.minimum(said, was) < most) & (np.maximum(said, was) > slo_s / OVERLOADED))
    every, close = np.concatenate(errors), np.concatenate(near)
    chosen = every[close] if close.sum() >= FEWEST_NEAR else every
    return float(chosen.mean()) if len(chosen) else float("inf")


def _capacity(
    pairs: Pairs, slo_s: float, options: CapacityOptions, believed: Compared | None
) -> CapacityModel | Unknown:
    usual = float(np.quantile(pairs.load_rps, 0.99))
    held = highest_held(pairs, slo_s, options)
    crossing = believed.at_slo_rps if believed else float("inf")
    if held == 0.0 and not 0.0 < crossing <= options.reach * usual:
        return Unknown(f"it was above its SLO of {slo_s:g} s at every usual load, so no load is known to hold it")
    if believed is None or crossing > options.reach * usual:
        said = f"at least {held:.3g} requests/s, never observed above; a load test would tell more"
        return CapacityModel(rate_rps=held, low_rps=held, high_rps=None, basis=CapacityBasis.LOWER_BOUND, detail=said)
    rate = crossing or held
    low, high = interval(pairs, slo_s, options, believed)
    before, after = around(pairs, rate, options)
    said = f"learned from {len(pairs)} steps ({believed.name} fit): its SLO of {slo_s:g} s is reached at {rate:.3g} requests/s"
    return CapacityModel(
        rate_rps=rate,
        low_rps=min(low, rate, before),
        high_rps=max(high, rate, after),
        basis=CapacityBasis.LEARNED,
        detail=said,
    )


def around(pairs: Pairs, rate_rps: float, options: CapacityOptions) -> tuple[float, float]:
    """The loads seen next below and above one that lies in a gap of what was seen; the load itself where it does not."""
    load, _ = binned(pairs, options.bins)
    place = int(np.searchsorted(load, rate_rps))
    if not 0 < place < len(load) or load[place] - load[place - 1] <= options.gap * rate_rps:
        return rate_rps, rate_rps
    return float(load[place - 1]), float(load[place])


def highest_held(pairs: Pairs, slo_s: float, options: CapacityOptions) -> float:
    """The load, as medians of equally filled bins, that parts best those that held the SLO from those that did not.

    Of equally good ones the lowest; 0 where the SLO was mostly missed from the lowest load on.
    """
    load, latency = binned(pairs, options.bins)
    missed = latency > slo_s
    wrong = np.concatenate([[0], np.cumsum(missed)]) + np.concatenate([np.cumsum(~missed[::-1])[::-1], [0]])
    kept = int(np.argmin(wrong))
    return float(load[kept - 1]) if kept else 0.0


def interval(pairs: Pairs, slo_s: float, options: CapacityOptions, believed: Compared) -> tuple[float, float]:
    """Bootstrap over whole days (days differ more than minutes do): the crossing's central range."""
    rng = np.random.default_rng(options.seed)
    groups = pairs.groups
    rows = [np.flatnonzero(groups == name) for name in np.unique(groups)]
    crossings = []
    for _ in range(options.resamples):
        drawn = np.concatenate([rows[i] for i in rng.integers(len(rows), size=len(rows))])
        fit = FITTERS[believed.name](pairs.rows(drawn), slo_s, options, believed.fit)
        if fit is not None:
            crossings.append(min(fit.load_at(slo_s), options.reach * float(pairs.load_rps.max())))
    tail = (1.0 - options.interval) / 2
    if not crossings:
        return believed.at_slo_rps, believed.at_slo_rps
    low, high = np.quantile(crossings, [tail, 1.0 - tail])
    return float(low), float(high)
