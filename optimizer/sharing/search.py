"""Finds a packing of a large pool: annealed as a whole (of a very large one those who gain most), then rebuilt a few hosts at a time.

A rebuild takes some hosts apart and anneals their tenants from everybody alone, mostly with only a part of the host
types on offer: what is missing forces other sizes than those that the search had settled on. It stays if it is no
dearer. Every number is drawn from a seeded generator and the work is counted, never timed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from optimizer.sharing.anneal import Cooling, anneal
from optimizer.sharing.arrays import Arrays, Counts, Flags

MOVES_PER_ITEM, MOST_MOVES = 2500, 700_000
REBUILDS, REBUILT_MOVES_PER_ITEM = 200, 400
MOST_HOSTS, MOST_ALONE = 5, 3  # taken apart in one rebuild
FEWER_TYPES, TYPES_LEFT = 0.6, 0.6  # share of rebuilds with fewer types, and of the types that are left then
COOLED = 30.0  # first temperature over the last
NO_DEARER = 1e-9


class Heat(NamedTuple):
    """First temperature in what an average item pays, and the first weight of the smooth price."""

    first: float
    smooth: float


STARTS = (Heat(0.5, 0.6), Heat(1.6, 0.9))
REBUILD_HEATS = (0.2, 0.5, 1.6)
REBUILD_SMOOTH = (0.6, 0.9, 1.0)
POLISH = Heat(0.05, 0.0)


def search(pool: Arrays) -> Counts:
    """The host of each item in the cheapest packing found; the same for the same pool."""
    random = np.random.default_rng(0)
    first = foremost(pool, MOST_MOVES // MOVES_PER_ITEM)
    part = subset(pool, first)
    starts = [_annealed(part, _alone(part), heat, MOVES_PER_ITEM, 0) for heat in STARTS]
    lives = _alone(pool)
    lives[first] = first[_named(min(starts, key=lambda each: each[0])[1])]
    for turn in range(REBUILDS):
        items = _taken_apart(lives, random)
        if len(items) < 2:
            break
        before, after, found = _rebuilt(subset(pool, items), lives[items], turn, random)
        if after <= before + NO_DEARER:
            lives[items] = items[_named(found)]
    return lives


def foremost(pool: Arrays, count: int) -> Counts:
    """The `count` items that are worth most for what they use, or all: moves shared among more find nothing for anybody.

    What they use is priced as if hosts were full at all hours: at the cheapest, by the resource of which they take most.
    """
    mean = np.add.reduceat(pool.need, pool.starts[:-1], axis=1) / np.diff(pool.starts)
    share = np.where(mean[:, None] > 0, np.inf, np.zeros_like(pool.room))
    np.divide(mean[:, None], pool.room, out=share, where=pool.room > 0)
    usd = (share.max(axis=2) * pool.usd[0]).min(axis=1)
    order = np.argsort(-pool.worth / np.maximum(usd, 1e-9), kind="stable")
    return np.sort(order[:count])


def _annealed(pool: Arrays, lives: Counts, heat: Heat, moves_per_item: int, seed: int) -> tuple[float, Counts]:
    first = heat.first * max(float(pool.worth.mean()), 1e-6)
    return anneal(
        pool, lives, Cooling(min(MOST_MOVES, moves_per_item * len(lives)), first, first / COOLED, heat.smooth, seed)
    )


def _alone(pool: Arrays) -> Counts:
    return np.arange(len(pool.worth), dtype=np.int64)


def _named(lives: Counts) -> Counts:
    """The same with every host named after its first item, so that a new name never meets an old one."""
    _, first, host = np.unique(lives, return_index=True, return_inverse=True)
    return first[host].astype(np.int64)


def _taken_apart(lives: Counts, random: np.random.Generator) -> Counts:
    """The items of a few hosts, and a few that are alone."""
    hosts, sizes = np.unique(lives, return_counts=True)
    full, single = hosts[sizes > 1], hosts[sizes == 1]
    taken = [
        random.choice(full, min(int(random.integers(2, MOST_HOSTS + 1)), len(full)), replace=False),
        random.choice(single, min(MOST_ALONE, len(single)), replace=False),
    ]
    return np.flatnonzero(np.isin(lives, np.concatenate(taken)))


def _rebuilt(part: Arrays, lives: Counts, turn: int, random: np.random.Generator) -> tuple[float, float, Counts]:
    """USD of the part as it lives, and annealed anew; with where its items live then."""
    heat = Heat(float(random.choice(REBUILD_HEATS)), float(random.choice(REBUILD_SMOOTH)))
    offered = random.random(len(part.room)) < (TYPES_LEFT if random.random() < FEWER_TYPES else 1.0)
    before, _ = _annealed(part, np.unique(lives, return_inverse=True)[1].astype(np.int64), POLISH, 0, turn)
    _, rough = _annealed(_offering(part, offered), _alone(part), heat, REBUILT_MOVES_PER_ITEM, turn)
    after, found = _annealed(part, rough, POLISH, REBUILT_MOVES_PER_ITEM // 4, turn)
    return before, after, found


def subset(pool: Arrays, items: Counts) -> Arrays:
    """The pool of these items alone."""
    return pool._replace(
        need=np.ascontiguousarray(pool.need[items]),
        peak=np.ascontiguousarray(pool.peak[items]),
        worth=pool.worth[items],
        settled=pool.settled[items],
        apart=np.ascontiguousarray(pool.apart[np.ix_(items, items)]),
        team=pool.team[items],
        team_share=pool.team_share[items],
        fleet_share=pool.fleet_share[items],
    )


def _offering(pool: Arrays, offered: Flags) -> Arrays:
    """The pool with these host types alone; all of them where that would be none."""
    kinds = np.flatnonzero(offered) if offered.any() else np.arange(len(offered))
    return pool._replace(
        room=np.ascontiguousarray(pool.room[kinds]),
        devices=pool.devices[kinds],
        device_room=np.ascontiguousarray(pool.device_room[kinds]),
        usd=np.ascontiguousarray(pool.usd[:, kinds]),
    )
