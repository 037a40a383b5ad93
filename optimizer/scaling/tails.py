"""How far above a prediction the load can be: rolling quantiles of the scaled residual.

A conformal tail (Vovk et al. 2005; here with forgetting): z = (load - centre) / scale is kept in a
histogram whose counts fade with a half-life of seven days, and the quantile at a tail probability p
gives the target centre + z_p * scale. Beyond what was ever seen the tail is continued as an
exponential with the mean excess of the largest tenth part of a hundred.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from optimizer.compiled import compiled
from optimizer.physics import Floats

Matrix = NDArray[np.float64]

BINS = 1400
FINE = 8.0
LOW = -3.0
WIDTH = 0.01


@compiled
def _place(z: float) -> int:
    """Bin of z on an asinh scale: even near zero, 1 % steps far out."""
    at = int((np.arcsinh(FINE * z) - LOW) / WIDTH)
    return min(max(at, 0), BINS - 1)


@compiled
def _value(at: int) -> float:
    """Upper edge of a bin."""
    return float(np.sinh(LOW + (at + 1) * WIDTH) / FINE)


@compiled
def _read(counts: Floats, unit: float, tails: Floats, z: Floats, excess: Floats) -> None:
    """Quantile and mean excess at each tail probability (falling), from the top bin down; one observation counts `unit`."""
    total = 0.0
    for b in range(BINS):
        total += counts[b]
    total /= unit
    seen, above = 0.0, 0.0
    level = len(tails) - 1
    top = BINS - 1
    while top > 0 and counts[top] <= 0.0:
        top -= 1
    deep_z, deep_excess, deep_count = _value(top), 0.0, 0.0
    for b in range(top, -1, -1):
        if counts[b] > 0.0:
            seen += counts[b] / unit
            above += counts[b] / unit * _value(b)
            if seen <= 12.0:
                deep_z, deep_count = _value(b), seen
                deep_excess = above / seen - deep_z
        while level >= 0 and seen >= max(1.0, tails[level] * total):
            z[level] = _value(b)
            excess[level] = max(above / seen - _value(b), 0.0)
            if tails[level] * total < 1.0:
                beyond = max(deep_excess, 0.02)
                z[level] = max(_value(top), deep_z + beyond * np.log(max(deep_count, 1.0) / (tails[level] * total)))
                excess[level] = beyond
            level -= 1
        if level < 0:
            break


class Fading(NamedTuple):
    """Lead in steps, `keep` of the past per step, and how often the quantiles are read."""

    lead: int
    keep: float
    every: int


@compiled
def conformal(load: Floats, centre: Floats, scale: Floats, tails: Floats, how: Fading) -> tuple[Matrix, Matrix]:
    """Targets for step t + lead and the mean excess beyond them, both (tails, steps), in replicas.

    `centre[t]` and `scale[t]` speak about t + lead; `tails` fall. Before anything is known a target is
    centre + scale.
    """
    target, beyond = np.empty((len(tails), len(load))), np.empty((len(tails), len(load)))
    counts = np.zeros(BINS)
    z, excess = np.ones(len(tails)), np.ones(len(tails))
    weight = 1.0
    for t in range(len(load)):
        if t >= how.lead and not np.isnan(load[t]):
            weight /= how.keep
            counts[_place((load[t] - centre[t - how.lead]) / scale[t - how.lead])] += weight
            if weight > 1e9:
                for b in range(BINS):
                    counts[b] /= weight
                weight = 1.0
        if t % how.every == 0:
            _read(counts, weight, tails, z, excess)
        for k in range(len(tails)):
            target[k, t] = centre[t] + z[k] * scale[t]
            beyond[k, t] = excess[k] * scale[t]
    return target, beyond
