"""Packs one pool: to the last dollar where it is small, by annealing and with a bound where it is large."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from optimizer.sharing.arrays import Arrays, Counts
from optimizer.sharing.bound import lower_bound
from optimizer.sharing.exact import best_sets
from optimizer.sharing.rules import ANY_TYPE, price, together
from optimizer.sharing.search import search


class Group(NamedTuple):
    """Items on one host of type `kind`."""

    items: tuple[int, ...]
    kind: int


class Packing(NamedTuple):
    """Hosts with their items; everybody else stays by itself. `usd` counts those at what they would pay at most.

    No packing of the pool costs less than `bound_usd`.
    """

    groups: tuple[Group, ...]
    usd: float
    bound_usd: float


def pack(pool: Arrays, owner: Counts) -> Packing:
    """The cheapest packing found, the cheapest there is where the pool is small; and a bound below it."""
    best = _best(pool, owner)
    if best is not None:
        usd = total_usd(pool, best)
        return Packing(best, usd, usd)
    with ThreadPoolExecutor(max_workers=1) as beside:  # neither of the two holds the interpreter up
        searched = beside.submit(_searched, pool, owner)
        bound = lower_bound(pool, owner)
        groups = searched.result()
    usd = total_usd(pool, groups)
    return Packing(groups, usd, min(usd, bound))


def grouped(pool: Arrays, owner: Counts) -> tuple[Group, ...]:
    """The groups of `pack`, where nobody asks for a bound."""
    best = _best(pool, owner)
    return _searched(pool, owner) if best is None else best


def _best(pool: Arrays, owner: Counts) -> tuple[Group, ...] | None:
    """The cheapest groups there are; None where the pool is too large to tell."""
    if not len(pool.room):
        return ()
    exact = best_sets(pool, owner)
    return None if exact is None else tuple(Group(each.members, each.kind) for each in exact)


def _searched(pool: Arrays, owner: Counts) -> tuple[Group, ...]:
    return paying(pool, owner, _groups(pool, search(pool)))


def total_usd(pool: Arrays, groups: Iterable[Group]) -> float:
    """USD a month of the hosts, and of everybody else by itself at the most that it would pay."""
    alone = np.ones(len(pool.worth), dtype=np.bool_)
    usd = 0.0
    for group in groups:
        usd += usd_of(pool, group)
        alone[list(group.items)] = False
    return usd + float(pool.worth[alone].sum())


def usd_of(pool: Arrays, group: Group) -> float:
    """The bill of one host; infinite where its type does not hold its tenants."""
    return host_for(pool, group.items, group.kind)[1]


def host_for(pool: Arrays, items: Sequence[int], fixed: int = ANY_TYPE) -> tuple[int, float]:
    """The cheapest type that holds these items (or the `fixed` one) and its USD a month; -1 and infinity for none."""
    kind, usd, _ = price(pool, pool.need[list(items)].sum(axis=0), together(list(items)), fixed)
    return int(kind), float(usd)


def paying(pool: Arrays, owner: Counts, groups: Iterable[Group]) -> tuple[Group, ...]:
    """The groups that cost less than their tenants by themselves, without tenants that have a part left alone.

    Whoever leaves may leave others behind who no longer pay, so it is looked at until nothing changes.
    """
    kept = list(groups)
    parts = np.bincount(owner)
    while True:
        before = kept
        kept = [group for group in kept if _pays(pool, group)]
        seated = np.bincount(owner[[item for group in kept for item in group.items]], minlength=len(parts))
        torn = set(np.flatnonzero((seated > 0) & (seated < parts)).tolist())
        if not torn and len(kept) == len(before):
            return tuple(kept)
        kept = [Group(tuple(item for item in group.items if owner[item] not in torn), group.kind) for group in kept]
        kept = [group for group in kept if group.items]


def _pays(pool: Arrays, group: Group) -> bool:
    return len(group.items) > 1 and usd_of(pool, group) < float(pool.worth[list(group.items)].sum())


def _groups(pool: Arrays, lives: Counts) -> Iterator[Group]:
    """Hosts with two items or more, each on the cheapest type that holds them."""
    for host in np.unique(lives):
        items = tuple(np.flatnonzero(lives == host).tolist())
        if len(items) > 1:
            yield Group(items, host_for(pool, items)[0])
