"""What must not train a model: outages, impossible values, and windows the user names.

Masked steps become gaps (NaN) and each window is listed with its reason. Zeros that belong to a
sparse workload are load like any other and are never masked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from domain.load import Floats, LoadHistory
from optimizer.grid import DAY

LOOKBACK_DAYS = 28
MIN_OTHER_DAYS = 3
LOW_SHARE = 0.02  # of the least that is usual at this time of day
BUSY_SHARE = 0.1  # of the mean load: a time of day that is usually quieter is never called an outage
SHORTEST = timedelta(minutes=5)
LONGEST = timedelta(hours=12)  # what is down for longer is a new regime, not an outage
LEAST_MISSED = 30.0  # requests that should have come: chance alone leaves fewer than e**-30 such runs empty


@dataclass(frozen=True, slots=True, kw_only=True)
class Mask:
    """A window taken out of the training data: `[start, end)`, and why."""

    start: datetime
    end: datetime
    kind: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """A history whose masked steps are missing (NaN), and the list of what was masked."""

    history: LoadHistory
    masked: tuple[Mask, ...]


def clean(history: LoadHistory, *, named: Sequence[Mask] = ()) -> Cleaned:
    """Masks outages, negative rates among non-negative ones, and the windows `named` by the caller.

    An outage is a run of 5 min to 12 h at under 2 % of what is usual at that time of day (the lower
    fifth of the other days of four weeks, and neither neighbour day nor neighbour week as low) in
    which at least 30 requests were to be expected. Where that happens more than once a week it is
    the workload's habit, and nothing is masked. Gaps stay gaps.
    """
    values = np.array(history.values)
    masks = [*_negative(history), *_outages(history), *named]
    for mask in masks:
        first = max(0, (mask.start - history.start) // history.step)
        last = max(0, -((history.start - mask.end) // history.step))
        values[first:last] = np.nan
    if not masks:
        return Cleaned(history=history, masked=())
    masks.sort(key=lambda mask: mask.start)
    return Cleaned(
        history=LoadHistory(start=history.start, step=history.step, values=values),
        masked=tuple(masks),
    )


def _negative(history: LoadHistory) -> list[Mask]:
    """A rate under zero is an artefact of a counter; a signal that is often negative is no rate."""
    low = history.values < 0
    if not low.any() or low.sum() > 0.01 * len(low):
        return []
    return [_mask(history, a, b, "counter_reset", "a rate cannot be negative") for a, b in runs(low)]


def _outages(history: LoadHistory) -> list[Mask]:
    usual = _usual(history)
    known = history.values[np.isfinite(usual)]
    if not np.isfinite(known).any():
        return []
    low = (history.values >= 0) & (history.values <= LOW_SHARE * usual) & (usual > BUSY_SHARE * np.nanmean(known))
    found = [(a, b) for a, b in runs(low) if (b - a) * history.step >= SHORTEST]
    if len(found) > max(2, len(known) * history.step / timedelta(days=7)):
        return []  # this workload goes quiet by habit
    return [
        _mask(history, a, b, "outage", f"under {LOW_SHARE:.0%} of the usual {usual[a:b].mean():.3g}/s")
        for a, b in found
        if (b - a) * history.step <= LONGEST and usual[a:b].sum() * history.step_s >= LEAST_MISSED
    ]


def _usual(history: LoadHistory) -> Floats:
    """The least load that is usual at each step's time of day, from the other days; NaN where unknown."""
    usual = np.full(len(history), np.nan)
    if DAY % history.step:
        return usual
    per_day = DAY // history.step
    days = min(LOOKBACK_DAYS, len(history) // per_day)
    if days <= MIN_OTHER_DAYS:
        return usual
    by_day = history.values[-days * per_day :].reshape(days, per_day)
    others = np.isfinite(by_day).sum(axis=0) - 1
    # The day looked at is itself among the lowest when it matters: the fifth of the others is one rank up.
    rank = 1 + np.maximum(others - 1, 0) // 5
    fifth = np.take_along_axis(np.sort(by_day, axis=0), np.minimum(rank, days - 1)[None, :], axis=0)[0]
    fifth[others < MIN_OTHER_DAYS] = np.nan
    least = np.repeat(fifth[None, :], days, axis=0)
    for lag in (1, 7):
        if lag < days:
            least[lag:] = np.fmin(least[lag:], by_day[:-lag])
            least[:-lag] = np.fmin(least[:-lag], by_day[lag:])
    least[:, others < MIN_OTHER_DAYS] = np.nan
    usual[-days * per_day :] = least.ravel()
    return usual


def runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Half-open index ranges of the runs of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _mask(history: LoadHistory, first: int, last: int, kind: str, detail: str) -> Mask:
    return Mask(
        start=history.start + first * history.step, end=history.start + last * history.step, kind=kind, detail=detail
    )
