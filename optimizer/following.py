"""Whether the replicas that run are those that were asked for, as far as an autoscaler can tell them apart.

A Kubernetes HPA leaves a difference of up to 10 % of its target alone (its default tolerance), so a
number that is followed need not be met exactly from ten replicas on. What runs now was asked for
some time ago: while the numbers change, anything between the least and the most of them is following.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from domain.load import Floats

TOLERANCE = 0.1
# Beyond the time-to-ready: the HPA's five minutes before it scales down, its polling, and a scrape or two.
SLOWNESS = timedelta(minutes=15)


def follows(ready: float, wanted: Sequence[int]) -> bool:
    """Whether `ready` replicas follow the numbers `wanted` lately, in any order; no number is not followed."""
    if not wanted:
        return False
    low, high = min(wanted), max(wanted)
    return low - int(TOLERANCE * low) <= round(ready) <= high + int(TOLERANCE * high)


def followed(ready: Floats, wanted: NDArray[np.int64], lead: timedelta, step: timedelta) -> NDArray[np.bool_]:
    """For each step whether its `ready` replicas (NaN: not known, not following) follow the numbers wanted.

    `wanted[i]` is the number asked for at the end of step i; `lead` is the time a replica needs to be ready.
    """
    back = 1 + -(-(lead + SLOWNESS) // step)
    return np.array(
        [
            np.isfinite(ready[i]) and follows(float(ready[i]), wanted[max(0, i - back) : i + 1].tolist())
            for i in range(len(ready))
        ],
        dtype=np.bool_,
    )
