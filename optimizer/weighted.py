"""Weighted medians and quantiles of arrays with gaps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.load import Floats

Weights = NDArray[np.floating[Any]]


def weighted_median(values: Floats, weights: Weights) -> Floats:
    """The lower weighted median along axis 0; NaN values carry no weight, NaN where no weight is left.

    `weights` broadcasts against `values`. Lower means a value that occurred, never a mean of two.
    """
    known = np.isfinite(values)
    weight = np.where(known, np.broadcast_to(weights, values.shape), 0.0)
    order = np.argsort(np.where(known, values, np.inf), axis=0)
    ranked = np.take_along_axis(values, order, axis=0)
    share = np.cumsum(np.take_along_axis(weight, order, axis=0), axis=0)
    total = share[-1:]
    middle = np.argmax(share >= 0.5 * total - 1e-12 * total, axis=0)
    median = np.take_along_axis(ranked, middle[None], axis=0)[0]
    return np.asarray(np.where(total[0] > 0, median, np.nan))


def weighted_mean(values: Floats, weights: Weights) -> Floats:
    """The weighted mean along axis 0; NaN values carry no weight, NaN where no weight is left."""
    known = np.isfinite(values)
    weight = np.where(known, np.broadcast_to(weights, values.shape), 0.0)
    total = weight.sum(axis=0)
    sums = (np.where(known, values, 0.0) * weight).sum(axis=0)
    return np.asarray(np.divide(sums, total, out=np.full_like(sums, np.nan), where=total > 0))


def middle_mean(values: Floats, weights: Weights, low: float, high: float) -> Floats:
    """The mean of what lies between two weighted quantiles along axis 0: robust, and without jumps.

    Shapes as for `weighted_median`; values must be known.
    """
    order = np.argsort(values, axis=0)
    ranked = np.take_along_axis(values, order, axis=0)
    weight = np.take_along_axis(np.broadcast_to(weights, values.shape), order, axis=0)
    upper = np.cumsum(weight, axis=0)
    upper = upper / upper[-1:]
    lower = np.concatenate([np.zeros_like(upper[:1]), upper[:-1]])
    inside = np.clip(np.minimum(upper, high) - np.maximum(lower, low), 0.0, None)
    return np.asarray((inside * ranked).sum(axis=0) / inside.sum(axis=0))
