"""Quantiles around a path, from how much each day differs from what the other days foretell (jackknife).

Source: Barber, Candès, Ramdas & Tibshirani, Predictive inference with the jackknife+ (2021). Errors
of past forecasts would be the plain choice, but those made on two or three days of history are much
larger than the errors that a longer history makes; a day left out is judged by nearly all the others.
Errors count in units of a spread that depends on the load, and by time of day: hours nearby count more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from domain.load import Floats
from optimizer.grid import WEEK_DAYS
from optimizer.past import Past
from optimizer.weighted import middle_mean, weighted_mean

DAYS = 28
LEVELS = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995)
JUDGED = MappingProxyType({0.9: 0.5, 0.95: 1.0, 0.99: 2.0})  # levels whose losses weigh the bands, made equal in size
RATE = 4.0
FADE = 0.9
FEW_DAYS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """One idea of the spread: hours nearby, growth with load, memory in days, likeness of days.

    `near_h` None pools the whole day; `power` 0 is a spread that does not depend on the load, 0.5
    one that grows with its root; `alike` is how often a day of the same kind (working day, rest day)
    counts; `own` the share of the band's own profile in its middle. With `shrink`, errors are also
    measured by what is usual at their time of day; so many days of the overall size are mixed in.
    """

    near_h: float | None = 1.5
    power: float = 0.5
    profile_fade: float = 0.95
    fade: float = 0.95
    alike: float = 6.0
    own: float = 0.0
    shrink: float | None = None


BANDS: Mapping[str, tuple[Band, tuple[float, ...]]] = MappingProxyType(
    {
        "root": (Band(), (0.7, 1.0, 1.4)),
        "pooled": (Band(near_h=None), (1.0,)),
        "even": (Band(near_h=2.0, power=0.0), (0.7, 1.0, 1.4)),
        "brief": (Band(profile_fade=0.8, fade=0.85, alike=2.0), (0.7, 1.0, 1.4)),
        "profile": (Band(own=1.0), (1.0,)),
        "halfway": (Band(own=0.5), (0.7, 1.0, 1.4)),
        "by_hour": (Band(near_h=None, shrink=1.0), (0.7, 1.0, 1.4)),
        "by_hour_even": (Band(near_h=None, shrink=2.0, power=0.0), (0.7, 1.0, 1.4)),
        "by_hour_halfway": (Band(near_h=4.0, shrink=2.0, own=0.5), (0.7, 1.0, 1.4)),
        "same_hour": (Band(near_h=0.3, power=0.0, own=1.0), (1.0,)),
    }
)


def bands(past: Past, path: Floats, floor: float) -> Floats:
    """Every band around `path` (origins, days, steps a day): (bands, origins, levels, days, steps a day).

    A band at 0.7 or 1.4 has its upper margins multiplied. Values are not cut at zero.
    """
    newest = past.newest(DAYS)
    scale = _scale(newest, floor)
    margins: dict[Band, Floats] = {}
    made = []
    for band, factors in BANDS.values():
        kind = replace(band, own=0.0)
        if kind not in margins:
            foretold = _left_out(newest, kind)
            errors = (newest.values - foretold) / _spread(foretold, scale, kind)
            local = _local(errors, kind)
            margins[kind] = _error_quantiles(errors / local, kind) * local
        middle = path if not band.own else (1 - band.own) * path + band.own * _profile(newest, path, band)
        margin = margins[kind][:, :, None, :] * _spread(middle, scale, band)[:, None]
        made += [middle[:, None] + np.where(margin > 0, margin * factor, margin) for factor in factors]
    return np.stack(made)


def band_losses(band: Floats, actual: Floats, quantile: float) -> Floats:
    """Pinball loss of each band on each fold, over the `JUDGED` levels and `quantile`: (bands, folds).

    `band` is (bands, folds, levels, steps a day), `actual` (folds, steps a day); NaN for a fold of
    which nothing is known.
    """
    known = np.isfinite(actual)
    counts = known.sum(axis=1)
    loss = np.zeros(band.shape[:2])
    for level, weight in {**JUDGED, quantile: JUDGED.get(quantile, 1.0)}.items():
        off = actual - at_levels(np.moveaxis(band, 2, 0), (level,))[0]
        pinball = np.where(known, np.maximum(level * off, (level - 1) * off), 0.0)
        loss += weight * pinball.sum(axis=2) / np.maximum(counts, 1)
    loss[:, counts == 0] = np.nan
    return loss


def trust(loss: Floats) -> Floats:
    """Weights of the bands from their losses on folds, newest first, fading; even while no fold is known."""
    days = np.logical_and.reduce(np.isfinite(loss), axis=0)
    if not days.any():
        return np.full(len(loss), 1 / len(loss))
    fade = FADE ** np.arange(len(days)) * days
    mean = np.where(days, loss, 0.0) @ fade / fade.sum()
    raw = np.exp(-RATE * (mean / (mean.min() + 1e-12 * (1 + mean.max())) - 1))
    return np.asarray(raw / raw.sum())


def blend(band: Floats, weight: Floats, path: Floats) -> Floats:
    """One set of rising quantiles from all bands: (levels, days, steps a day); the median is the path.

    `band` is (bands, levels, days, steps a day), `path` (days, steps a day).
    """
    mixed = middle_mean(band, weight[:, None, None, None])
    middle = LEVELS.index(0.5)
    mixed[:middle] = np.minimum(mixed[:middle], path)
    mixed[middle] = path
    mixed[middle + 1 :] = np.maximum(mixed[middle + 1 :], path)
    return np.asarray(np.maximum.accumulate(mixed, axis=0))


def at_levels(rows: Floats, levels: tuple[float, ...]) -> Floats:
    """Quantiles at any `levels` from rows at `LEVELS` (first axis), linear in the normal score.

    Beyond the outermost levels the outermost slope goes on, as the tail of a normal law would.
    """
    from scipy.special import ndtri  # noqa: PLC0415  a second that only a fit should pay

    known, wanted = ndtri(np.asarray(LEVELS)), ndtri(np.asarray(levels))
    right = np.clip(np.searchsorted(known, wanted), 1, len(known) - 1)
    share = (wanted - known[right - 1]) / (known[right] - known[right - 1])
    share = share.reshape(-1, *([1] * (rows.ndim - 1)))
    return np.asarray(rows[right - 1] + share * (rows[right] - rows[right - 1]))


def _scale(past: Past, floor: float) -> Floats:
    """The mean load of the last two weeks, (origins, 1, 1); at least `floor`."""
    recent = past.values[:, : 2 * WEEK_DAYS]
    known = np.isfinite(recent)
    mean = np.where(known, np.abs(recent), 0.0).sum(axis=(1, 2)) / np.maximum(known.sum(axis=(1, 2)), 1)
    return np.asarray(np.maximum(mean, floor)[:, None, None])


def _spread(load: Floats, scale: Floats, band: Band) -> Floats:
    return np.asarray((np.maximum(load, 0.0) / scale + 0.05) ** band.power * scale)


def _left_out(past: Past, band: Band) -> Floats:
    """What the other days foretell of each day: (origins, days, steps). A lone day foretells its own mean."""
    days = np.arange(past.values.shape[1])
    apart = np.abs(days[:, None] - days[None, :])
    calm = band.profile_fade**apart * np.where(apart % WEEK_DAYS == 0, 2.0, 1.0) * (apart > 0)
    kind = past.rest[:, :, past.per_day // 2]
    alike = np.where(kind[:, :, None] == kind[:, None, :], band.alike, 1.0) * calm
    known = np.isfinite(past.values)
    plain = np.where(known, past.values, 0.0)
    weight = alike @ known.astype(np.float64)
    total = alike @ plain
    lone = plain.sum(axis=2) / np.maximum(known.sum(axis=2), 1)
    return np.asarray(np.where(weight > 0, total / np.where(weight > 0, weight, 1.0), lone[:, :, None]))


def _local(errors: Floats, band: Band) -> Floats:
    """How large errors are at each time of day against all times of day: (origins, 1, steps)."""
    count, days, per_day = errors.shape
    if band.shrink is None:
        return np.ones((count, 1, per_day))
    known = np.isfinite(errors)
    fade = band.fade ** np.arange(days)[None, :, None] * known
    size = np.where(known, np.abs(errors), 0.0) * fade
    pooled = size.sum(axis=(1, 2)) / np.maximum(fade.sum(axis=(1, 2)), 1e-12)
    pooled = np.where(pooled > 0, pooled, 1.0)[:, None]
    here = (size.sum(axis=1) + band.shrink * pooled) / (fade.sum(axis=1) + band.shrink)
    return np.asarray((here / pooled)[:, None, :])


def _profile(past: Past, path: Floats, band: Band) -> Floats:
    """The fading mean of days like each day ahead; the path where a time of day was never seen."""
    days = np.arange(past.values.shape[1])
    rows = np.moveaxis(past.values, 1, 0)
    kinds = np.moveaxis(past.rest, 1, 0)
    made = []
    for ahead in range(past.days_ahead):
        same = (days + 1 + ahead) % WEEK_DAYS == 0
        weights = (band.fade**days * np.where(same, 2.0, 1.0))[:, None, None]
        made.append(weighted_mean(rows, weights * np.where(kinds == past.rest_ahead[None, :, ahead], band.alike, 1.0)))
    profile = np.stack(made, axis=1)
    return np.where(np.isfinite(profile), profile, path)


def _error_quantiles(errors: Floats, band: Band) -> Floats:
    """Quantiles of the errors (origins, days, steps) at each time of day: (origins, levels, steps).

    Zero where no error is known. Under four known days hours further away count too, so that a
    quantile never rests on a handful of errors.
    """
    count, days, per_day = errors.shape
    nearness = _nearness(days, per_day, band.near_h, band.fade)
    made = np.zeros((count, len(LEVELS), per_day))
    for origin, pool in enumerate(errors.reshape(count, -1)):
        known = np.flatnonzero(np.isfinite(pool))
        if len(known):
            few = FEW_DAYS * per_day / len(known)
            near = nearness
            if few > 1 and band.near_h is not None:
                near = _nearness(days, per_day, band.near_h * few, band.fade)
            order = known[np.argsort(pool[known])]
            quantiles = [_quantiles(pool[order], weight) for weight in near[:, order]]
            made[origin] = np.stack(quantiles, axis=1) if len(quantiles) > 1 else quantiles[0][:, None]
    return made


def _quantiles(ranked: Floats, weight: Floats) -> Floats:
    """Weighted quantiles of rising values at `LEVELS`, linear between the middles of the weights."""
    share = np.cumsum(weight)
    return np.asarray(np.interp(np.array(LEVELS) * share[-1], share - 0.5 * weight, ranked))


def _nearness(days: int, per_day: int, near_h: float | None, fading: float) -> Floats:
    """Weight of each past step (days, newest first, times steps) for each time of day, which are the rows.

    One row where the whole day is pooled.
    """
    fade = np.repeat(fading ** np.arange(days), per_day)
    if near_h is None:
        return fade[None, :]
    hours = np.arange(per_day) * 24 / per_day
    apart = np.abs(hours[:, None] - hours[None, :])
    near = np.exp(-0.5 * (np.minimum(apart, 24 - apart) / near_h) ** 2) + 1e-12
    return np.asarray(np.tile(near, (1, days)) * fade)
