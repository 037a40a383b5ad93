"""What one model did lately: a sliding window of labelled pairs, and two windows of predictions. No clock, no I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from domain.unknown import Unknown
from monitor.quality.drift import Floats, class_drift, number_drift


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is looked at, and how much is remembered at most; ValueError for a size that makes no sense.

    Accuracy is over the last `pairs`, unknown below `least_pairs`. Drift compares the first `reference` predictions
    with the last `current` after them. `pending` predictions, of all models together, wait for their label.
    """

    pairs: int = 500
    least_pairs: int = 50
    reference: int = 500
    current: int = 500
    pending: int = 100_000
    workloads: int = 50

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: {getattr(self, name)} is too small; give at least 1")
        if self.least_pairs > self.pairs:
            raise ValueError(f"least_pairs: {self.least_pairs} is above pairs; give at most {self.pairs}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prediction:
    """What a model said once; `score` and `features` (n,) where the caller sends them."""

    id: str
    label: str
    score: float | None = None
    features: Floats | None = None


@dataclass(slots=True)
class Windows:
    """One workload's windows."""

    sizes: Sizes
    outcomes: deque[bool] = field(init=False)
    reference: list[Prediction] = field(default_factory=list)
    current: deque[Prediction] = field(init=False)

    def __post_init__(self) -> None:
        self.outcomes = deque(maxlen=self.sizes.pairs)
        self.current = deque(maxlen=self.sizes.current)

    def saw(self, prediction: Prediction) -> None:
        """The reference fills first, and is then kept."""
        filling = len(self.reference) < self.sizes.reference
        (self.reference if filling else self.current).append(prediction)

    def judged(self, *, right: bool) -> None:
        """A prediction's label came."""
        self.outcomes.append(right)

    def accuracy(self) -> float | Unknown:
        """Share of right answers in the window of pairs; unknown while there are too few."""
        if len(self.outcomes) < self.sizes.least_pairs:
            return _too_few("labelled pairs", len(self.outcomes), self.sizes.least_pairs)
        return sum(self.outcomes) / len(self.outcomes)

    def drift(self) -> Mapping[str, float] | Unknown:
        """PSI of everything that all predictions of both windows carry; unknown until both are full."""
        if len(self.current) < self.sizes.current:
            seen, wanted = len(self.reference) + len(self.current), self.sizes.reference + self.sizes.current
            return _too_few("predictions", seen, wanted)
        current = tuple(self.current)
        drifts = {"class": class_drift([p.label for p in self.reference], [p.label for p in current])}
        return drifts | _score_drift(self.reference, current) | _feature_drifts(self.reference, current)


def _too_few(what: str, have: int, need: int) -> Unknown:
    return Unknown(f"{have} {what}, {need} are needed")


def _score_drift(reference: Sequence[Prediction], current: Sequence[Prediction]) -> dict[str, float]:
    before, now = (
        np.array([p.score for p in window if p.score is not None], dtype=np.float64) for window in (reference, current)
    )
    complete = len(before) == len(reference) and len(now) == len(current)
    return {"score": number_drift(before, now)} if complete else {}


def _feature_drifts(reference: Sequence[Prediction], current: Sequence[Prediction]) -> dict[str, float]:
    everything = [p.features for p in (*reference, *current)]
    rows = [features for features in everything if features is not None]
    if len(rows) < len(everything) or len({len(row) for row in rows}) != 1:
        return {}
    table = np.stack(rows)
    before, now = table[: len(reference)], table[len(reference) :]
    return {f"feature_{i}": number_drift(before[:, i], now[:, i]) for i in range(table.shape[1])}
