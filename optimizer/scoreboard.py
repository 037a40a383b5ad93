"""How each candidate did on the back-test's folds, for people to see what was used and why."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from domain.load import BacktestScore, Floats

COMBINED = "combined"


def scoreboard(
    names: Sequence[str],
    *,
    paths: Floats,
    combined: Floats,
    bound: Floats,
    actual: Floats,
    quantile: float,
    naive: Sequence[str],
) -> tuple[BacktestScore, ...]:
    """Every candidate and the combination on the same folds, best pinball loss at `quantile` first.

    `paths` is (candidates, folds, steps a day); `combined` and `bound` (its forecast and its quantile,
    made at each fold from what was known then), `actual` (folds, steps a day). A candidate's own
    quantile is its path plus that quantile of its errors on the other folds. Where it had nothing to
    say (NaN) the first of `naive` is taken for it. Empty while no fold is known.
    """
    if not np.isfinite(actual).any():
        return ()
    stand_in = np.where(np.isfinite(paths[names.index(naive[0])]), paths[names.index(naive[0])], combined)
    paths = np.where(np.isfinite(paths), paths, stand_in)
    bounds = _bounds(paths, actual, quantile)
    made = {name: _losses(path, own, actual, quantile) for name, path, own in zip(names, paths, bounds, strict=True)}
    made[COMBINED] = _losses(combined, bound, actual, quantile)
    best_naive = min((made[name] for name in naive), key=lambda loss: loss[1])
    rows = [
        BacktestScore(
            model=name,
            quantile=quantile,
            pinball=pinball,
            mae=mae,
            naive_pinball=best_naive[0],
            naive_mae=best_naive[1],
            coverage=coverage,
            folds=int(np.isfinite(actual).any(axis=1).sum()),
        )
        for name, (pinball, mae, coverage) in made.items()
    ]
    return tuple(sorted(rows, key=lambda row: (row.pinball, row.mae)))


def _bounds(paths: Floats, actual: Floats, quantile: float) -> Floats:
    """Each path plus the quantile of its errors on all other folds; the path itself while there is one fold."""
    folds = len(actual)
    if folds < 2:
        return paths
    off = actual - paths
    others = np.array([[other for other in range(folds) if other != fold] for fold in range(folds)])
    pool = off[:, others].reshape(len(paths), folds, -1)
    known = np.isfinite(pool[:1]).sum(axis=2)
    place = np.clip(np.ceil(quantile * known).astype(int) - 1, 0, None)
    pool = np.partition(pool, np.unique(place), axis=2)  # NaN last
    margin = np.take_along_axis(pool, np.broadcast_to(place[:, :, None], (*pool.shape[:2], 1)), axis=2)
    return np.asarray(paths + np.where(np.isfinite(margin), margin, 0.0))


def _losses(path: Floats, bound: Floats, actual: Floats, quantile: float) -> tuple[float, float, float]:
    """Pinball loss at `quantile`, mean absolute error, and coverage, over the known steps."""
    known = np.isfinite(actual)
    off = (actual - bound)[known]
    pinball = float(np.maximum(quantile * off, (quantile - 1) * off).mean())
    return pinball, float(np.abs(actual - path)[known].mean()), float((off <= 0).mean())
