"""Quantiles from the errors that the same forecast made before (split conformal prediction).

An error counts in units of the spread that its own forecast had, so that errors made at night say
something about noon. Source: Vovk, Gammerman & Shafer, Algorithmic Learning in a Random World
(2005); the rank (n + 1) * level gives the stated coverage for exchangeable errors.
"""

from __future__ import annotations

import numpy as np

from domain.load import Floats


def spread(path: Floats, floor: float) -> Floats:
    """Noise grows with the root of the load, as counts do, above a floor."""
    return np.sqrt(np.maximum(path, 0.0) * floor + floor * floor)


def quantiles(path: Floats, errors: Floats, levels: tuple[float, ...], floor: float) -> Floats:
    """`path` plus the error quantile of each level; shape (levels, steps), rows never cross.

    `errors` are past errors in units of their `spread`; ValueError if there are none.
    """
    known = np.sort(errors[np.isfinite(errors)])
    if not len(known):
        raise ValueError("calibration needs at least one known error")
    ranks = np.ceil((len(known) + 1) * np.asarray(levels)).astype(int) - 1
    margins = known[np.clip(ranks, 0, len(known) - 1)]
    return np.asarray(path[None, :] + margins[:, None] * spread(path, floor)[None, :])
