"""What a look at a workload says now: the strongest sign of the last hour, and that of the episode it may be part of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from domain.load import LoadHistory
from domain.unknown import Unknown
from optimizer.anomalies.judging import Watched
from optimizer.anomalies.watch import midnight, seen_in_steps, watch
from optimizer.grid import DAY, HOUR

EPISODE = DAY  # without a sign end one: what comes again before, or at the same hour of the next day, is the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Strange:
    """The strongest sign of a stretch of time, at the step that ends at `at`; `score` above 1 is out of the ordinary.

    `came` against `path` and its band are means over `window`, in the units of the signal; `excess` is their difference
    summed over it, in those units times seconds.
    """

    at: datetime
    sign: str
    score: float
    window: timedelta
    came: float
    low: float
    path: float
    high: float
    excess: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """`now` is of the last hour, `episode` of the last day; the first is Unknown where nothing came in that hour."""

    now: Strange | Unknown
    episode: Strange


def reading(history: LoadHistory) -> Reading | Unknown:
    """The reading of load at the end of `history`. Unknown where nothing can be compared."""
    seen = seen_in_steps(history)
    if isinstance(seen, Unknown):
        return seen
    whole = seen.until(history.end)  # a coarser last step may not be over yet
    return reading_of(history.end, lambda day: watch(whole, day))


def reading_of(end: datetime, look: Callable[[datetime], Watched | Unknown]) -> Reading | Unknown:
    """The reading at `end` of what `look` says of its day and of the day before."""
    today = midnight(end - timedelta(microseconds=1))
    answers = [look(today - DAY), look(today)]
    looks = [answer for answer in answers if isinstance(answer, Watched)]
    if isinstance(answers[-1], Unknown) and not looks:
        return answers[-1]
    episode = _strongest(looks, since=end - EPISODE)
    if episode is None:
        return Unknown(f"nothing is known of the last {EPISODE}")
    now = _strongest(looks, since=end - HOUR)
    return Reading(now=Unknown("nothing is known of the last hour") if now is None else now, episode=episode)


def _strongest(looks: list[Watched], since: datetime) -> Strange | None:
    found = [strange for look in looks if (strange := _of_day(look, since)) is not None]
    return max(found, key=lambda strange: strange.score, default=None)


def _of_day(look: Watched, since: datetime) -> Strange | None:
    ends = [look.start + (place + 1) * look.step for place in range(len(look.score))]
    held = np.array([at > since and np.isfinite(score) for at, score in zip(ends, look.score, strict=True)], dtype=bool)
    if not held.any():
        return None
    place = int(np.argmax(np.where(held, look.score, -np.inf)))
    return Strange(
        at=ends[place],
        sign=look.names[look.sign[place]],
        score=float(look.score[place]),
        window=int(look.steps[place]) * look.step,
        came=float(look.came[place]),
        low=float(look.low[place]),
        path=float(look.path[place]),
        high=float(look.high[place]),
        excess=float(look.excess[place]),
    )


def as_json(found: Reading | Unknown) -> dict[str, Any]:
    """For the evidence of a decision: numbers to six digits, `unknown` with its reason where there is none."""
    if isinstance(found, Unknown):
        return {"unknown": found.reason}
    return {"now": _json(found.now), "episode": _json(found.episode)}


def _json(found: Strange | Unknown) -> dict[str, Any]:
    if isinstance(found, Unknown):
        return {"unknown": found.reason}
    numbers = {name: getattr(found, name) for name in ("score", "came", "low", "path", "high", "excess")}
    known = {name: float(f"{value:.6g}") for name, value in numbers.items() if np.isfinite(value)}
    return {"at": found.at.isoformat(), "sign": found.sign, "window_s": found.window.total_seconds(), **known}
