"""Pages about spend on recorded traces: how many come where nothing leaks, and how many injected leaks are found.

Replicas are those that a scaler runs on the trace, about twenty at the load of its 99th percentile, at one dollar an hour
each. A leak adds replicas for some hours without any load; each is injected by itself, at a drawn hour of a drawn day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from benchmarks.anomaly_methods import DAY, FIRST, HOUR
from domain.load import Floats, LoadHistory
from optimizer.anomalies.judging import Watched
from optimizer.anomalies.spend import spend_watch
from optimizer.anomalies.watch import midnight
from optimizer.replay.baselines import hpa

REPLICAS = 20  # at the 99th percentile of the load
FLOOR_USD = 0.1  # the default of rules.cost_floor_usd_per_hour
LEAKS_A_TRACE = 10  # of each kind
SEED = 20261125

Leak = Callable[[Floats, int, int], Floats]
"""Replicas with a leak from a step up to another."""
Pages = Callable[[NDArray[np.bool_], timedelta], list[int]]
"""The steps at which pages begin."""


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


def _creeping(replicas: Floats, first: int, last: int) -> Floats:
    """One more at the beginning and with every eighth of the leak."""
    leaking = replicas.copy()
    leaking[first:last] += 1 + 8 * np.arange(last - first) // (last - first)
    return leaking


KINDS: Mapping[str, Kind] = {
    "doubled for 4 h": Kind(hours=4, made=_times(2.0)),
    "half more for 4 h": Kind(hours=4, made=_times(1.5)),
    "doubled for 12 h": Kind(hours=12, made=_times(2.0)),
    "not scaled down for 8 h": Kind(hours=8, made=_kept),
    "half more for 24 h": Kind(hours=24, made=_times(1.5)),
    "a quarter more for 24 h": Kind(hours=24, made=_times(1.25)),
    "one more every 6 h for 48 h": Kind(hours=48, made=_creeping),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendOutcome:
    """Pages where nothing leaks in so many weeks, and of each kind of leak how many were injected and found."""

    false: int
    weeks: float
    injected: Mapping[str, int]
    found: Mapping[str, int]


def by_hpa(load: LoadHistory, *, held: timedelta = timedelta(minutes=5), late: int = 1) -> Floats:
    """What the HPA runs that scales down after `held`, so many steps late."""
    wanted = hpa(load.values, _target(load), max(1, round(held / load.step)), 1).astype(np.float64)
    return np.concatenate([np.repeat(wanted[:1], late), wanted[:-late]])


def by_slow_hpa(load: LoadHistory) -> Floats:
    """The same that scales down after half an hour, two steps late."""
    return by_hpa(load, held=timedelta(minutes=30), late=2)


def by_clock(load: LoadHistory) -> Floats:
    """A schedule: in each hour the second largest need of that hour in the week before; for the first two days the HPA."""
    replicas, per_hour = by_hpa(load), HOUR // load.step
    hours = load.values[: len(load) // per_hour * per_hour].reshape(-1, per_hour)
    most = np.fmax.reduce(hours, axis=1)
    for hour in range(2 * 24, len(most)):
        alike = most[hour % 24 : hour : 24][-7:]
        known = np.sort(alike[np.isfinite(alike)])
        if len(known) > 1:
            replicas[hour * per_hour : (hour + 1) * per_hour] = max(1.0, np.ceil(known[-2] / _target(load)))
    return replicas


SCALERS: Mapping[str, Callable[[LoadHistory], Floats]] = {
    "HPA": by_hpa,
    "HPA, half an hour": by_slow_hpa,
    "clock": by_clock,
}


def _target(load: LoadHistory) -> float:
    return max(float(np.nanquantile(load.values, 0.99)) / REPLICAS, 1e-12)


def told(load: LoadHistory, replicas: Floats, day: datetime) -> Floats:
    """The steps of a day: 1 where spend is told of, 0 where not, NaN where nothing can be said."""
    spend = LoadHistory(start=load.start, step=load.step, values=replicas)
    looked = spend_watch(load, spend, day)
    if not isinstance(looked, Watched):
        return np.full(min(DAY // load.step, len(load) - (day - load.start) // load.step), np.nan)
    out = (looked.score > 1) & (looked.came - looked.path > FLOOR_USD)
    return np.where(np.isfinite(looked.score), out, np.nan)


def spend_outcome(load: LoadHistory, replicas: Floats, pages: Pages) -> SpendOutcome:
    """One trace with the replicas that run without a leak."""
    begin = midnight(load.start + FIRST)
    days = [begin + n * DAY for n in range((load.end - begin) // DAY)]
    quiet = {day: told(load, replicas, day) for day in days}
    line = np.concatenate(list(quiet.values())) if quiet else np.empty(0)
    judged = [day for day in days if np.isfinite(quiet[day]).any()]
    draw = np.random.default_rng([SEED, len(load)])
    injected, found = dict.fromkeys(KINDS, 0), dict.fromkeys(KINDS, 0)
    for what, kind in KINDS.items():
        for place in draw.permutation(len(judged))[:LEAKS_A_TRACE]:
            began = judged[place] + int(draw.integers(0, max(1, 25 - kind.hours))) * HOUR
            first = (began - load.start) // load.step
            last = min(len(load), first + kind.hours * HOUR // load.step)
            leaking = kind.made(replicas, first, last)
            if leaking[first:last].sum() <= replicas[first:last].sum():
                continue  # nothing was to be scaled down
            injected[what] += 1
            found[what] += _found(load, leaking, first, last)
    return SpendOutcome(
        false=len(pages(line == 1, load.step)),
        weeks=float(np.isfinite(line).sum() * load.step / timedelta(days=7)),
        injected=injected,
        found=found,
    )


def _found(load: LoadHistory, leaking: Floats, first: int, last: int) -> bool:
    """Whether spend is told of at a step of the leak; each of its days knows the leak of the days before."""
    day = midnight(load.start + first * load.step)
    while day < load.start + last * load.step:
        begin = (day - load.start) // load.step
        within = slice(max(0, first - begin), last - begin)
        if (told(load, leaking, day)[within] == 1).any():
            return True
        day += DAY
    return False


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


def scaler_table(spent: Mapping[str, Mapping[str, SpendOutcome]]) -> str:
    """One line a scaler: pages a week where nothing leaks, traces with more than one, and the share found of each kind."""
    lines = [
        "| scaled by | pages a week without a leak | more than one a week | " + " | ".join(KINDS) + " |",
        "|---|---|---|" + "---|" * len(KINDS),
    ]
    for scaler, rows in spent.items():
        one = together(list(rows.values()))
        over = [name for name, each in rows.items() if each.false > each.weeks]
        cells = [f"{one.found[kind] / one.injected[kind]:.0%}" if one.injected[kind] else "-" for kind in KINDS]
        rate = f"{one.false / one.weeks:.2f}" if one.weeks else "-"
        lines.append(f"| {scaler} | {rate} | {', '.join(over) or 'none'} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def bodies(rows: Mapping[str, SpendOutcome]) -> dict[str, object]:
    """For the JSON."""
    return {name: asdict(one) for name, one in rows.items()}
