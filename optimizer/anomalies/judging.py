"""How far out of the ordinary each step of a day is: each sign against the bound that the steps before the day make of it.

A history of less than a week has seen few of the hours that there are, and its bound is sterner in proportion. What has
begun beyond the stern bound goes on, for a day, beyond the plain one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from domain.load import Floats
from domain.unknown import Unknown
from optimizer.anomalies.bound import LEAST_HOURS, bound
from optimizer.anomalies.deviation import Deviation, Sign, means
from optimizer.grid import DAY, HOUR

# Of an hour and a sign, as 90 minutes a week. Such hours come together, and the signs too: on 31 recorded traces it is less
# than half a page a week (docs/anomalies.md), which leaves as much again to the one a week that is bearable.
RARE = timedelta(minutes=90) / timedelta(days=7)
A_WEEK_OF_HOURS = 7 * 24
HALF = 0.5  # of an hour has to be known for it to say how far an hour goes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Watched:
    """The steps from `start` on. `score` is the strongest sign as a share of its bound, NaN where nothing is known.

    `sign` is the place in `names` of the one that is strongest. `came`, `low`, `path` and `high` are means over the
    `steps` that it is of, in the units of the signal.
    """

    start: datetime
    step: timedelta
    score: Floats
    names: Sequence[str]
    sign: NDArray[np.intp]
    steps: NDArray[np.intp]
    came: Floats
    low: Floats
    path: Floats
    high: Floats

    @property
    def excess(self) -> Floats:
        """What came beyond the path over the steps of the strongest sign: in requests, where the signal is requests/s."""
        return np.asarray((self.came - self.path) * self.steps * self.step.total_seconds())


def judged(deviation: Deviation, signs: Sequence[Sign], start: datetime, first: int) -> Watched | Unknown:
    """The steps from `first` on, which is at `start`; a step that is missing has no score.

    Unknown for want of hours to compare with. A sign of which nothing is known says nothing.
    """
    hours = int(np.isfinite(_maxima(deviation.off[:first], HOUR // deviation.step)).sum())
    if hours < LEAST_HOURS:
        return Unknown(f"{hours} hours can be compared with, each with two days before it; needed: {LEAST_HOURS}")
    shares = np.where(np.isfinite(deviation.came), _shares(deviation, signs, first), np.nan)
    strongest = np.argmax(np.where(np.isfinite(shares), shares, -np.inf), axis=0)
    widths = np.array([sign.steps for sign in signs])

    def over(values: Floats) -> Floats:
        return np.asarray(np.choose(strongest, [means(values, width) for width in widths])[first:])

    return Watched(
        start=start,
        step=deviation.step,
        score=np.take_along_axis(shares, strongest[None], axis=0)[0, first:],
        names=tuple(sign.name for sign in signs),
        sign=strongest[first:],
        steps=widths[strongest][first:],
        came=over(deviation.came),
        low=over(deviation.low),
        path=over(deviation.path),
        high=over(deviation.high),
    )


def usual(measure: Floats, step: timedelta, least: float = 0.0, rare: float = RARE) -> float:
    """The bound that a measure of whole hours makes, each hour's largest counting as `least` or more."""
    return bound(np.maximum(_maxima(measure, HOUR // step), least), rare)


def _shares(deviation: Deviation, signs: Sequence[Sign], first: int) -> Floats:
    """Each sign as a share of its bound: (signs, steps), NaN where either is unknown."""
    known = np.isfinite(_maxima(deviation.off[:first], HOUR // deviation.step)).sum()
    rows = []
    for sign in signs:
        plain, stern = (
            usual(sign.measure[:first], deviation.step, sign.least, rare)
            for rare in (RARE, RARE * min(1.0, known / A_WEEK_OF_HOURS))
        )
        rows.append(np.maximum(sign.measure, 0.0)[None] / np.array([[plain], [stern]]))
    by_plain, by_stern = np.stack(rows, axis=1)
    begun = _within_a_day((by_stern > 1).any(axis=0), DAY // deviation.step)
    return np.asarray(np.where(begun, by_plain, by_stern))


def _within_a_day(held: NDArray[np.bool_], per_day: int) -> NDArray[np.bool_]:
    """The steps at which it holds, and those of the day after each."""
    at = np.arange(len(held))
    last = np.maximum.accumulate(np.where(held, at, -per_day - 1))
    return np.asarray(at - last <= per_day)


def _maxima(measure: Floats, per_hour: int) -> Floats:
    """The largest value of each hour; NaN for an hour of which less than half is known."""
    hours = measure.reshape(-1, per_hour)
    known = np.isfinite(hours)
    largest = np.where(known, hours, -np.inf).max(axis=1)
    return np.asarray(np.where(known.mean(axis=1) >= HALF, largest, np.nan))
