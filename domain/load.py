"""Load over time: what was seen (`LoadHistory`) and what is expected (`Forecast`).

NaN means "missing" and lives in `LoadHistory.values` only. Every function that takes a history
says what it does with the gaps; none reads a gap as zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
STILL_NOW = timedelta(minutes=30)  # a count of replicas that is older says nothing of now


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadHistory:
    """An even grid of one signal: `values[i]` is the mean over `[start + i*step, start + (i+1)*step)`.

    For `Signal.REQUEST_RATE` values are requests per second. A missing step is NaN, never 0.
    The array is made read-only.
    """

    start: datetime
    step: timedelta
    values: Floats

    def __post_init__(self) -> None:
        if self.start.tzinfo is None:
            raise ValueError("a load history starts at an aware datetime")
        if self.step <= timedelta(0):
            raise ValueError(f"step must be positive, not {self.step}")
        frozen = np.ascontiguousarray(self.values, dtype=np.float64)
        if frozen.ndim != 1:
            raise ValueError(f"values must be one-dimensional, not {frozen.ndim}-dimensional")
        if frozen is self.values and frozen.flags.writeable:
            frozen = frozen.copy()
        frozen.flags.writeable = False
        object.__setattr__(self, "values", frozen)
        object.__setattr__(self, "start", self.start.astimezone(UTC))

    def __len__(self) -> int:
        return len(self.values)

    @property
    def end(self) -> datetime:
        """End (exclusive) of the last step."""
        return self.start + len(self.values) * self.step

    @property
    def step_s(self) -> float:
        return self.step.total_seconds()

    @property
    def coverage(self) -> float:
        """Share of steps that are known; an empty history covers 0."""
        return float(np.isfinite(self.values).mean()) if len(self.values) else 0.0

    def until(self, origin: datetime) -> LoadHistory:
        """The steps that had ended at `origin`: all that a causal decision at `origin` may see."""
        whole = int((origin - self.start) // self.step)
        return LoadHistory(start=self.start, step=self.step, values=self.values[: max(0, whole)])

    def since(self, origin: datetime) -> LoadHistory:
        """The steps that begin at or after `origin`."""
        skipped = min(len(self.values), max(0, -int((self.start - origin) // self.step)))
        return LoadHistory(start=self.start + skipped * self.step, step=self.step, values=self.values[skipped:])

    def from_first_known(self) -> LoadHistory:
        """The steps from the first known one on: what was asked for and lies before it was never seen."""
        known = np.flatnonzero(np.isfinite(self.values))
        first = int(known[0]) if len(known) else len(self.values)
        return LoadHistory(start=self.start + first * self.step, step=self.step, values=self.values[first:])

    def newest(self, within: timedelta) -> float | None:
        """The newest known value of the last `within` (and at least three steps); None where all of them are missing."""
        steps = max(3, -(-within // self.step))
        known = self.values[-steps:][np.isfinite(self.values[-steps:])]
        return float(known[-1]) if len(known) else None

    def coarser(self, step: timedelta) -> LoadHistory:
        """Means over a whole multiple of `step`, on a grid aligned to the epoch.

        A coarse step is the mean of its known fine steps; one with none, or one that the history
        does not cover to its end, is missing. Raises ValueError if `step` is no multiple.
        """
        ratio, rest = divmod(step, self.step)
        if rest or ratio < 1:
            raise ValueError(f"{step} is not a whole multiple of {self.step}")
        if ratio == 1:
            return self
        offset = (self.start - datetime(1970, 1, 1, tzinfo=UTC)) % step
        lead = int(offset // self.step)
        padded = np.concatenate([np.full(lead, np.nan), self.values])
        whole = len(padded) // ratio
        blocks = padded[: whole * ratio].reshape(whole, ratio)
        known = np.isfinite(blocks).sum(axis=1)
        sums = np.nansum(blocks, axis=1)
        means = np.divide(sums, known, out=np.full(whole, np.nan), where=known > 0)
        return LoadHistory(start=self.start - lead * self.step, step=step, values=means)


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestScore:
    """How a forecaster did on rolling origins of this very history (losses in units of the signal)."""

    model: str
    quantile: float
    pinball: float
    mae: float
    naive_pinball: float
    naive_mae: float
    coverage: float
    folds: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Forecast:
    """Quantiles per future step; row `i` of `quantiles` belongs to `levels[i]`, rows never cross.

    `origin` is the end of the last step seen; column `j` covers `[origin + j*step, origin + (j+1)*step)`.
    `mean` is the expectation, for sums such as a bill; on sparse load it is far above the median.
    """

    origin: datetime
    step: timedelta
    levels: tuple[float, ...]
    quantiles: Floats
    mean: Floats
    model: str
    score: BacktestScore | None = None

    def at(self, level: float) -> Floats:
        """The path at `level`, linear between known levels; ValueError outside them."""
        if not self.levels[0] <= level <= self.levels[-1]:
            raise ValueError(f"quantile {level} lies outside the forecast's {self.levels[0]}..{self.levels[-1]}")
        above = int(np.searchsorted(self.levels, level))
        upper: Floats = self.quantiles[above]
        if self.levels[above] == level:
            return upper
        lower: Floats = self.quantiles[above - 1]
        share = (level - self.levels[above - 1]) / (self.levels[above] - self.levels[above - 1])
        return lower + share * (upper - lower)
