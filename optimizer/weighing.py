"""How much the back-test trusts each candidate, and the path that follows from it.

Weights fall exponentially with a candidate's fading mean absolute error in units of the best one's
(Vovk's aggregating rule with a relative loss), half by the whole day and half by its quarter. A
candidate that had nothing to say yet is charged what the middle one lost (sleeping experts, Freund,
Schapire, Singer & Warmuth, 1997, with a median for their mean). What each would have said of the last
hours counts besides, for where the level has just shifted no whole day has shown it yet. The combination
is the weighted median at each step: one candidate that runs away moves it nowhere.
"""

from __future__ import annotations

import numpy as np

from domain.load import Floats
from optimizer.weighted import weighted_median

RATE = 4.0  # a candidate that is a quarter worse than the best has 1/e of its weight
FADE = 0.9  # weight of each day's errors against those of the day after
PARTS = 4  # of a day
WARNED = 7  # folds after which what a candidate loses to the naive ones counts once more
DROPPED = 14  # folds after which a candidate that loses to the naive ones is dropped
LATELY = 0.4  # of a day's weight: the last quarter of a day


def losses(paths: Floats, actual: Floats) -> Floats:
    """Mean absolute error of each candidate on each fold and part of the day; NaN where nothing is known.

    `paths` is (candidates, folds, steps a day), NaN where a candidate had nothing to say; `actual`
    (folds, steps a day).
    """
    parts = PARTS if actual.shape[1] % PARTS == 0 else 1
    return _mean_losses(np.abs(paths - actual).reshape(*paths.shape[:2], parts, actual.shape[1] // parts))


def recent_losses(paths: Floats, came: Floats) -> Floats:
    """Mean absolute error of each candidate on the last hours: (candidates,); NaN where nothing is known.

    `paths` is (candidates, steps) as told before them, `came` (steps).
    """
    return _mean_losses(np.abs(paths - came)[:, None, None])[:, 0, 0]


def _mean_losses(off: Floats) -> Floats:
    """Means over the last axis of what is known of (candidates, folds, parts, steps)."""
    known = np.isfinite(off)
    counts = known.sum(axis=3)
    sums = np.where(known, off, 0.0).sum(axis=3)
    loss = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
    middle = weighted_median(loss, np.ones((len(loss), 1, 1)))
    return np.where(np.isfinite(loss), loss, middle)


def weights(loss: Floats, naive: tuple[int, ...], recent: Floats | None = None) -> Floats:
    """Weights (candidates, parts) that sum to one in each part, from folds ordered newest first.

    Without a known fold all candidates weigh the same. What a candidate loses to the better `naive`
    one counts once more after `WARNED` folds, and after `DROPPED` folds it weighs nothing. `recent`
    are `recent_losses` before the origin, left out where they are unknown or not to be learned from.
    """
    mean, per_part, folds = _fading_means(loss, recent)
    if not folds:
        return np.full((loss.shape[0], loss.shape[2]), 1 / loss.shape[0])
    best_naive = min(mean[i] for i in naive)
    used = mean <= best_naive if folds >= DROPPED else np.ones(len(mean), dtype=np.bool_)
    excess = 0.5 * _over(mean, mean[used].min())[:, None] + 0.5 * _over(per_part, per_part[used].min(axis=0))
    if folds >= WARNED:
        excess = excess + np.maximum(_over(mean, best_naive), 0.0)[:, None]
    raw = np.exp(-RATE * (excess - excess[used].min(axis=0))) * used[:, None]
    return np.asarray(raw / raw.sum(axis=0))


def combine(paths: Floats, weight: Floats) -> Floats:
    """The weighted median of `paths` (candidates, days, steps a day) by `weights` (candidates, parts).

    NaN where nothing was said by a candidate of some weight.
    """
    per_step = np.repeat(weight, paths.shape[2] // weight.shape[1], axis=1)
    return weighted_median(paths, per_step[:, None, :])


def _fading_means(loss: Floats, recent: Floats | None) -> tuple[Floats, Floats, int]:
    """Fading mean loss of each candidate, over all and by part, and the number of known folds."""
    known = np.logical_and.reduce(np.isfinite(loss), axis=0)
    fade = (FADE ** np.arange(loss.shape[1]))[:, None] * known
    sums = (np.where(known, loss, 0.0) * fade).sum(axis=1)
    counts = fade.sum(axis=0)
    by_part = sums / np.where(counts > 0, counts, 1.0)
    overall = sums.sum(axis=1) / counts.sum() if counts.sum() > 0 else sums.sum(axis=1)
    by_part[:, counts <= 0] = overall[:, None]
    if recent is not None and np.isfinite(recent).all():
        share = LATELY / (LATELY + FADE ** np.arange(loss.shape[1]) @ known.any(axis=1))
        overall = (1.0 - share) * overall + share * recent
        by_part = (1.0 - share) * by_part + share * recent[:, None]
    return overall, by_part, int(np.count_nonzero(known.any(axis=1)))


def _over(loss: Floats, least: Floats) -> Floats:
    """How much larger each loss is than `least`, as a share of it; huge where `least` is 0 and the loss is not."""
    return np.asarray((loss - least) / (least + 1e-12 * (1 + loss.max())))
