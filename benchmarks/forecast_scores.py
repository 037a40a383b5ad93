"""How the forecasts of one trace are judged: against naive ones chosen in hindsight, and by their quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from domain.load import Floats, LoadHistory
from domain.unknown import Unknown

HOUR = timedelta(hours=1)
DAY_H, WEEK_H = 24, 168
ENOUGH_DAYS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Hourly means of a whole trace on whole hours; NaN where nothing is known."""

    first: datetime
    values: Floats

    def at(self, moment: datetime) -> int:
        """Index of the hour that begins at `moment`."""
        return int((moment - self.first) // HOUR)

    def from_(self, moments: Sequence[datetime], shift_h: int = 0) -> Floats:
        """The day from each moment on, or as many hours earlier: (origins, 24), NaN outside the trace."""
        padded = np.concatenate([np.full(WEEK_H, np.nan), self.values, np.full(2 * DAY_H, np.nan)])
        begins = np.array([self.at(moment) for moment in moments]) + WEEK_H - shift_h
        return np.asarray(padded[np.maximum(begins, 0)[:, None] + np.arange(DAY_H)])


def hours_of(history: LoadHistory) -> Hours:
    """Mean of the known steps that begin in each whole hour."""
    first = history.start.replace(minute=0, second=0, microsecond=0)
    begins = (history.start - first) / HOUR + np.arange(len(history)) * (history.step / HOUR)
    places = np.floor(begins + 1e-9).astype(np.int64)
    known = np.isfinite(history.values)
    counts = np.bincount(places[known], minlength=int(places[-1]) + 1)
    sums = np.bincount(places[known], history.values[known], minlength=len(counts))
    return Hours(first=first, values=np.divide(sums, counts, out=np.full(len(counts), np.nan), where=counts > 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Ratios below 1 are better than what they are compared with; coverage as shares."""

    vs_naive: float
    vs_week: float
    pinball_p95: float
    cover_p90: float
    cover_p95: float
    cover_p99: float
    origins: int


def score(hours: Hours, moments: Sequence[datetime], path: Floats, quantiles: Floats) -> Score | Unknown:
    """`path` is (origins, 24) and `quantiles` (3, origins, 24) for p90, p95, p99.

    Absolute errors are compared on the hours for which both naive forecasts exist: same time
    yesterday, same time last week; `vs_naive` takes the better of the two for this whole trace.
    Unknown where there is no such hour, or a forecast that is compared with makes no error.
    """
    came = hours.from_(moments)
    yesterday, week = hours.from_(moments, DAY_H), hours.from_(moments, WEEK_H)
    both = np.isfinite(came) & np.isfinite(yesterday) & np.isfinite(week)
    known = np.isfinite(came)
    if not both.any():
        return Unknown("no hour is known together with the same one a day and a week before")
    errors = {name: float(np.abs(came - f)[both].mean()) for name, f in (("own", path), ("d", yesterday), ("w", week))}
    plain = np.stack([same_hour_p95(hours, moment) for moment in moments])
    plain_p95 = pinball(plain, came, 0.95)
    if min(errors["d"], errors["w"], plain_p95) == 0.0:
        return Unknown("a forecast to compare with makes no error at all")
    cover = [float((came <= row)[known].mean()) for row in quantiles]
    return Score(
        vs_naive=errors["own"] / min(errors["d"], errors["w"]),
        vs_week=errors["own"] / errors["w"],
        pinball_p95=pinball(quantiles[1], came, 0.95) / plain_p95,
        cover_p90=cover[0],
        cover_p95=cover[1],
        cover_p99=cover[2],
        origins=len(moments),
    )


def same_hour_p95(hours: Hours, moment: datetime) -> Floats:
    """The p95 of the same hour over the last 14 days; of all their hours where fewer than 7 are known."""
    end = hours.at(moment)
    past = hours.values[max(0, end - 14 * DAY_H) : end]
    days = np.concatenate([np.full(14 * DAY_H - len(past), np.nan), past]).reshape(14, DAY_H)
    overall = float(np.nanquantile(days, 0.95))
    enough = np.isfinite(days).sum(axis=0) >= ENOUGH_DAYS
    result = np.full(DAY_H, overall)
    result[enough] = np.nanquantile(days[:, enough], 0.95, axis=0)
    return result


def pinball(forecast: Floats, came: Floats, level: float) -> float:
    """Mean pinball loss over the known hours."""
    off = (came - forecast)[np.isfinite(came)]
    return float(np.maximum(level * off, (level - 1) * off).mean())


def geometric_mean(values: Sequence[float]) -> float:
    """NaN of nothing."""
    return float(np.exp(np.mean(np.log(values)))) if values else float("nan")
