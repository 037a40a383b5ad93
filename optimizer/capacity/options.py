"""How capacity is learned, and when it is said to have changed."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftOptions:
    """A change of capacity of at least `least` (a share) that chance alone shows with a probability under `chance`.

    A day speaks with at least `min_pairs` steps, and a change needs `min_days` on either side; after a known new version
    `min_new` steps do. The probability is that of `shuffles` random orders of the same days (`seed` makes them
    repeatable). Speeds are looked for between 1/`widest` and `widest` times the usual one.
    """

    least: float = 0.1
    chance: float = 0.02
    min_days: int = 3
    min_pairs: int = 20
    min_new: int = 50
    shuffles: int = 250
    widest: float = 2.5
    seed: int = 20_261_123


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenOptions:
    """What a prompt token weighs against a generated one where the history does not tell, and where it is looked for.

    The default is the inverse of the factor 2.5 by which OpenCost splits a model's cost over prompt and generated
    tokens where it has no times of its phases (opencost/opencost PR #3845, 2026-07). Another weight is taken where it
    explains latency on days left out by `least_gain` better, and beyond doubt. At least `least_known` of the load's steps must have their tokens counted.
    """

    default_weight: float = 0.4
    lightest: float = 0.02
    heaviest: float = 2.0
    tried: int = 25
    least_gain: float = 0.005
    least_known: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityOptions:
    """How capacity is learned. A step with more than `outage_errors` failing is an outage.

    A queue that grew or shrank by more than `backlog` of what was served marks a saturated or a draining step. A
    capacity counts as seen where the SLO is crossed at most `reach` times the highest usual load. `resamples` of whole
    days give the interval (`seed` makes them repeatable), widened to a `gap` in the loads seen, as a share of them. A declared capacity outside the learned interval by more than
    `contradiction` is reported.
    """

    outage_errors: float = 0.05
    backlog: float = 0.05
    reach: float = 1.1
    gap: float = 0.1
    min_pairs: int = 50
    bins: int = 40
    folds: int = 5
    resamples: int = 40
    interval: float = 0.9
    seed: int = 20_261_123
    contradiction: float = 0.1
    drift: DriftOptions = field(default_factory=DriftOptions)
    tokens: TokenOptions = field(default_factory=TokenOptions)
