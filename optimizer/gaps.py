"""Where a history has holes: how much of it, and the longest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from domain.load import LoadHistory
from domain.unknown import Unknown
from optimizer.hygiene import runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaps:
    """`share` (0..1) of the steps of `within`, from the first known to the last, is missing; the longest hole begins at `begins`."""

    within: timedelta
    share: float
    longest: timedelta
    begins: datetime


def gaps_of(history: LoadHistory | Unknown, counted: NDArray[np.bool_] | None = None) -> Gaps | Unknown:
    """The gaps (NaN) among the steps that are `counted`, shape (steps,), by default all; Unknown where no step is known.

    What lies before the first known step was never seen, and what lies behind the last one is the age of the history.
    """
    if isinstance(history, Unknown):
        return history
    known = np.isfinite(history.values)
    there = np.flatnonzero(known)
    if not len(there):
        return Unknown("no step is known")
    between = np.zeros(len(known), dtype=np.bool_)
    between[there[0] : there[-1] + 1] = True
    if counted is not None:
        between &= counted
    missing = between & ~known
    first, last = max(runs(missing), key=lambda run: run[1] - run[0], default=(0, 0))
    return Gaps(
        within=int(there[-1] + 1 - there[0]) * history.step,
        share=float(missing.sum() / max(1, between.sum())),
        longest=(last - first) * history.step,
        begins=history.start + first * history.step,
    )
