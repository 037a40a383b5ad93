"""Loops that numpy cannot express, compiled by numba once and kept in its on-disk cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """`function` in machine code; compiled at its first call, then read from the cache beside it."""
    return cast("Callable[P, R]", numba.njit(cache=True, nogil=True)(function))


@compiled
def _smallest(number: float) -> float:
    return number


def to_compile() -> bool:
    """Whether loops have yet to be compiled: told by the smallest, which is then, and from its second time on is not."""
    before = _not_found()
    _smallest(0.0)
    return _not_found() > before


def _not_found() -> int:
    """How often this process had to compile the smallest loop because the cache had it not."""
    return sum(cast("Any", _smallest).stats.cache_misses.values())
