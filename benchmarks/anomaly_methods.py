"""Three ways to say that a step is out of the ordinary, each as scores over a history that a threshold is set on.

Ours is the function that runs live, looked at as it would have been at the end of each step. The z-score is causal too.
S-H-ESD is fitted at the end of each day and may so use the hours after a step: an advantage that is left to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from statsmodels.tsa.seasonal import STL

from domain.load import Floats, LoadHistory
from optimizer.anomalies.judging import Watched
from optimizer.anomalies.watch import midnight, watch

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
FIRST = 5 * DAY  # of a history, before anything is judged
Z_WINDOW = 7 * DAY
Z_LIMIT = 3.0
ESD_WINDOW_DAYS = 14
ESD_LEAST_DAYS = 3
ESD_ALPHA = 0.05
ESD_MOST = 0.02  # of the steps of a window may be anomalies, as in the AnomalyDetection package
MAD_TO_SD = 1.4826


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """`score` of each step, NaN where it was not judged; `own` says which the method itself flags."""

    score: Floats
    own: NDArray[np.bool_]


def ours(history: LoadHistory, least_excess: float) -> Scores:
    """Day by day; an excess of less than `least_excess` (requests) is told of no workload."""
    score = np.full(len(history), np.nan)
    day = midnight(history.start + FIRST)
    while day < history.end:
        looked = watch(history, day)
        if isinstance(looked, Watched):
            first = (looked.start - history.start) // history.step
            much = np.where(np.abs(looked.excess) >= least_excess, looked.score, np.minimum(looked.score, 0.0))
            score[first : first + len(much)] = much
        day += DAY
    return Scores(score=score, own=score > 1)


def z_score(history: LoadHistory) -> Scores:
    """The mean of the last hour against the mean and standard deviation of such means in the seven days before."""
    per_hour, window = max(1, HOUR // history.step), Z_WINDOW // history.step
    hourly = pd.Series(history.values).rolling(per_hour, min_periods=1).mean()
    before = hourly.shift(1).rolling(window, min_periods=2 * DAY // history.step)
    off = (hourly - before.mean()).abs().to_numpy()
    spread = before.std().to_numpy()
    score = np.divide(off, spread, out=np.full(len(off), np.nan), where=spread > 0)
    score[~np.isfinite(history.values)] = np.nan
    score[: FIRST // history.step] = np.nan
    return Scores(score=score, own=score > Z_LIMIT)


def seasonal_esd(history: LoadHistory) -> Scores:
    """Seasonal hybrid ESD (Hochenbaum et al., arXiv 1704.07706) on the fourteen days to the end of each day.

    STL takes the daily season out, the median the level; the generalised ESD test with median and MAD says how many of
    the residuals are anomalies. The score is a residual in MADs.
    """
    per_day = DAY // history.step
    score, own = np.full(len(history), np.nan), np.zeros(len(history), dtype=np.bool_)
    end = (midnight(history.start + FIRST) + DAY - history.start) // history.step
    while end - per_day < len(history):
        stop = min(end, len(history))
        begin, first = max(0, stop - ESD_WINDOW_DAYS * per_day), end - per_day
        window = history.values[begin:stop]
        known = np.isfinite(window)
        if known.mean() >= 0.5 and known.sum() > ESD_LEAST_DAYS * per_day:
            off, flagged = _esd(_residuals(window, per_day), known)
            score[first:stop], own[first:stop] = off[first - begin :], flagged[first - begin :]
        end += per_day
    return Scores(score=score, own=own)


def _residuals(window: Floats, per_day: int) -> Floats:
    """The window without its daily season, gaps filled by straight lines."""
    known = np.isfinite(window)
    filled = np.interp(np.arange(len(window)), np.flatnonzero(known), window[known])
    jump = max(1, per_day // 10)
    season = (
        STL(
            filled,
            period=per_day,
            seasonal=10 * len(window) + 1,  # a season that does not change, as in the paper
            seasonal_deg=0,
            robust=True,
            seasonal_jump=jump,
            trend_jump=jump,
            low_pass_jump=jump,
        )
        .fit(inner_iter=1, outer_iter=3)
        .seasonal
    )
    return np.asarray(window - season)


def _esd(residuals: Floats, known: NDArray[np.bool_]) -> tuple[Floats, NDArray[np.bool_]]:
    """Residuals in MADs from their median, and those that the test takes for anomalies."""
    values = residuals[known]
    off, flagged = np.full(len(residuals), np.nan), np.zeros(len(residuals), dtype=np.bool_)
    places = np.flatnonzero(known)
    off[places], count, left = 0.0, 0, np.ones(len(values), dtype=np.bool_)
    center, spread = _center(values)
    if spread > 0:
        off[places] = np.abs(values - center) / spread
    order = []
    for test in range(1, max(1, round(ESD_MOST * len(values))) + 1):
        center, spread = _center(values[left])
        if spread == 0:
            break
        away = np.where(left, np.abs(values - center), -1.0)
        most = int(np.argmax(away))
        freedom = len(values) - test - 1
        t = stats.t.ppf(1 - ESD_ALPHA / (2 * (freedom + 2)), freedom)
        limit = t * (freedom + 1) / np.sqrt((freedom + t * t) * (freedom + 2))
        left[most] = False
        order.append(places[most])
        if away[most] / spread > limit:
            count = test
    flagged[order[:count]] = True
    return off, flagged


def _center(values: Floats) -> tuple[float, float]:
    center = float(np.median(values))
    return center, MAD_TO_SD * float(np.median(np.abs(values - center)))
