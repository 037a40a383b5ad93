"""A packing that moves nobody: hosts as they stand, with room found for whoever is new."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from optimizer.sharing.arrays import Arrays, Counts
from optimizer.sharing.packing import Group, Packing, grouped, host_for, paying, total_usd, usd_of
from optimizer.sharing.rules import may_join, together
from optimizer.sharing.search import subset


def kept(pool: Arrays, owner: Counts, standing: Sequence[Group]) -> Packing:
    """Hosts of `standing` that still hold their tenants and pay, the rest fitted in, or packed on hosts of their own.

    A host that no longer holds its tenants loses those that take most until it does. The bound is not looked for: 0.
    """
    stay = paying(pool, owner, [lighter for group in standing if (lighter := _lighter(pool, group))])
    filled = _filled(pool, owner, list(stay))
    seated = {item for group in filled for item in group.items}
    rest = np.array([item for item in range(len(owner)) if item not in seated], dtype=np.int64)
    if len(rest) > 1:
        _, theirs = np.unique(owner[rest], return_inverse=True)
        apart = grouped(subset(pool, rest), theirs.astype(np.int64))
        filled += [Group(tuple(int(rest[item]) for item in group.items), group.kind) for group in apart]
    return Packing(tuple(filled), total_usd(pool, filled), 0.0)


def _lighter(pool: Arrays, group: Group) -> Group | None:
    """The group on its own type, without the largest of its items where that no longer holds them all."""
    items = list(group.items)
    while len(items) > 1:
        allowed = all(may_join(pool, together(items[:i], item)) for i, item in enumerate(items))
        if allowed and usd_of(pool, Group(tuple(items), group.kind)) < np.inf:
            return Group(tuple(items), group.kind)
        items.remove(max(items, key=lambda item: _size(pool, item, group.kind)))
    return None


def _size(pool: Arrays, item: int, kind: int) -> float:
    room = pool.room[kind]
    return float((pool.peak[item][room > 0] / room[room > 0]).max())


def _filled(pool: Arrays, owner: Counts, groups: list[Group]) -> list[Group]:
    """The groups with every tenant that fits into the room that is left, the largest first, on their own types."""
    seated = {item for group in groups for item in group.items}
    waiting = sorted({int(owner[item]) for item in range(len(owner)) if item not in seated})
    parts = {tenant: np.flatnonzero(owner == tenant).tolist() for tenant in waiting}
    for tenant in sorted(waiting, key=lambda each: -float(pool.peak[parts[each][0]].max())):
        found = [at for at, group in enumerate(groups) if _takes(pool, group, parts[tenant][0])][: len(parts[tenant])]
        if len(found) == len(parts[tenant]):
            for at, item in zip(found, parts[tenant], strict=True):
                groups[at] = Group((*groups[at].items, item), groups[at].kind)
    return groups


def _takes(pool: Arrays, group: Group, item: int) -> bool:
    """Whether the host has room for the item, and costs no more for it than the item is worth."""
    if not may_join(pool, together(group.items, item)):
        return False
    _, usd = host_for(pool, (*group.items, item), group.kind)
    return usd - usd_of(pool, group) < float(pool.worth[item])
