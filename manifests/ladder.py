"""Replica counts that the HPA's tolerance can not swallow.

The HPA ignores a metric within 10 % of its target. Asked for 21 replicas while 20 run, it does
nothing, and the SLO is missed. So counts are rounded up to rungs of which any two differ by more than
the tolerance seen from either side:

    1 2 3 4 5 6 7 8 9 11 13 15 17 19 22 25 28 32 36 41 46 52 58 65 73 82 92

At most 11 % above what was asked for (10 becomes 11), nothing below ten.
"""

from __future__ import annotations

import math
from itertools import pairwise

from manifests.hpa_rule import TOLERANCE

_DUST = 1e-9


def ladder(minimum: int, maximum: int) -> tuple[int, ...]:
    """Rungs from `minimum` (or the first above it that is far enough from `maximum`) to `maximum`.

    ValueError if there are none.
    """
    if not 0 <= minimum <= maximum:
        raise ValueError(f"no replica count lies between {minimum} and {maximum}")
    rungs = [minimum]
    while (above := _next(rungs[-1])) < maximum:
        rungs.append(above)
    return (*(each for each in rungs if _next(each) <= maximum), maximum)


def rung(wanted: int, rungs: tuple[int, ...]) -> int:
    """The lowest rung that is at least `wanted`; the top one for more than that."""
    return next((each for each in rungs if each >= wanted), rungs[-1])


def rounded_query(query: str, rungs: tuple[int, ...]) -> str:
    """PromQL for `rung(query)`: as it is while rungs are one apart, then one jump per rung.

    `query` gives one element without labels. No element stays no element.
    """
    jumps = [(low, high - low) for low, high in pairwise(rungs) if high - low > 1]
    if not jumps:
        return query
    plain = jumps[0][0]
    steps = [(low, high - low) for low, high in pairwise(rungs) if low >= plain]
    return " + ".join(
        [f"clamp({query}, {rungs[0]}, {plain})", *(f"{height} * ({query} > bool {low})" for low, height in steps)]
    )


def _next(low: int) -> int:
    """The lowest count that is more than the tolerance above `low`, and `low` more than it below that."""
    return max(low + 1, math.floor(low / (1 - TOLERANCE) + _DUST) + 1)
