"""One set of quantiles from many bands, each trusted by its pinball loss on past folds."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from domain.load import Floats
from optimizer.bands import LEVELS, at_levels
from optimizer.weighted import middle_mean

JUDGED = MappingProxyType({0.9: 0.5, 0.95: 1.0, 0.99: 2.0})  # levels whose losses weigh the bands, made equal in size
RATE = 4.0
FADE = 0.9
RIPE = 7.0  # folds
MIDDLE = (0.4, 0.6)  # of the weight of the bands, from low to high: what lies between is averaged


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


def trust(loss: Floats, left_out: int) -> Floats:
    """Weights of the bands from their losses on folds, newest first, fading; even while no fold is known.

    All but the first `left_out` bands are made of past errors, which are few where folds are few: with
    n folds they count for n / (n + `RIPE`).
    """
    days = np.logical_and.reduce(np.isfinite(loss), axis=0)
    if not days.any():
        return np.full(len(loss), 1 / len(loss))
    fade = FADE ** np.arange(len(days)) * days
    mean = np.where(days, loss, 0.0) @ fade / fade.sum()
    folds = np.count_nonzero(days)
    prior = np.where(np.arange(len(loss)) < left_out, 1.0, folds / (folds + RIPE))
    raw = prior * np.exp(-RATE * (mean / (mean.min() + 1e-12 * (1 + mean.max())) - 1))
    return np.asarray(raw / raw.sum())


def bound(band: Floats, weight: Floats, path: Floats, quantile: float) -> Floats:
    """`quantile` alone of what `blend` gives, for one day: (steps a day); `band` is that of each: (bands, steps a day)."""
    mixed = middle_mean(band, weight[:, None], *MIDDLE)
    return np.maximum(mixed, path) if quantile >= 0.5 else np.minimum(mixed, path)


def blend(band: Floats, weight: Floats, path: Floats) -> Floats:
    """One set of rising quantiles from all bands: (levels, days, steps a day); the median is the path.

    `band` is (bands, levels, days, steps a day), `path` (days, steps a day).
    """
    mixed = middle_mean(band, weight[:, None, None, None], *MIDDLE)
    middle = LEVELS.index(0.5)
    mixed[:middle] = np.minimum(mixed[:middle], path)
    mixed[middle] = path
    mixed[middle + 1 :] = np.maximum(mixed[middle + 1 :], path)
    return np.asarray(np.maximum.accumulate(mixed, axis=0))
