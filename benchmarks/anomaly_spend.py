"""Pages about spend on recorded traces: how many come where nothing leaks, and how many injected leaks are found.

Replicas are those of an HPA on the trace, twenty at the load of its 99th percentile, at one dollar an hour each. A
leak adds replicas for some hours of a day without any load; each is injected by itself, at a drawn hour of a drawn day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from benchmarks.anomaly_methods import DAY, FIRST, HOUR, Scores
from domain.load import Floats, LoadHistory
from optimizer.anomalies.reading import EPISODE
from optimizer.anomalies.spend import expected_share
from optimizer.anomalies.watch import Watched, midnight, watch
from optimizer.replay.baselines import hpa

REPLICAS = 20  # at the 99th percentile of the load
FLOOR_USD = 0.1  # the default of rules.cost_floor_usd_per_hour
LEAKS_A_TRACE = 10  # of each kind
SEED = 20261125

Leak = Callable[[Floats, int, int], Floats]
"""Replicas with a leak from a step up to another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of leak, and for how long it stays."""

    hours: int
    made: Leak


def _times(factor: float) -> Leak:
    def made(replicas: Floats, first: int, last: int) -> Floats:
        leaking = replicas.copy()
        leaking[first:last] = np.ceil(factor * replicas[first:last])
        return leaking

    return made


def _kept(replicas: Floats, first: int, last: int) -> Floats:
    """What ran at most on the day so far and in the hours of the leak stays: nothing is scaled down."""
    leaking = replicas.copy()
    leaking[first:last] = np.nanmax(replicas[max(0, first - (last - first)) : last])
    return leaking


KINDS: Mapping[str, Kind] = {
    "doubled for 4 h": Kind(hours=4, made=_times(2.0)),
    "half more for 4 h": Kind(hours=4, made=_times(1.5)),
    "doubled for 12 h": Kind(hours=12, made=_times(2.0)),
    "not scaled down for 8 h": Kind(hours=8, made=_kept),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendOutcome:
    """Pages where nothing leaks in so many weeks, and of each kind of leak how many were injected and found."""

    false: int
    weeks: float
    injected: Mapping[str, int]
    found: Mapping[str, int]


def replicas_of(load: LoadHistory) -> Floats:
    """What the HPA runs, a step late."""
    target = max(float(np.nanquantile(load.values, 0.99)) / REPLICAS, 1e-12)
    wanted = hpa(load.values, target, max(1, round(timedelta(minutes=5) / load.step)), 1).astype(np.float64)
    return np.concatenate([wanted[:1], wanted[:-1]])


def told(load: LoadHistory, replicas: Floats, day: datetime, strange: NDArray[np.bool_]) -> Floats:
    """The steps of a day: 1 where spend is told of, 0 where not, NaN where nothing can be said.

    Beside strange load, and six hours after it, only the load is told. Nothing later than a day is used for it.
    """
    seen = load.until(day + DAY)
    share = expected_share(seen)
    ratio = LoadHistory(start=load.start, step=load.step, values=replicas[: len(seen)] / share)
    looked = watch(ratio, day, less=False)
    first = (day - load.start) // load.step
    if not isinstance(looked, Watched):
        return np.full(len(seen) - first, np.nan)
    usd = (looked.came - looked.path) * share[first : first + len(looked.score)]
    out = (looked.score > 1) & (usd > FLOOR_USD) & ~strange[first : first + len(looked.score)]
    return np.where(np.isfinite(looked.score), out, np.nan)


def explained(scores: Scores, step: timedelta) -> NDArray[np.bool_]:
    """The steps whose load is out of the ordinary, or was within six hours."""
    width = EPISODE // step + 1
    return np.convolve(scores.own, np.ones(width))[: len(scores.own)] > 0


def spend_outcome(
    load: LoadHistory, scores: Scores, pages: Callable[[NDArray[np.bool_], timedelta], list[int]]
) -> SpendOutcome:
    """One trace; `scores` are those of its load."""
    replicas, strange = replicas_of(load), explained(scores, load.step)
    begin = midnight(load.start + FIRST)
    days = [begin + n * DAY for n in range((load.end - begin) // DAY)]
    quiet = {day: told(load, replicas, day, strange) for day in days}
    line = np.concatenate(list(quiet.values())) if quiet else np.empty(0)
    judged = [day for day in days if np.isfinite(quiet[day]).any()]
    draw = np.random.default_rng([SEED, len(load)])
    injected, found = dict.fromkeys(KINDS, 0), dict.fromkeys(KINDS, 0)
    for what, kind in KINDS.items():
        for place in draw.permutation(len(judged))[:LEAKS_A_TRACE]:
            day, hour = judged[place], int(draw.integers(0, 25 - kind.hours))
            first, steps = (day + hour * HOUR - load.start) // load.step, kind.hours * HOUR // load.step
            leaking = kind.made(replicas, first, first + steps)
            if leaking[first : first + steps].sum() <= replicas[first : first + steps].sum():
                continue  # nothing was to be scaled down
            within = slice(hour * HOUR // load.step, hour * HOUR // load.step + steps)
            injected[what] += 1
            found[what] += bool((told(load, leaking, day, strange)[within] == 1).any())
    return SpendOutcome(
        false=len(pages(line == 1, load.step)),
        weeks=float(np.isfinite(line).sum() * load.step / timedelta(days=7)),
        injected=injected,
        found=found,
    )


def together(outcomes: Sequence[SpendOutcome]) -> SpendOutcome:
    """The sum of several."""
    return SpendOutcome(
        false=sum(each.false for each in outcomes),
        weeks=sum(each.weeks for each in outcomes),
        injected={kind: sum(each.injected[kind] for each in outcomes) for kind in KINDS},
        found={kind: sum(each.found[kind] for each in outcomes) for kind in KINDS},
    )


def spend_table(rows: Mapping[str, SpendOutcome]) -> str:
    """One line a trace: pages where nothing leaks, and of each kind of leak the found of the injected."""
    lines = [
        "| trace | pages without a leak | a week | " + " | ".join(KINDS) + " |",
        "|---|---|---|" + "---|" * len(KINDS),
    ]
    for name, one in rows.items():
        rate = f"{one.false / one.weeks:.2f}" if one.weeks else "-"
        cells = [f"{one.found[kind]} of {one.injected[kind]}" if one.injected[kind] else "-" for kind in KINDS]
        lines.append(f"| {name} | {one.false} | {rate} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def bodies(rows: Mapping[str, SpendOutcome]) -> dict[str, object]:
    """For the JSON."""
    return {name: asdict(one) for name, one in rows.items()}
