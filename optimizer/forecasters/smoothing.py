"""Exponential smoothing of the level around a daily shape (statsmodels SimpleExpSmoothing)."""

from __future__ import annotations

import numpy as np

from domain.load import Floats
from optimizer.past import Past, days_known, filled

DAYS = 28
FADE = 0.85


def smoothing(past: Past) -> Floats:
    """The fading mean shape of a day on root load, plus the smoothed level of what lies above it.

    The smoothing constant is fitted by least squares of one-step errors before the last (oldest) of
    the origins and used for all, so that no origin profits from what came after it. (origins, days,
    steps a day); gaps are filled from the same time of other days.
    """
    newest = past.newest(DAYS)
    reach = np.minimum(days_known(newest), newest.values.shape[1])
    series = [_around_shape(newest.one(origin, int(days))) for origin, days in enumerate(reach)]
    constant = _constant(series[-1][1])
    rows = [np.maximum(shape + _level(above, constant), 0.0) ** 2 for shape, above in series]
    return np.repeat(np.stack(rows)[:, None, :], past.days_ahead, axis=1)


def _around_shape(past: Past) -> tuple[Floats, Floats]:
    """The shape of a day on root load (steps a day), and the series of what lies above it, oldest first."""
    days = np.sqrt(np.maximum(filled(past)[0, ::-1], 0.0))
    weights = FADE ** np.arange(len(days))[::-1]
    shape = weights @ days / weights.sum()
    return shape, (days - shape).ravel()


def _constant(above: Floats) -> float:
    """The fitted smoothing constant; 0 for a series without movement."""
    from statsmodels.tsa.holtwinters import SimpleExpSmoothing  # noqa: PLC0415  2 s that only a fit should pay

    if np.ptp(above) < 1e-9:
        return 0.0
    fitted = SimpleExpSmoothing(above, initialization_method="known", initial_level=0.0).fit()
    return float(fitted.params["smoothing_level"])


def _level(above: Floats, constant: float) -> float:
    """The smoothed level at the end: sum of constant * (1 - constant)**age * value, from a level of 0."""
    ages = np.arange(len(above))[::-1]
    return float((constant * (1 - constant) ** ages) @ above)
