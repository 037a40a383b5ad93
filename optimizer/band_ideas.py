"""Ideas of the quantiles of load, from how much it differed from what was foretold.

By *days left out* (jackknife): how much each day differs from what the other days foretell of it.
Source: Barber, Candès, Ramdas & Tibshirani, Predictive inference with the jackknife+ (2021). It needs
no past forecast, so it speaks from the first days on. By *past errors* (split conformal prediction;
Vovk, Gammerman & Shafer, 2005): how much load differed from the combined paths that were given, and
for each candidate from its own. They know how far a path follows the level, which a day left out
cannot, but there are few of them, and those made on two or three days of history are larger than the
errors that a longer history makes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from domain.load import Floats
from optimizer.bands import Band, error_quantiles, spread
from optimizer.grid import WEEK_DAYS
from optimizer.past import Past
from optimizer.weighted import weighted_mean

DAYS = 28
LEAST_FOLDS = 4  # known, before the errors of the combination are used
LEAST_OWN = 7  # before those of one candidate are: on rest days it may err otherwise
EASED = (0.7, 1.0, 1.4)  # what upper margins are multiplied by, to try

LEFT_OUT: Mapping[str, tuple[Band, tuple[float, ...]]] = MappingProxyType(
    {
        "even": (Band(near_h=2.0, power=0.0), EASED),
        "brief": (Band(profile_fade=0.8, fade=0.85, alike=2.0), EASED),
        "by_hour": (Band(near_h=None, shrink=1.0), EASED),
        "by_hour_even": (Band(near_h=None, shrink=2.0, power=0.0), EASED),
        "by_hour_halfway": (Band(near_h=4.0, shrink=2.0, own=0.5), EASED),
        "same_hour": (Band(near_h=0.3, power=0.0, own=1.0), (1.0,)),
    }
)

PAST_ERRORS: Mapping[str, tuple[Band, tuple[float, ...]]] = MappingProxyType(
    {
        "missed": (Band(near_h=2.0), EASED),
        "missed_even": (Band(near_h=2.0, power=0.0), EASED),
        "missed_pooled": (Band(near_h=None), EASED),
    }
)

OWN_ERRORS = Band(near_h=None)
LEFT_OUT_BANDS = sum(len(factors) for _, factors in LEFT_OUT.values())


def left_out_bands(past: Past, path: Floats, floor: float) -> Floats:
    """The bands of days left out around `path` (origins, days, steps a day): (bands, origins, levels, days, steps a day).

    A band at 0.7 or 1.4 has its upper margins multiplied. Values are not cut at zero.
    """
    newest = past.newest(DAYS)
    scale = _scale(newest, floor)
    margins: dict[Band, Floats] = {}
    made = []
    for band, factors in LEFT_OUT.values():
        kind = replace(band, own=0.0)
        if kind not in margins:
            foretold = _left_out(newest, kind)
            errors = (newest.values - foretold) / spread(foretold, scale, kind)
            local = _local(errors, kind)
            margins[kind] = error_quantiles(errors / local, kind) * local
        middle = path if not band.own else (1 - band.own) * path + band.own * _profile(newest, path, band)
        margin = margins[kind][:, :, None, :] * spread(middle, scale, band)[:, None]
        made += [middle[:, None] + _eased(margin, factor) for factor in factors]
    return np.stack(made)


def past_error_bands(paths: Floats, given: Floats, came: Floats, floor: float, stand_in: Floats) -> Floats:
    """The bands of past errors, first those of the combination: (bands, levels, days, steps a day).

    `paths` (1 + candidates, days, steps a day) are the combination now and each candidate, `given` (folds,
    1 + candidates, steps a day) the same at earlier origins for their first day, newest first, and `came`
    (folds, steps a day) the load that followed. Where too few folds are known, `stand_in` (levels, days,
    steps a day) is the band.
    """
    given = np.moveaxis(given, 1, 0)
    folds = np.isfinite(given - came).any(axis=2).sum(axis=1)
    scale = np.asarray(_usual(came, floor))
    made: list[Floats] = []
    for band, factors in PAST_ERRORS.values():
        margin = _margins(paths[:1], given[:1], came, scale, band)[0]
        made += [paths[0] + _eased(margin, factor) if folds[0] >= LEAST_FOLDS else stand_in for factor in factors]
    own = _margins(paths[1:], given[1:], came, scale, OWN_ERRORS)
    known = zip(paths[1:], own, folds[1:] >= LEAST_OWN, strict=True)
    made += [path + margin if enough else stand_in for path, margin, enough in known]
    return np.stack(made)


def _margins(paths: Floats, given: Floats, came: Floats, scale: Floats, band: Band) -> Floats:
    """What to add to each of `paths` for the quantiles: (paths, levels, days, steps a day)."""
    quantiles = error_quantiles((came - given) / spread(given, scale, band), band)
    return np.asarray(quantiles[:, :, None, :] * spread(paths, scale, band)[:, None])


def _usual(came: Floats, floor: float) -> float:
    """The mean size of the known load, at least `floor`."""
    known = np.abs(came[np.isfinite(came)])
    return max(float(known.mean()), floor) if len(known) else floor


def _eased(margin: Floats, factor: float) -> Floats:
    return np.where(margin > 0, margin * factor, margin)


def _scale(past: Past, floor: float) -> Floats:
    """The mean load of the last two weeks, (origins, 1, 1); at least `floor`."""
    recent = past.values[:, : 2 * WEEK_DAYS]
    known = np.isfinite(recent)
    mean = np.where(known, np.abs(recent), 0.0).sum(axis=(1, 2)) / np.maximum(known.sum(axis=(1, 2)), 1)
    return np.asarray(np.maximum(mean, floor)[:, None, None])


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
