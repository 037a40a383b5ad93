"""How bad a share of requests may well turn out, judged by how it varied in the past."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.load import Floats

Z_99 = 2.3263478740408408  # one-sided
FEWEST_DAYS = 5
PARTS = 8

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Late:
    """A share of requests that is late: as counted, and the standard error of a stretch as long as the one it was counted on."""

    counted: float = 0.0
    error: float = 0.0

    @property
    def at_most(self) -> float:
        """The upper end of its one-sided prediction interval at 99 %, at most 1."""
        return min(1.0, self.counted + Z_99 * self.error)


NOT_LATE = Late()


def parts_of(days: Indices) -> Indices:
    """The part of the past that each slot belongs to: its day, or with fewer than five days one of eight stretches."""
    numbers, part = np.unique(days, return_inverse=True)
    if len(numbers) < FEWEST_DAYS:
        part = np.arange(len(days)) * PARTS // max(1, len(days))
    return np.asarray(part, dtype=np.int64)


def error(hit: Floats, came: Floats) -> float:
    """The standard error of the share sum(hit)/sum(came) of a stretch as long as this one, predicted by that of this one.

    `hit` and `came` are requests per part of the past. The ratio's standard error over the parts (linearised, as for
    cluster samples: W. G. Cochran, "Sampling Techniques", 3rd ed. 1977, section 6.4), but not less than that of single
    independent hits, twice in the square since the time ahead varies as the past does. 0 where nothing came.
    """
    total, count = float(came.sum()), len(came)
    if total <= 0:
        return 0.0
    share = float(hit.sum()) / total
    between = float(((hit - share * came) ** 2).sum()) * count / max(1, count - 1) / total**2
    single = float(hit.sum()) / total**2
    return float(np.sqrt(2.0 * max(between, single)))


def late_of(hit: Floats, came: Floats, days: Indices) -> Late:
    """The share sum(hit)/sum(came) of requests per slot; none where nothing came."""
    part = parts_of(days)
    hits = np.bincount(part, weights=hit).astype(np.float64)
    totals = np.bincount(part, weights=came).astype(np.float64)
    total = float(totals.sum())
    return Late(float(hits.sum()) / total, error(hits, totals)) if total > 0 else NOT_LATE
