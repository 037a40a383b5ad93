"""Is there enough history to decide on, and if not, what is needed?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from domain.load import LoadHistory
from domain.plan import Reason
from domain.unknown import Unknown

THIN_HISTORY = "thin_history"
STALE_INPUT = "stale_input"
GAPPY_HISTORY = "gappy_history"
LONG_GAP = timedelta(days=7)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What a load history must have before anything is recommended on it.

    Two days are the least that show which part of a day repeats; three steps (and at least
    `max_age`) without a sample mean that the present is not known; under `min_coverage` the gaps
    may hide the peaks.
    """

    min_history: timedelta = timedelta(days=2)
    max_age: timedelta = timedelta(minutes=30)
    min_coverage: float = 0.7


def assess(
    load: LoadHistory | Unknown, *, observed_at: datetime, limits: Readiness | None = None
) -> tuple[Reason, ...]:
    """Every reason why `load` can not be decided on at `observed_at`; empty means ready.

    Gaps (NaN) count as missing, never as zero. Coverage is that of the last `2 * min_history`, or
    of the whole history where it is shorter, so that an outage of last month is forgiven.
    """
    limits = limits or Readiness()
    if isinstance(load, Unknown):
        return (Reason(code=THIN_HISTORY, detail=f"no load history: {load.reason}; needed: {_wanted(limits)}"),)
    seen = load.until(observed_at)
    known = np.flatnonzero(np.isfinite(seen.values))
    if not len(known):
        detail = f"none of {len(seen)} steps of load is known; needed: {_wanted(limits)}"
        return (Reason(code=THIN_HISTORY, detail=detail),)
    found = (_thin(seen, known, limits), _stale(seen, known, observed_at, limits), _gappy(seen, known, limits))
    return tuple(reason for reason in found if reason is not None)


def length_of_history(load: LoadHistory) -> timedelta:
    """How long the load has been seen: from its first known step on, without gaps of over a week, to the nearest hour.

    A source may be asked for more than it has: what lies before the first known step is no history. To the hour, so
    that a scrape missed at the edge of the lookback changes nothing.
    """
    seen = load.from_first_known()
    known = np.flatnonzero(np.isfinite(seen.values))
    gaps = (np.diff(known, append=len(seen)) - 1) * seen.step
    absent = sum((gap for gap in gaps.tolist() if gap > LONG_GAP), timedelta(0))
    return round((len(seen) * seen.step - absent) / HOUR) * HOUR


def _wanted(limits: Readiness) -> str:
    return f"{span(limits.min_history)} of load, {limits.min_coverage:.0%} of it known"


def _thin(seen: LoadHistory, known: np.ndarray[tuple[int], np.dtype[np.intp]], limits: Readiness) -> Reason | None:
    reach = int(known[-1] - known[0] + 1) * seen.step
    if reach >= limits.min_history:
        return None
    missing = limits.min_history - reach
    detail = f"{span(reach)} of load history; needed: {span(limits.min_history)}, so {span(missing)} more"
    return Reason(code=THIN_HISTORY, detail=detail, before=span(reach), after=span(limits.min_history))


def _stale(
    seen: LoadHistory, known: np.ndarray[tuple[int], np.dtype[np.intp]], observed_at: datetime, limits: Readiness
) -> Reason | None:
    age = observed_at - (seen.start + int(known[-1] + 1) * seen.step)
    allowed = max(limits.max_age, 3 * seen.step)
    if age <= allowed:
        return None
    detail = f"the newest known load is {span(age)} old; needed: a sample of the last {span(allowed)}"
    return Reason(code=STALE_INPUT, detail=detail, before=span(age), after=span(allowed))


def _gappy(seen: LoadHistory, known: np.ndarray[tuple[int], np.dtype[np.intp]], limits: Readiness) -> Reason | None:
    recent = seen.values[known[0] :][-int(2 * limits.min_history / seen.step) :]
    coverage = float(np.isfinite(recent).mean())
    if coverage >= limits.min_coverage:
        return None
    detail = (
        f"{coverage:.0%} of the last {span(len(recent) * seen.step)} of load is known; "
        f"needed: {limits.min_coverage:.0%} (find out why samples are missing; gaps are not read as zero)"
    )
    return Reason(code=GAPPY_HISTORY, detail=detail, before=f"{coverage:.0%}", after=f"{limits.min_coverage:.0%}")


def span(duration: timedelta) -> str:
    """A duration as people say it: `36 h`, `12 min`, `2.5 d`."""
    seconds = duration.total_seconds()
    for size, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size or (unit == "d" and seconds == size):
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"
