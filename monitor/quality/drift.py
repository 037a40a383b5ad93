"""How far two samples of the same thing lie apart: the population stability index. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DECILES = np.linspace(0.1, 0.9, 9)
HALF_A_COUNT = 0.5


def population_stability_index(reference: Floats, current: Floats) -> float:
    """PSI of counts per bin, two arrays (bins,): sum of (p - q) * ln(p / q), with p and q the shares of each bin.

    0 for equal shares; by custom below 0.1 is quiet and above 0.25 a shift (N. Siddiqi, Credit Risk Scorecards, 2006).
    It is the symmetric divergence of Kullback and Leibler (1951). Half a count is added to every bin, so that an empty
    one does not make it infinite. Two samples of n and m of the same distribution in B bins give about
    (B - 1) * (1/n + 1/m) on average (B. Yurdakul, Statistical Properties of Population Stability Index, 2018).
    ValueError for counts of different bins or of nothing.
    """
    if reference.shape != current.shape or reference.ndim != 1:
        raise ValueError(f"counts must be of the same bins, not {reference.shape} and {current.shape}")
    if not (reference.sum() > 0 and current.sum() > 0):
        raise ValueError("a sample of nothing has no shares")
    p = _shares(current)
    q = _shares(reference)
    return float(((p - q) * np.log(p / q)).sum())


def _shares(counts: Floats) -> Floats:
    filled = counts + HALF_A_COUNT
    shares: Floats = filled / filled.sum()
    return shares


def class_drift(reference: Sequence[str], current: Sequence[str]) -> float:
    """PSI of the mix of predicted classes, of all classes that either sample has. ValueError for an empty sample."""
    before, now = Counter(reference), Counter(current)
    classes = sorted(before.keys() | now.keys())
    return population_stability_index(
        np.array([before[one] for one in classes], dtype=np.float64),
        np.array([now[one] for one in classes], dtype=np.float64),
    )


def number_drift(reference: Floats, current: Floats) -> float:
    """PSI of finite numbers, arrays (n,) and (m,), in bins between the reference's deciles; ValueError if one is empty.

    A decile is a bin of its own: what sits exactly there (a pixel that was always 0) is told from what lies beside it.
    """
    if not (reference.size and current.size):
        raise ValueError("a sample of nothing has no shares")
    edges = np.unique(np.quantile(reference, DECILES))
    bins = 2 * len(edges) + 1
    return population_stability_index(_counts(reference, edges, bins), _counts(current, edges, bins))


def _counts(values: Floats, edges: Floats, bins: int) -> Floats:
    """Even bins lie between edges, odd ones are the edges themselves."""
    place = np.searchsorted(edges, values, side="left") + np.searchsorted(edges, values, side="right")
    return np.bincount(place, minlength=bins).astype(np.float64)
