"""Replica counts that the HPA's tolerance can not swallow.

The HPA ignores a metric within 10 % of its target (kubernetes pkg/controller/podautoscaler, replica_calculator.go;
releases differ in whether exactly 10 % acts, here it does not). Asked for 21 replicas while 20 run, it does nothing, and
the SLO is missed. So counts are rounded up to rungs of which any two differ by more than the tolerance seen from either
side:

    1 2 3 4 5 6 7 8 9 11 13 15 17 19 22 25 28 32 36 41 46 52 58 65 73 82 92

At most a ninth above what was asked for (10 becomes 11), nothing below ten. What runs today is a rung too, so that the
first step is taken as all later ones; where it is too close to an end for that, the end is asked for with more emphasis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

TOLERANCE = 0.1  # --horizontal-pod-autoscaler-tolerance
_DUST = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """Rising `rungs`, and for each the value that asks the HPA for it.

    A value is its rung, but the first may be lower and the last higher: the HPA's own bounds bring them back, after the
    tolerance.
    """

    rungs: tuple[int, ...]
    values: tuple[int, ...]

    def rung(self, wanted: int) -> int:
        """The lowest rung that is at least `wanted`; the top one for more than that."""
        return next((each for each in self.rungs if each >= wanted), self.rungs[-1])

    def value(self, wanted: int) -> int:
        """What asks for that rung."""
        return self.values[self.rungs.index(self.rung(wanted))]

    def query(self, query: str) -> str:
        """PromQL for the value of `rung(query)`: as it is while values are one apart, then one jump per rung.

        `query` gives one element without labels. No element stays no element.
        """
        jumps = [(low, above - value) for low, (value, above) in zip(self.rungs, pairwise(self.values), strict=False)]
        plain = 0 if self.values[0] != self.rungs[0] else next((i for i, (_, by) in enumerate(jumps) if by != 1), None)
        if plain is None:
            return query
        steps = [f"{by} * ({query} > bool {low})" for low, by in jumps[plain:]]
        return " + ".join([f"clamp({query}, {self.values[0]}, {self.values[plain]})", *steps])


def whole_numbers(minimum: int, maximum: int) -> Ladder:
    """Every count, for an HPA without tolerance; ValueError if there is none."""
    _check(minimum, maximum)
    rungs = tuple(range(minimum, maximum + 1))
    return Ladder(rungs=rungs, values=rungs)


def ladder(minimum: int, maximum: int, *, through: int | None = None) -> Ladder:
    """Rungs from `minimum` to `maximum`, from the count `through` both ways if it lies between; ValueError if none."""
    _check(minimum, maximum)
    between = through is not None and minimum < through < maximum
    start = through if through is not None and between else minimum
    inner = (
        each
        for each in (*reversed(_down(start, minimum)), start, *_up(start, maximum))
        if minimum < each < maximum and not (ignored(minimum, each) or ignored(maximum, each))
    )
    rungs = (minimum, *inner, maximum) if minimum < maximum else (minimum,)
    counts = {*rungs, start}
    return Ladder(rungs=rungs, values=_emphasised(rungs, counts))


def ignored(current: int, value: float) -> bool:
    """Whether the HPA leaves `current` alone, asked for `value` replicas."""
    return current > 0 and abs(1 - value / current) <= TOLERANCE + _DUST


def _emphasised(rungs: tuple[int, ...], counts: set[int]) -> tuple[int, ...]:
    """The rungs, the first lowered and the last raised until they are heard from every other count."""
    first, last = rungs[0], rungs[-1]
    while any(ignored(each, first) for each in counts if each > rungs[0]):
        first -= 1
    while any(ignored(each, last) for each in counts if each < rungs[-1]):
        last += 1
    return (first, *rungs[1:-1], last) if len(rungs) > 1 else rungs


def _up(low: int, maximum: int) -> list[int]:
    """Each the lowest count that is more than the tolerance above the one before, and that more than it below."""
    found = []
    while (low := max(low + 1, math.floor(low / (1 - TOLERANCE) + _DUST) + 1)) < maximum:
        found.append(low)
    return found


def _down(high: int, minimum: int) -> list[int]:
    """The same downwards."""
    found = []
    while (high := min(high - 1, math.ceil(high * (1 - TOLERANCE) - _DUST) - 1)) > minimum:
        found.append(high)
    return found


def _check(minimum: int, maximum: int) -> None:
    if not 0 <= minimum <= maximum:
        raise ValueError(f"no replica count lies between {minimum} and {maximum}")
