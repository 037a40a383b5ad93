"""How far out of the ordinary each step of a day is, against what its workload's own days before allow.

All that a day is compared with is known before it begins: its path and band, and the bound of each sign. Each of the
days that make the bounds is judged by what was expected at its own beginning.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from domain.load import Floats, LoadHistory
from domain.unknown import Unknown
from optimizer.anomalies.bound import LEAST_HOURS, bound
from optimizer.anomalies.deviation import (
    BELOW,
    LEAST_BAND,
    UPWARD,
    Deviation,
    below,
    fallen,
    jump,
    means,
)
from optimizer.anomalies.expected import HOURS, expected
from optimizer.grid import DAY, HOUR

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FINEST = timedelta(minutes=5)  # of finer histories means over five minutes are looked at
LOOKBACK = timedelta(days=28)
# Of an hour and a sign, as 90 minutes a week. Such hours come together, and the signs too: on 31 recorded traces it is half
# a page a week (docs/anomalies.md), which leaves as much again to the one a week that is bearable.
RARE = timedelta(minutes=90) / timedelta(days=7)
HALF = 0.5  # of an hour has to be known for it to say how far an hour goes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Watched:
    """The steps from `start` on. `score` is the strongest sign as a share of its bound, NaN where nothing is known.

    `sign` is the place in `SIGNS` of the one that is strongest. `came`, `low`, `path` and `high` are means over the
    `steps` that it is of, in the units of the signal.
    """

    start: datetime
    step: timedelta
    score: Floats
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


def seen_in_steps(history: LoadHistory) -> LoadHistory | Unknown:
    """The history in the steps that are looked at; Unknown for steps that no hour consists of."""
    step = max(history.step, FINEST)
    if HOUR % step or step % history.step:
        return Unknown(f"steps of {history.step} do not divide {FINEST} or an hour")
    return history.coarser(step) if step > history.step else history


def midnight(moment: datetime) -> datetime:
    """The beginning of its day, UTC."""
    return moment - (moment - EPOCH) % DAY


def watch(history: LoadHistory, day: datetime, *, less: bool = True) -> Watched | Unknown:
    """The steps of the day from `day` on that `history` has; each is judged by itself and what came before it.

    `history` is in steps of five minutes to an hour (see `seen_in_steps`). With `less` a lack counts too. Unknown for
    want of hours to compare with. A sign of which nothing is known says nothing.
    """
    past = history.until(day).since(day - LOOKBACK)
    if not np.isfinite(past.values).any():
        return Unknown("nothing is known of the days before")
    rows = expected(past)
    per_hour, first = HOUR // history.step, (past.end - history.start) // history.step
    known = first - rows.past_days * HOURS * per_hour
    came = history.values[known : first + HOURS * per_hour]
    low, path, high = (row[: len(came)] for row in rows.within_hours(per_hour))
    scale = float(np.nanmean(np.abs(past.values)))
    deviation = Deviation(
        step=history.step, came=came, low=low, path=path, high=high, least_band=max(LEAST_BAND * scale, 1e-12)
    )
    return _judged(deviation, past.end, first - known, less=less)


def _judged(deviation: Deviation, day: datetime, first: int, *, less: bool) -> Watched | Unknown:
    """The steps from `first` on, against the bounds that the steps before it make; a step that is missing has no score."""
    hours = int(np.isfinite(_maxima(deviation.off[:first], HOUR // deviation.step)).sum())
    if hours < LEAST_HOURS:
        return Unknown(f"{hours} hours can be compared with, each with two days before it; needed: {LEAST_HOURS}")
    shares = np.where(np.isfinite(deviation.came), _shares(deviation, first, less=less), np.nan)
    strongest = np.argmax(np.where(np.isfinite(shares), shares, -np.inf), axis=0)
    widths = np.array([*(sign.steps(deviation) for sign in UPWARD.values()), deviation.steps(BELOW)])

    def over(values: Floats) -> Floats:
        return np.asarray(np.choose(strongest, [means(values, width) for width in widths])[first:])

    return Watched(
        start=day,
        step=deviation.step,
        score=np.take_along_axis(shares, strongest[None], axis=0)[0, first:],
        sign=strongest[first:],
        steps=widths[strongest][first:],
        came=over(deviation.came),
        low=over(deviation.low),
        path=over(deviation.path),
        high=over(deviation.high),
    )


def _shares(deviation: Deviation, first: int, *, less: bool) -> Floats:
    """Each sign as a share of the bound that the steps before `first` make: (signs, steps), NaN where either is unknown."""
    per_hour = HOUR // deviation.step
    drop = _bound(jump(deviation, more=False)[:first], per_hour)
    lack = below(deviation, fallen(deviation, drop)) if less else np.full(len(deviation.came), np.nan)
    measures = [*(sign.measure(deviation) for sign in UPWARD.values()), lack]
    return np.stack([np.maximum(measure, 0.0) / _bound(measure[:first], per_hour) for measure in measures])


def _bound(measure: Floats, per_hour: int) -> float:
    return bound(_maxima(measure, per_hour), RARE)


def _maxima(measure: Floats, per_hour: int) -> Floats:
    """The largest value of each hour; NaN for an hour of which less than half is known."""
    hours = measure.reshape(-1, per_hour)
    known = np.isfinite(hours)
    largest = np.where(known, hours, -np.inf).max(axis=1)
    return np.asarray(np.where(known.mean(axis=1) >= HALF, largest, np.nan))
