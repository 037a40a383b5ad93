"""When something held: the moments at which an expression had a result, on an even grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moments:
    """One series of a condition: `holds[i]` says whether it had a sample at `start + i * step`, shape (moments,)."""

    labels: Mapping[str, str]
    start: datetime
    step: timedelta
    holds: NDArray[np.bool_]

    def spans(self) -> list[tuple[int, int]]:
        """Index ranges [begin, end) in which it held without a break."""
        edges = np.flatnonzero(np.diff(self.holds.astype(np.int8), prepend=0, append=0))
        return [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]

    def within(self, others: Sequence[Moments]) -> Moments:
        """The same, but only where one of `others` held at its latest moment; all begin together."""
        known = np.zeros(len(self.holds), dtype=np.bool_)
        for other in others:
            latest = np.arange(len(self.holds)) * self.step.total_seconds() // other.step.total_seconds()
            known |= other.holds[np.minimum(latest.astype(np.intp), len(other.holds) - 1)]
        return Moments(labels=self.labels, start=self.start, step=self.step, holds=self.holds & known)


def share_known(series: Sequence[Moments]) -> float:
    """The share of moments at which any of the series held; 0 for none."""
    if not series:
        return 0.0
    return float(np.logical_or.reduce([each.holds for each in series]).mean())
