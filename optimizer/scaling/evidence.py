"""What each price would miss, as far as few events can tell.

Misses come in events (a spike misses for minutes on end), and at high prices there are two to five of them a
week: a replayed share says little, and that nothing was missed says nothing. So the row of prices is read
from the cheapest on: from one price to the next, misses are expected to fall by the ratio of the two, give or
take 0.4 of that on a log scale, and what was seen moves this by Bayes' rule as far as its number of events
allows. The events in a weighted sum are its square over the sum of squares of hours (Kish 1965). At the
dearer price some of the same events are missed again, so the log ratio of the two varies by the
difference of the inverse numbers, plus a tenth of the dearer one's own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.compiled import compiled
from optimizer.physics import Floats

Matrix = NDArray[np.float64]

DOUBT = 0.4
OWN = 0.1
CAUTION = 2.0  # standard errors that the shares are told too high
NONE = 1e-9  # no share is told to be smaller


@compiled
def _events(total: float, squares: float) -> float:
    return total * total / squares if squares > 0.0 else 0.0


@compiled
def _fall(misses: Floats, squares: Floats, j: int, step: float) -> float:
    """By how much the log of the missed share falls from price j to the next; `step` is the log ratio of prices."""
    if squares[j] <= 0.0 or squares[j + 1] <= 0.0:
        return step
    dearer = 1.0 / _events(misses[j + 1], squares[j + 1])
    cheaper = 1.0 / _events(misses[j], squares[j])
    varies = max(dearer - cheaper, 0.0) + OWN * dearer
    doubt = (DOUBT * step) ** 2
    seen = max(0.0, np.log(misses[j] / misses[j + 1]))
    return float((step / doubt + seen / varies) / (1.0 / doubt + 1.0 / varies))


@compiled
def careful_shares(misses: Floats, squares: Floats, seen: float, step: float, shares: Floats) -> None:
    """Fill `shares` (prices, rising) with the share of requests that each would miss, told CAUTION errors too high.

    `misses` are weighted sums of replicas missed, `squares` those of its hours squared, `seen` of the load.
    """
    level = np.log(max(misses[0] / seen, NONE))
    events = _events(misses[0], squares[0])
    for j in range(len(misses)):
        if j > 0:
            fall = _fall(misses, squares, j - 1, step)
            level -= fall
            events = _events(misses[j], squares[j]) if squares[j] > 0.0 else events * np.exp(-fall)
        shares[j] = max(np.exp(level), NONE) * (1.0 + CAUTION / np.sqrt(1.0 + events))
