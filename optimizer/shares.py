"""How a share of a common host is drawn up day by day, and what comes over it.

Each midnight (UTC) the share is drawn to the level over which at most the error budget's part of the last
seven days' requests came. A step that exceeds it raises the share to its own load for the rest of the day, from its end
on for the bill and one start-up later for the requests. Nothing later is seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from domain.load import Floats, LoadHistory
from optimizer.physics import StartUp

WEEK_DAYS = 7
DAY_S = 86400.0
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Requests/s that the share is paid for (`held`) and carries (`ready`) in each step."""

    held: Floats
    ready: Floats


def level_within(load_rps: Floats, budget: float) -> float:
    """The lowest level over which at most the share `budget` of these known loads comes; 0 of none."""
    if not len(load_rps):
        return 0.0
    falling = np.sort(load_rps)[::-1]
    allowed = budget * float(falling.sum())
    over = np.cumsum(falling) - np.arange(1, len(falling) + 1) * falling  # beyond each load as the level
    k = int(np.searchsorted(over, allowed, side="right"))  # so many steps are beyond the level
    return max(0.0, (float(falling[:k].sum()) - allowed) / k) if k else float(falling[0])


def drawn(load: LoadHistory, *, startup: timedelta, budget: float) -> Drawn:
    """The share step by step, from requests/s; a gap teaches nothing. Steps under a minute are looked at in minutes."""
    ratio = max(1, round(MINUTE / load.step))
    count = -(-len(load) // ratio)
    blocks = np.concatenate([load.values, np.full(count * ratio - len(load), np.nan)]).reshape(count, ratio)
    seen = np.isfinite(blocks).sum(axis=1)
    means = np.divide(np.nansum(blocks, axis=1), seen, out=np.full(count, np.nan), where=seen > 0)
    day = ((load.start.timestamp() + np.arange(count) * ratio * load.step_s) // DAY_S).astype(np.int64)
    held = _held(means, day, budget)
    start = StartUp.of(startup, ratio * load.step)
    lead = start.lead + (start.part > 0)  # a step of which a part is lost counts as lost
    padded = np.concatenate([np.full(lead - 1, held[0]), held])
    ready = np.lib.stride_tricks.sliding_window_view(padded, lead).min(axis=1)
    return Drawn(np.repeat(held, ratio)[: len(load)], np.repeat(ready, ratio)[: len(load)])


def _held(load_rps: Floats, day: NDArray[np.int64], budget: float) -> Floats:
    """Midnight's level, or the highest load of the day so far where that is more."""
    known, held = np.nan_to_num(load_rps), np.zeros(len(load_rps))
    for number in np.unique(day):
        today = np.flatnonzero(day == number)
        before = load_rps[(day < number) & (day >= number - WEEK_DAYS)]
        so_far = np.maximum.accumulate(known[today])
        level = level_within(before[np.isfinite(before)], budget)
        held[today] = np.maximum(level, np.concatenate([[0.0], so_far[:-1]]))
    return held
