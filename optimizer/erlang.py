"""Erlang's loss formula for many loads and numbers of instances at once, as logarithms."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.load import Floats

Counts = NDArray[np.int64]
SINGLE = 12  # instances looked at one by one; above, in groups that grow by GROWTH
GROWTH = 1.1
LEAST_LOAD, LARGEST_LOAD = 1e-9, 1e4  # Erlangs
LOADS_PER_DECADE = 16


class Erlang(NamedTuple):
    """log B(n, a) by log a (columns, from `log_first` in steps of `log_step`), for groups of instances (rows).

    Group j stands for the instances after the first `edges[j]` of an order up to `edges[j + 1]`, `size` of them
    with `middle` in their middle; `before` is log B of those before the middle one, `outside` of those
    before the group.
    """

    edges: Counts
    middle: Counts
    size: Counts
    before: Floats
    outside: Floats
    log_first: float
    log_step: float

    def cut(self, groups: int) -> Erlang:
        """The first `groups` of them."""
        rows = (self.middle[:groups], self.size[:groups], self.before[:groups], self.outside[:groups])
        return Erlang(self.edges[: groups + 1], *rows, self.log_first, self.log_step)

    def groups_for(self, load: float) -> int:
        """How many groups hold all the instances that this load may well ask for at once: a dozen deviations over it."""
        busy = min(load, LARGEST_LOAD)
        return int(np.searchsorted(self.edges, busy + 12.0 * np.sqrt(busy) + 4.0))


@lru_cache(maxsize=1)
def erlang() -> Erlang:
    """The whole table, made once: it depends on nothing.

    By the recursion 1/B(n, a) = 1 + n/a * 1/B(n - 1, a) (A. K. Erlang, 1917) on logarithms.
    """
    edges = list(range(SINGLE + 1))
    while edges[-1] < 1.2 * LARGEST_LOAD:
        edges.append(int(np.ceil(edges[-1] * GROWTH)))
    bounds = np.array(edges, dtype=np.int64)
    middle = (bounds[:-1] + 1 + bounds[1:]) // 2
    decades = round(np.log10(LARGEST_LOAD / LEAST_LOAD))
    logs = np.linspace(np.log(LEAST_LOAD), np.log(LARGEST_LOAD), 1 + decades * LOADS_PER_DECADE)
    wanted = {*(middle - 1).tolist(), *bounds[:-1].tolist()}
    rows: dict[int, Floats] = {}
    log_inverse = np.zeros_like(logs)
    for n in range(max(wanted) + 1):
        if n:
            log_inverse = np.logaddexp(0.0, np.log(n) - logs + log_inverse)
        if n in wanted:
            rows[n] = -log_inverse
    return Erlang(
        bounds,
        middle,
        np.diff(bounds),
        np.array([rows[n] for n in (middle - 1).tolist()]),
        np.array([rows[n] for n in bounds[:-1].tolist()]),
        float(logs[0]),
        float(logs[1] - logs[0]),
    )
