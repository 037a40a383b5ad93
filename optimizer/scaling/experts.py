"""The experts: whole causal policies, each a predictor at one tail or one price, held while replicas start.

Seven ways of seeing what comes, each at several tails: the mean with a learned spread, the newsvendor
regression, boosted trees, the peak of the last ten minutes or hour, the same time yesterday and last week, last
week's coming half hour, and a plain number for all times. None is tuned to a trace; what each is
worth is seen in shadow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.compiled import compiled
from optimizer.physics import Counts, Floats, StartUp
from optimizer.scaling.features import DAY_S, HOUR_S, Clock, Seasons, carried, seasons, trailing_max
from optimizer.scaling.mean import HALF_LIFE_S, expected, spread
from optimizer.scaling.newsvendor import Outlook, Sampling, newsvendor, profile_features
from optimizer.scaling.tails import Fading, conformal
from optimizer.scaling.trees import growing, tree_features, tree_tail

SPREAD_TAILS = np.array([0.5, 0.35, 0.2, 0.1, 0.05, 0.02, 0.01, 5e-3, 2e-3, 1e-3, 5e-4, 2e-4, 1e-4])
SHAPE_TAILS = np.array([0.3, 0.1, 0.03, 0.01, 3e-3, 1e-3, 3e-4, 1e-4])
PRICES = np.array([1.5, 3.0, 6.0, 12.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10000.0])
FEATURE_TAILS = [4, 6, 9]  # 5 %, 1 % and 0.1 %
TREE_TAILS = ((0.02, 4), (0.004, 6))  # and the price whose target the trees begin from
REACHES = np.geomspace(0.5, 6.0, 12)  # times what the trees say lies above the mean
REFRESH_S = HOUR_S
MEMORY_S = 14 * DAY_S
DRAWS = 12
LEAST_REACH = 0.1  # spreads
BEYOND = 3.0  # times the highest load ever seen: what is past that has no evidence, at any price
MIXED_BEYOND = 2  # the same of a mixture: one wish past it may move the mean, but not lead
MOST = np.iinfo(np.int32).max  # replicas: a hundred experts at every step are held in half the memory
STILL = 0.3  # replicas added to a shape that may be zero, so that a ratio to it means something

DETAILS = {
    "spread": "mean forecast plus a tail of the learned spread",
    "newsvendor": "regression on error profiles by phase of the half-hour, hour and day",
    "trees": "boosted trees on the last minutes, the clock and the two above, times a learned factor",
    "now": "present load times a learned factor",
    "ten minutes": "peak of the last ten minutes times a learned factor",
    "hour": "peak of the last hour times a learned factor",
    "season": "peak around the same time yesterday and last week, times a learned factor",
    "last week": "busiest coming half hour of last week, times a learned factor",
    "constant": "one number for all times, from the whole history",
}
YOUNG = ("hour", 0.01)  # who decides until two days have been seen


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Experts:
    """`wanted` is (steps, experts): whole replicas each would ask for; `mean`, `spread` the forecast for t + d.

    `most` (steps) is the most that a mixture of them is worth, by the highest load ever seen.
    """

    names: tuple[tuple[str, float], ...]
    wanted: NDArray[np.int32]
    most: Counts
    mean: Floats
    spread: Floats


@compiled
def _ramped(targets: Floats, lead: int, part: float, floor: int) -> Counts:
    """Held over the last `lead` targets; a rise is ordered in excess where a part of its first step is lost."""
    wanted = np.empty(len(targets), dtype=np.int64)
    last = floor
    for t in range(len(targets)):
        held = float(floor)
        for j in range(max(0, t - lead + 1), t + 1):
            held = max(held, targets[j])
        if part > 0.0 and held > last:
            held = np.ceil(last + (held - last) / (1.0 - part) - 1e-9)
        last = int(held)
        wanted[t] = last
    return wanted


def whole_replicas(target: Floats, excess: Floats) -> Floats:
    """The whole number that costs least around a target, by the economics of the last replica.

    With P(load > x) = p exp(-(x - target)/s) beyond the target and a price of 1/p per miss, replica k + 1
    pays while p-priced misses it saves exceed its cost: k >= target + s ln(s (1 - exp(-1/s))). For s much
    above one this rounds to the nearest, for s near zero it rounds up.
    """
    s = np.maximum(excess, 1e-3)
    whole: Floats = np.ceil(target + s * np.log(np.clip(s * (1.0 - np.exp(-1.0 / s)), 1e-9, 1.0)) - 1e-9)
    return whole


def _shapes(load: Floats, past: Seasons, clock: Clock) -> Iterator[tuple[str, Floats]]:
    known = carried(load)
    ten = trailing_max(known, clock.steps(600.0))
    yield "now", known + STILL
    yield "ten minutes", ten + STILL
    yield "hour", trailing_max(known, clock.steps(HOUR_S)) + STILL
    yield "season", np.maximum(ten, np.maximum(past.week_peak, past.day_peak)) + STILL
    yield "last week", np.maximum(known, past.week_half_hour) + STILL
    yield "constant", np.ones(len(load))


def _targets(load: Floats, clock: Clock) -> Iterator[tuple[str, Floats, NDArray[np.float64], NDArray[np.float64]]]:
    """Each predictor: its name, its tails (or 1/prices, or reaches), and for each a target and the mean excess beyond it."""
    fading = Fading(lead=clock.lead, keep=0.5 ** (clock.step_s / HALF_LIFE_S), every=clock.steps(REFRESH_S))
    past = seasons(load, clock)
    mean = expected(load, clock, past)
    width = spread(load, mean, clock)
    yield "mean", np.array([]), mean[None], width[None]
    target, excess = conformal(load, mean, width, SPREAD_TAILS, fading)
    yield "spread", SPREAD_TAILS, target, excess
    sampling = Sampling(lead=clock.lead, window=clock.steps(MEMORY_S), draws=DRAWS)
    rows = profile_features(load, Outlook(mean=mean, spread=width, tails=target[FEATURE_TAILS]), past, clock)
    priced = newsvendor(load, rows, PRICES, sampling)
    nearest = [int(np.argmin(np.abs(np.log(SPREAD_TAILS * price)))) for price in PRICES]
    yield "newsvendor", 1.0 / PRICES, priced, excess[nearest]
    said = tree_features(load, [mean, width, *(priced[at] for _, at in TREE_TAILS)], clock)
    for tail, at in TREE_TAILS:
        above = tree_tail(load, said, np.maximum(priced[at], mean), growing(clock, tail, MEMORY_S)) - mean
        reach = mean + REACHES[:, None] * np.maximum(above, LEAST_REACH * width)
        yield "trees", REACHES, reach, np.broadcast_to(excess[nearest[at]], reach.shape)
    nothing = np.zeros(len(load))
    for name, shape in _shapes(load, past, clock):
        yield name, SHAPE_TAILS, *conformal(load, nothing, shape, SHAPE_TAILS, fading)


def assemble(load: Floats, clock: Clock, startup: StartUp, floor: int) -> Experts:
    """Every expert's wish at every step of `load` (replicas; NaN where missing)."""
    predictors = _targets(load, clock)
    _, _, mean, width = next(predictors)
    highest = np.maximum.accumulate(carried(load))
    ceiling = np.ceil(BEYOND * highest)
    parts = (0.0, startup.part) if startup.whole == 0 and startup.part > 0.0 else (0.0,)
    names, wanted = [], []
    for name, tails, target, excess in predictors:
        whole = np.minimum(whole_replicas(target, excess), ceiling)
        for k, tail in enumerate(tails):
            for part in parts:
                names.append((name, float(tail)))
                wanted.append(np.minimum(_ramped(whole[k], clock.lead, part, floor), MOST).astype(np.int32))
    return Experts(
        names=tuple(names),
        wanted=np.column_stack(wanted),
        most=np.maximum(MIXED_BEYOND * np.ceil(highest), floor).astype(np.int64),
        mean=mean[0],
        spread=width[0],
    )
