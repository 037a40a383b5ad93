"""One-off incidents: what was lost in them, and how much of it no price in proportion would have saved.

The pacing keeps the price of a miss within three times the budget's own (`optimizer.scaling.pacing`), so
what even the policy of that price missed is written off: no replicas are bought to win it back at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from domain.load import LoadHistory
from domain.plan import Reason
from optimizer.frontier import wanted_at
from optimizer.physics import Counts, Floats, StartUp, run
from optimizer.promise import SANE
from optimizer.scaling import Decisions, ScalingProblem

APART = timedelta(hours=1)  # misses closer than this are one incident
GRAVE = 0.25  # of the window's budget, or it is everyday business
MOST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """A stretch of misses. Shares are of all requests of the window; `written_off` is the part missed at any sane price."""

    start: datetime
    end: datetime
    missed_requests: float
    missed_share: float
    written_off_share: float
    budget: float

    def reason(self) -> Reason:
        """What was lost, and how much of it is not chased."""
        written_off = self.missed_requests * self.written_off_share / self.missed_share
        return Reason(
            code="incident_written_off",
            detail=f"{self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M} UTC: {self.missed_requests:,.0f} requests were missed, "
            f"{self.missed_share / self.budget:.3g} times the error budget of the recent past; {written_off:,.0f} of them would have been at any "
            "price in proportion to the budget and are not chased",
        )


def incidents(
    history: LoadHistory, problem: ScalingProblem, decisions: Decisions, /, *, first: int
) -> tuple[Incident, ...]:
    """The gravest incidents from step `first` on (at most three, by time), each with something to write off.

    `history` is requests/s; a gap is no miss. None of them where misses have a price of their own, for then no budget is chased.
    """
    row, load = decisions.row, history.values / problem.capacity_rps
    total = float(np.nansum(load[first:]))
    if row is None or not len(row.wanted) or total <= 0.0 or problem.price_of_miss is not None:
        return ()
    startup, column = StartUp.of(problem.startup, history.step), _sane_column(row.prices, problem.budget)

    def missed_by(wanted: Counts) -> Floats:
        return run(load, wanted, startup, most=problem.max_replicas).missed[first:] / total

    live, sane = missed_by(decisions.desired), missed_by(wanted_at(row, column, len(history), problem))
    lost = np.minimum(live, sane)
    requests = total * problem.capacity_rps * history.step_s
    found = [
        Incident(
            start=history.start + (first + a) * history.step,
            end=history.start + (first + b) * history.step,
            missed_requests=float(live[a:b].sum()) * requests,
            missed_share=float(live[a:b].sum()),
            written_off_share=float(lost[a:b].sum()),
            budget=problem.budget,
        )
        for a, b in _stretches(live > 0, max(1, APART // history.step))
    ]
    grave = [each for each in found if each.missed_share >= GRAVE * problem.budget and each.written_off_share > 0.0]
    worst = sorted(grave, key=lambda each: -each.missed_share)[:MOST]
    return tuple(sorted(worst, key=lambda each: each.start))


def _sane_column(prices: Floats, budget: float) -> int:
    """The dearest price that is still in proportion to the budget."""
    return max(0, int(np.searchsorted(prices, SANE / budget, side="right")) - 1)


def _stretches(missed: NDArray[np.bool_], apart: int) -> list[tuple[int, int]]:
    """First and one past the last step of each stretch of misses with less than `apart` steps between them."""
    places = np.flatnonzero(missed)
    if not len(places):
        return []
    breaks = np.flatnonzero(np.diff(places) > apart)
    begins, ends = places[np.concatenate([[0], breaks + 1])], places[np.concatenate([breaks, [len(places) - 1]])]
    return [(int(a), int(b) + 1) for a, b in zip(begins, ends, strict=True)]
