"""Has capacity changed? One number a day, and a test of whether its order in time is chance.

Where every request takes k times as long, latency over load becomes k * L(k * x): a queue knows no other clock than its
service time. So a day is told by the one k that lays its steps onto the curve of the whole history, and that shows in
quiet hours as well as near the knee. A change is the split of the days into two that leaves the least deviation of log k
from the two medians, and it is real where random orders of the same days hardly ever split as well (a permutation test,
so that no noise has to be assumed normal). A version that is known to have come needs no search: what is after it is
held against the days before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from domain.load import Floats, LoadHistory
from domain.observation import VersionSeen
from optimizer.capacity.fits import Fit, binned
from optimizer.capacity.options import DriftOptions
from optimizer.capacity.pairs import OVERLOADED, Counts, Pairs

SPEEDS = 241  # tried, evenly over the logarithm: steps of 0.8 % between 1/2.5 and 2.5
BINS_OF_A_DAY = 20
NORMAL = 1.4826  # median absolute deviations in a standard deviation
SMALLEST_SPREAD = 0.01  # of the days' log k: histogram buckets can make days look more alike than they are


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """From `since` on a replica carries `share` of what it did (under 1: less); `version` came then, if one is known.

    `step` is the place of `since` in the load history. `chance` is the probability that the same days in a random
    order look so different; None where a version marked the change.
    """

    since: datetime
    step: int
    share: float
    version: str | None
    chance: float | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Speeds:
    """How many times as long requests took on each of these days as on the usual one."""

    days: Counts
    slower: Floats


def speeds(pairs: Pairs, fit: Fit, slo_s: float, options: DriftOptions) -> Speeds:
    """The k of every day with enough steps."""
    days, counts = np.unique(pairs.day, return_counts=True)
    told = days[counts >= options.min_pairs]
    found = [speed(pairs.rows(pairs.day == day), fit, slo_s, options) for day in told]
    return Speeds(days=told, slower=np.array(found, dtype=np.float64))


def speed(pairs: Pairs, fit: Fit, slo_s: float, options: DriftOptions) -> float:
    """The k with the least median absolute difference of log latency to k * L(k * x), on binned steps.

    Both are cut at three times the SLO: beyond it latency tells how long an overload lasted.
    """
    load, latency = binned(pairs, BINS_OF_A_DAY)
    k = np.exp(np.linspace(-np.log(options.widest), np.log(options.widest), SPEEDS))
    most = OVERLOADED * slo_s
    said = np.minimum(k[:, None] * fit.at((k[:, None] * load[None, :]).ravel()).reshape(len(k), len(load)), most)
    off = np.abs(np.log(said) - np.log(np.minimum(latency, most))[None, :])
    score = np.median(off, axis=1) + 0.1 * off.mean(axis=1)  # the mean parts what the median holds for equal
    return float(k[int(np.argmin(score))])


def drift_of(
    pairs: Pairs,
    fit: Fit,
    slo_s: float,
    options: DriftOptions,
    *,
    load: LoadHistory,
    versions: Sequence[VersionSeen],
) -> Drift | None:
    """The newest change of capacity in the history, or None: one that a version marks, or one that the days show.

    What came before an earlier change is left aside.
    """
    found = _by_version(pairs, fit, slo_s, options, load=load, versions=versions)
    told = speeds(pairs if found is None else pairs.since(found.step), fit, slo_s, options)
    while (change := _by_days(told, pairs, options, load)) is not None:
        found = change
        later = np.array([pairs.begin_of(int(day)) >= change.step for day in told.days])
        told = Speeds(days=told.days[later], slower=told.slower[later])
    return found


def _by_version(
    pairs: Pairs,
    fit: Fit,
    slo_s: float,
    options: DriftOptions,
    *,
    load: LoadHistory,
    versions: Sequence[VersionSeen],
) -> Drift | None:
    """The newest version whose steps differ from the days before it by enough, and by three of those days' spreads."""
    for version in reversed(versions):
        step = -((load.start - version.since) // load.step)
        new, old = pairs.since(step), pairs.rows(pairs.step < step)
        days = speeds(old, fit, slo_s, options).slower if len(old) else np.empty(0)
        if len(new) < options.min_new or not len(days):
            continue
        usual = float(np.median(np.log(days)))
        spread = NORMAL * float(np.median(np.abs(np.log(days) - usual)))
        size = float(np.log(speed(new, fit, slo_s, options))) - usual
        if abs(size) >= max(np.log1p(options.least), 3.0 * max(spread, SMALLEST_SPREAD)):
            share = float(np.exp(-size))
            return Drift(since=version.since, step=step, share=share, version=version.name, chance=None)
    return None


def _by_days(told: Speeds, pairs: Pairs, options: DriftOptions, load: LoadHistory) -> Drift | None:
    """The best split of these days, where it is large enough and not chance."""
    logs, least = np.log(told.slower), options.min_days
    if len(logs) < 2 * least:
        return None
    split, size, score = _split(logs, least)
    if abs(size) < np.log1p(options.least):
        return None
    chance = _by_chance(logs, score, options)
    if chance is None:
        return None
    step = pairs.begin_of(int(told.days[split]))
    since = load.start + step * load.step
    return Drift(since=since, step=step, share=float(np.exp(-size)), version=None, chance=chance)


def _split(logs: Floats, least: int) -> tuple[int, float, float]:
    """Where two medians describe the days best: the first day after, the difference, and how much better than one.

    Better is the absolute deviation that the second median saves, over what is left.
    """
    whole = float(np.abs(logs - np.median(logs)).sum())
    best = (least, 0.0, -1.0)
    for split in range(least, len(logs) - least + 1):
        before, after = float(np.median(logs[:split])), float(np.median(logs[split:]))
        left = float(np.abs(logs[:split] - before).sum() + np.abs(logs[split:] - after).sum())
        score = (whole - left) / max(left, SMALLEST_SPREAD * len(logs))
        if score > best[2]:
            best = (split, after - before, score)
    return best


def _by_chance(logs: Floats, score: float, options: DriftOptions) -> float | None:
    """The share of random orders of the days that split as well; None as soon as it is known to be too large."""
    rng = np.random.default_rng(options.seed)
    as_much, too_many = 0, options.chance * (1 + options.shuffles) - 1
    for _ in range(options.shuffles):
        as_much += _split(rng.permutation(logs), options.min_days)[2] >= score
        if as_much > too_many:
            return None
    return (1 + as_much) / (1 + options.shuffles)
