"""Small pools to the last dollar: every set that may live together, and the best choice among them by `milp`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.load import Floats
from optimizer.compiled import compiled
from optimizer.sharing.arrays import Arrays, Counts
from optimizer.sharing.rules import ANY_TYPE, NOBODY, Living, may_join, price

MOST_TENANTS = 14
MOST_SETS = 20_000


@dataclass(frozen=True, slots=True)
class Choice:
    """A set of items, the host type that holds them for the least, and what it saves against what they would pay."""

    members: tuple[int, ...]
    kind: int
    saved: float


def best_sets(pool: Arrays, owner: Counts) -> list[Choice] | None:
    """The hosts of the cheapest plan; None where the pool is too large to look at every set.

    Sets are made of tenants; a tenant of k parts is on k hosts or on none. A host is only counted while it costs
    less than its tenants would pay by themselves, so that nobody carries another one's host.
    """
    tenants = int(owner.max()) + 1
    if tenants > MOST_TENANTS:
        return None
    first = np.array([int(np.argmax(owner == tenant)) for tenant in range(tenants)])
    sets = _sets(pool, first)
    if sets is None or not sets:
        return sets
    times = _times(sets, owner, np.bincount(owner))
    spread: list[Choice] = []
    parts = {tenant: list(np.flatnonzero(owner == tenant)) for tenant in range(tenants)}
    for choice, count in zip(sets, times.tolist(), strict=True):
        for _ in range(count):  # the k-th host with a tenant takes its k-th part
            members = tuple(int(parts[int(owner[item])].pop(0)) for item in choice.members)
            spread.append(Choice(members, choice.kind, choice.saved))
    return spread


def _sets(pool: Arrays, first: Counts) -> list[Choice] | None:
    """Every paying set of two or more tenants; None where there are too many to look at."""
    count, members, kinds, saved = _every_set(pool, first, MOST_SETS)
    if count < 0:
        return None
    return [
        Choice(tuple(int(item) for item in members[i] if item >= 0), int(kinds[i]), float(saved[i]))
        for i in range(count)
    ]


@compiled
def _every_set(pool: Arrays, first: Counts, most: int) -> tuple[int, Counts, Counts, Floats]:
    """The number of paying sets (-1: more than `most` were looked at), their items, host types and savings.

    Depth first: what may not live together may not with more either.
    """
    size = len(first)
    members, kinds, saved = np.full((most, size), NOBODY), np.empty(most, dtype=np.int64), np.empty(most)
    chosen, next_ = np.empty(size, dtype=np.int64), np.zeros(size + 1, dtype=np.int64)
    use, worth = np.zeros((size + 1, pool.need.shape[1])), np.zeros(size + 1)
    depth, looked, found = 0, 0, 0
    while depth >= 0:
        at = next_[depth]
        if at == size:
            depth -= 1
            continue
        next_[depth] += 1
        item = first[at]
        living = Living(chosen, depth, NOBODY, item)
        use[depth + 1], worth[depth + 1] = use[depth] + pool.need[item], worth[depth] + pool.worth[item]
        if depth > 0:
            looked += 1
            if looked > most:
                return -1, members, kinds, saved
            if not may_join(pool, living):
                continue
            kind, usd, _ = price(pool, use[depth + 1], living, ANY_TYPE)
            if kind < 0:
                continue
            if worth[depth + 1] > usd:
                members[found, :depth], members[found, depth] = chosen[:depth], item
                kinds[found], saved[found] = kind, worth[depth + 1] - usd
                found += 1
        chosen[depth] = item
        depth += 1
        next_[depth] = at + 1
    return found, members, kinds, saved


def _times(sets: list[Choice], owner: Counts, parts: Counts) -> Counts:
    """How many hosts of each set the plan has: whole numbers, every tenant in all of its parts or in none."""
    from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415  heavy: only a decision pays
    from scipy.sparse import csr_array  # noqa: PLC0415

    count = len(sets)
    rows = [int(owner[item]) for each in sets for item in each.members]
    columns = [column for column, each in enumerate(sets) for _ in each.members]
    shared = np.arange(len(parts))
    balance = csr_array(
        (
            np.concatenate([np.ones(len(rows)), -parts.astype(np.float64)]),
            (np.concatenate([rows, shared]), np.concatenate([columns, count + shared])),
        ),
        shape=(len(parts), count + len(parts)),
    )
    most = [min(int(parts[owner[item]]) for item in each.members) for each in sets]
    answer = milp(
        np.concatenate([[-each.saved for each in sets], np.zeros(len(parts))]),
        constraints=LinearConstraint(balance, 0.0, 0.0),
        integrality=np.ones(count + len(parts), dtype=np.int64),
        bounds=Bounds(0.0, np.concatenate([most, np.ones(len(parts))])),
        options={"mip_rel_gap": 0.0},
    )
    if answer.x is None:  # nothing shared always balances
        raise ArithmeticError(f"the choice of hosts was not solved: {answer.message}")
    chosen: Counts = np.round(answer.x[:count]).astype(np.int64)
    return chosen
