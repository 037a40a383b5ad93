"""The shape of a day, averaged with fading weights."""

from __future__ import annotations

import numpy as np

from domain.load import Floats

FADE = 0.75  # weight of each day against the day after it


def daily_profile(past: Floats, days: int) -> Floats:
    """The fading mean at each time of day, repeated for every day ahead; gaps carry no weight.

    Shapes: `past` (origins, days back, steps a day), result (origins, days, steps a day).
    """
    weights = np.isfinite(past) * FADE ** np.arange(past.shape[1])[None, :, None]
    total = weights.sum(axis=1)
    sums = (np.nan_to_num(past) * weights).sum(axis=1)
    profile = np.divide(sums, total, out=np.full_like(sums, np.nan), where=total > 0)
    return np.repeat(profile[:, None, :], days, axis=1)
