"""How long availability has to have lasted before it is trusted, learned from the stretches seen so far.

Stretches of spot availability are mostly short and sometimes very long: what has lasted will last. So
a unit is taken on spot once its machine could have been had without a break for a while, the *wait*.
For each of a row of waits the history so far says how many stretches reached it, how many of those
ended (each a loss), and how long they went on (unit-steps at the spot price). The error budget pays
for so many losses in that time; where more would have ended, only that share of them can be used:

    worth(wait) = (lasted * (1 - price) - reached * price * startup) * min(1, affordable / ended)

with the price of spot over that of on-demand. The wait of the highest worth is taken; none where no
worth is positive. A stretch that has not ended counts for what it lasted and for no loss, as in a
Kaplan-Meier estimate. What is believed before anything was seen is `SpotPrior`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

import numpy as np

from optimizer.compiled import compiled
from optimizer.physics import Counts, Floats

HOUR = timedelta(hours=1)
WAITS = (0.0, *(0.12 * 1.2**i for i in range(39)))  # hours, up to five days
NEVER = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotPrior:
    """What is believed before anything was seen, and how far ahead the error budget is spent.

    `runs` stretches of availability, one in each `cycle`, of a length that is log-uniform between
    `shortest` and `longest`: no scale is preferred. Losses may use up the budget of the time `ahead`,
    and of that only the share `caution`.
    """

    runs: float = 6.0
    shortest: timedelta = timedelta(minutes=5)
    longest: timedelta = timedelta(days=4)
    cycle: timedelta = timedelta(hours=12)
    ahead: timedelta = timedelta(days=7)
    caution: float = 0.7


class Stretches(NamedTuple):
    """Stretches of availability seen, per unit, for each wait. `serving` is the age at which a unit that waited serves.

    `reached` counts stretches that got there. `within[p]` are the unit-steps spent, and `closed[p]` the
    stretches ended, when exactly the first p of the waits had been reached.
    """

    waits: Floats
    serving: Counts
    reached: Floats
    within: Floats
    closed: Floats


def stretches(prior: SpotPrior, step: timedelta, ready_steps: int) -> Stretches:
    """The waits in steps, with the prior's stretches already counted."""
    waits = np.array(WAITS) * (HOUR / step)
    serving = np.maximum(1, np.ceil(waits).astype(np.int64) + ready_steps)
    least, most = prior.shortest / step, prior.longest / step
    ages = np.clip(serving, least, most)
    surviving = np.log(most / ages) / math.log(most / least)
    remaining = (most - ages - ages * np.log(most / ages)) / math.log(most / least)
    return Stretches(
        waits=waits,
        serving=serving,
        reached=prior.runs * surviving,
        within=prior.runs * _steps_between(remaining),
        closed=prior.runs * _steps_between(surviving),
    )


def _steps_between(beyond: Floats) -> Floats:
    """What falls between one wait and the next, from what lies beyond each; nothing before the first."""
    return np.concatenate([[0.0], beyond - np.append(beyond[1:], 0.0)])


@compiled
def watch(seen: Stretches, age: Counts, passed: Counts, available: int, units: int) -> None:
    """One more step: `age[k]` and `passed[k]` are how long unit k could be had, and the waits it has reached.

    Only the first `units`, those that are wanted, count in what is learned.
    """
    for k in range(len(age)):
        weight = 1.0 / units if k < units else 0.0
        if available > k:
            age[k] += 1
            while passed[k] < len(seen.serving) and age[k] >= seen.serving[passed[k]]:
                seen.reached[passed[k]] += weight
                passed[k] += 1
            seen.within[passed[k]] += weight
        elif age[k] > 0:
            seen.closed[passed[k]] += weight
            age[k], passed[k] = 0, 0


@compiled
def wait_for(seen: Stretches, price: float, startup: int, affordable: float) -> float:
    """The wait (in steps) of the highest worth when `affordable` losses may be had; infinite where none is worth it."""
    best, wait = 0.0, np.inf
    lasted, ended = 0.0, 0.0
    for q in range(len(seen.waits) - 1, -1, -1):
        lasted += seen.within[q + 1]
        ended += seen.closed[q + 1]
        usable = min(1.0, affordable / ended) if ended > 0.0 else 1.0
        worth = (lasted * (1.0 - price) - seen.reached[q] * price * startup) * usable
        if worth >= best and worth > 0.0:
            best, wait = worth, seen.waits[q]
    return wait
