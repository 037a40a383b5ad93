"""Large pools: simulated annealing over who lives where.

A move takes one tenant to another host, or swaps two. Early on, a host counts by the fraction of it that is used
(`rules.price`, the smooth price), so that a search sees which of two half-full hosts is nearer to a cheaper one; later
by what it costs. The generator is seeded and the number of moves is fixed, so that the same pool gives the same
packing on any day.

Metropolis et al., "Equation of State Calculations by Fast Computing Machines", 1953; Kirkpatrick et al., 1983.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from domain.load import Floats
from optimizer.compiled import compiled
from optimizer.sharing.arrays import Arrays, Counts
from optimizer.sharing.rules import ANY_TYPE, NOBODY, Living, may_join, price

OPENS = 0.05  # share of moves that take a tenant to a host of its own
SWAPS = 0.5
NOTHING_GAINED = 1e-9


class Cooling(NamedTuple):
    """`moves` from temperature `first` to `last` (USD); the smooth price weighs `smooth` at first and nothing at the end."""

    moves: int
    first: float
    last: float
    smooth: float
    seed: int


class State(NamedTuple):
    """Where items live (`lives`), which items each host has (`members`, `sizes`, at `place`), and what hosts use and cost."""

    lives: Counts
    members: Counts
    sizes: Counts
    place: Counts
    use: Floats
    usd: Floats
    smooth: Floats


@compiled
def anneal(pool: Arrays, lives: Counts, cooling: Cooling) -> tuple[float, Counts]:
    """The USD and the assignment of items to hosts of the cheapest state seen, from `lives` on."""
    np.random.seed(cooling.seed)  # noqa: NPY002  numba's own generator
    state = _begin(pool, lives)
    here, there = np.empty(pool.need.shape[1]), np.empty(pool.need.shape[1])
    total = state.usd.sum()
    best, best_lives = total, lives.copy()
    for move in range(cooling.moves):
        item, other, target = _drawn(state)
        if target < 0:
            continue
        source = state.lives[item]
        at_source = Living(state.members[source], state.sizes[source], item, other)
        at_target = Living(state.members[target], state.sizes[target], other, item)
        if not may_join(pool, at_target) or (other >= 0 and not may_join(pool, at_source)):
            continue
        for row in range(len(here)):
            moved = pool.need[item, row] - (pool.need[other, row] if other >= 0 else 0.0)
            here[row], there[row] = state.use[source, row] - moved, state.use[target, row] + moved
        usd_here, smooth_here = _cost(pool, here, at_source)
        if usd_here == np.inf:
            continue
        usd_there, smooth_there = _cost(pool, there, at_target)
        if usd_there == np.inf:
            continue
        passed = move / cooling.moves
        weight = cooling.smooth * (1.0 - passed)
        change = usd_here + usd_there - state.usd[source] - state.usd[target]
        smoothed = smooth_here + smooth_there - state.smooth[source] - state.smooth[target]
        felt = (1.0 - weight) * change + weight * smoothed
        temperature = cooling.first * (cooling.last / cooling.first) ** passed
        if felt > 0 and np.random.random() >= np.exp(-felt / temperature):  # noqa: NPY002
            continue
        state.use[source], state.use[target] = here, there
        state.usd[source], state.usd[target] = usd_here, usd_there
        state.smooth[source], state.smooth[target] = smooth_here, smooth_there
        _moved(state, item, other, target)
        total += change
        if total < best - NOTHING_GAINED:
            best, best_lives = total, state.lives.copy()
    return best, best_lives


@compiled
def _begin(pool: Arrays, lives: Counts) -> State:
    items, rows = pool.need.shape
    state = State(
        lives.copy(),
        np.full((items, pool.most + 1), NOBODY, dtype=np.int64),
        np.zeros(items, dtype=np.int64),
        np.zeros(items, dtype=np.int64),
        np.zeros((items, rows)),
        np.zeros(items),
        np.zeros(items),
    )
    for item in range(items):
        host = lives[item]
        state.place[item] = state.sizes[host]
        state.members[host, state.sizes[host]] = item
        state.sizes[host] += 1
        state.use[host] += pool.need[item]
    for host in range(items):
        living = Living(state.members[host], state.sizes[host], NOBODY, NOBODY)
        state.usd[host], state.smooth[host] = _cost(pool, state.use[host], living)
    return state


@compiled
def _drawn(state: State) -> tuple[int, int, int]:
    """An item, one to swap it with (or nobody) and the host it goes to; host -1 where nothing would change."""
    items = len(state.lives)
    item = np.random.randint(items)  # noqa: NPY002
    draw = np.random.random()  # noqa: NPY002
    if draw < OPENS:
        if state.sizes[state.lives[item]] == 1:
            return item, NOBODY, -1
        empty = 0
        while state.sizes[empty] > 0:
            empty += 1
        return item, NOBODY, empty
    met = np.random.randint(items)  # noqa: NPY002
    target = state.lives[met]
    if target == state.lives[item]:
        return item, NOBODY, -1
    return item, (met if draw > SWAPS else NOBODY), target


@compiled
def _cost(pool: Arrays, use: Floats, living: Living) -> tuple[float, float]:
    """USD and smooth USD of a host after a move; one tenant by itself costs what it would pay at most."""
    number = living.size - (living.leaving >= 0) + (living.joining >= 0)
    if number == 0:
        return 0.0, 0.0
    if number == 1:
        alone = living.joining
        for i in range(living.size):
            if living.members[i] != living.leaving:
                alone = living.members[i]
        return pool.worth[alone], pool.worth[alone]
    _, usd, smooth = price(pool, use, living, ANY_TYPE)
    return usd, smooth


@compiled
def _moved(state: State, item: int, other: int, target: int) -> None:
    """Write down that `item` lives at `target` now, and `other` (if any) where it lived."""
    source = state.lives[item]
    if other >= 0:
        state.members[source, state.place[item]] = other
        state.members[target, state.place[other]] = item
        state.place[item], state.place[other] = state.place[other], state.place[item]
        state.lives[other] = source
    else:
        last = state.members[source, state.sizes[source] - 1]
        state.members[source, state.place[item]] = last
        state.place[last] = state.place[item]
        state.sizes[source] -= 1
        state.members[target, state.sizes[target]] = item
        state.place[item] = state.sizes[target]
        state.sizes[target] += 1
    state.lives[item] = target
