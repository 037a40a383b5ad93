"""A proved lower bound on what any packing of a pool costs, by linear programming.

Hosts of a type are poured together: n_j hosts of type j (a real number) hold x_wj parts of tenant w, and

    minimise   sum_j usd_j n_j + sum_w worth_w (parts_w - sum_j x_wj)
    such that  sum_w need_w(row) x_wj <= room_j(row) n_j    for every type and resource-hour,
               sum_w x_wj <= most * n_j,   x_wj <= n_j,   sum_j x_wj <= parts_w,

which every real packing satisfies: each of its hosts does, and no host has two parts of one tenant. Conflicts and blast
radius by load are left out, which can only lower the bound. Rows are added as they are found violated; every round is a
bound already, so that a large pool may stop early. (Vance 1998 compares such formulations of bin packing.)
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import numpy as np

from domain.load import Floats
from optimizer.sharing.arrays import Arrays, Counts

if TYPE_CHECKING:
    from scipy.sparse import csr_array

ROUNDS = 25
ROUNDS_OF_MANY, MANY = 12, 400  # tenants
GAINED, OVER = 1e-4, 3  # share of the bound that so many rounds must add to go on
VIOLATED = 1e-6
MOST_ADDED = 2  # resource-hours of one resource and type in a round


def lower_bound(pool: Arrays, owner: Counts) -> float:
    """USD a month that no packing goes below, who is alone counted at what it would pay; ArithmeticError if unsolved."""
    program = _Program.of(pool, owner)
    everything = float(program.worth @ program.parts)
    found: list[float] = []
    for _ in range(ROUNDS_OF_MANY if len(program.parts) > MANY else ROUNDS):
        value, hosts, placed = program.solved()
        found.append(everything + value)
        stalled = len(found) > OVER and found[-1] - found[-1 - OVER] < GAINED * found[-1]
        if stalled or not program.tightened(hosts, placed):
            break
    return found[-1]


@dataclass(slots=True)
class _Program:
    """The linear program and the rows that it has so far: of each type `hours`, and tenants with x_wj <= n_j."""

    pool: Arrays
    need: Floats
    worth: Floats
    parts: Floats
    usd: Floats
    room: Floats
    eligible: list[Counts]
    hours: list[set[int]]
    capped: list[set[int]]

    @classmethod
    def of(cls, pool: Arrays, owner: Counts) -> _Program:
        tenants = int(owner.max()) + 1
        first = np.array([int(np.argmax(owner == tenant)) for tenant in range(tenants)])
        resource = np.repeat(np.arange(pool.peak.shape[1]), np.diff(pool.starts))
        peak, kinds = pool.peak[first], range(len(pool.room))
        fits = [(peak <= pool.largest_share * pool.room[kind] + VIOLATED).all(axis=1) for kind in kinds]
        fullest = [int(lo + pool.need[:, lo:hi].sum(axis=0).argmax()) for lo, hi in pairwise(pool.starts.tolist())]
        return cls(
            pool=pool,
            need=pool.need[first],
            worth=pool.worth[first],
            parts=np.bincount(owner).astype(np.float64),
            usd=pool.usd.min(axis=0) if pool.settled.any() else pool.usd[0],
            room=pool.room[:, resource],
            eligible=[np.flatnonzero(each) for each in fits],
            hours=[set(fullest) for _ in kinds],
            capped=[set() for _ in kinds],
        )

    def solved(self) -> tuple[float, Floats, list[Floats]]:
        """The objective, hosts of each type, and the parts of each eligible tenant on each type."""
        from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415  heavy: only a decision pays

        columns = self._columns()
        matrix, limits = self._rows(columns)
        worth = np.concatenate([self.worth[who] for who in self.eligible])
        most = np.concatenate([self.parts[who] for who in self.eligible])
        answer = milp(  # without whole numbers: a linear program
            np.concatenate([self.usd, -worth]),
            constraints=LinearConstraint(matrix, -np.inf, limits),
            bounds=Bounds(0.0, np.concatenate([np.full(len(self.usd), np.inf), most])),
        )
        if answer.x is None:
            raise ArithmeticError(f"the bound was not solved: {answer.message}")
        placed = [answer.x[first:last] for first, last in pairwise(columns)]
        return float(answer.fun), answer.x[: len(self.usd)], placed

    def _columns(self) -> list[int]:
        """Where the tenants of each type begin among the variables, which the numbers of hosts come first in."""
        return list(accumulate((len(who) for who in self.eligible), initial=len(self.usd)))

    def _rows(self, columns: list[int]) -> tuple[csr_array, Floats]:
        """The left side and the limits: first each tenant's parts, then the rows of each type in turn."""
        from scipy.sparse import csr_array  # noqa: PLC0415

        rows, across, values = [], [], []
        limits = [self.parts]
        count = len(self.parts)

        def add(row: Counts, column: Counts, value: Floats) -> None:
            rows.append(row)
            across.append(column)
            values.append(value)

        for kind, who in enumerate(self.eligible):
            mine = columns[kind] + np.arange(len(who))
            hours, capped = sorted(self.hours[kind]), np.array(sorted(self.capped[kind]), dtype=np.int64)
            add(who, mine, np.ones(len(who)))
            body = np.vstack([self.need[who][:, hours].T, np.ones((1, len(who)))])
            room = np.append(self.room[kind, hours], float(self.pool.most))
            at, column = np.nonzero(body)
            add(count + at, mine[column], body[at, column])
            add(count + np.arange(len(room)), np.full(len(room), kind), -room)
            below = count + len(room) + np.arange(len(capped))
            add(below, mine[capped], np.ones(len(capped)))
            add(below, np.full(len(capped), kind), -np.ones(len(capped)))
            count += len(room) + len(capped)
            limits.append(np.zeros(len(room) + len(capped)))
        index = (np.concatenate(rows), np.concatenate(across))
        return csr_array((np.concatenate(values), index), shape=(count, columns[-1])), np.concatenate(limits)

    def tightened(self, hosts: Floats, placed: list[Floats]) -> bool:
        """Whether rows were found that the answer violates; they belong to the program from now on."""
        before = self._size()
        for kind, (who, parts) in enumerate(zip(self.eligible, placed, strict=True)):
            over = parts @ self.need[who] - self.room[kind] * hosts[kind]
            for first, last in pairwise(self.pool.starts.tolist()):
                worst = first + np.argsort(-over[first:last], kind="stable")[:MOST_ADDED]
                self.hours[kind].update(worst[over[worst] > VIOLATED].tolist())
            self.capped[kind].update(np.flatnonzero(parts > hosts[kind] + VIOLATED).tolist())
        return self._size() > before

    def _size(self) -> int:
        return sum(map(len, self.hours)) + sum(map(len, self.capped))
