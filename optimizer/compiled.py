"""Loops that numpy cannot express, compiled by numba once and kept in its on-disk cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """`function` in machine code; compiled at its first call, then read from the cache beside it."""
    return cast("Callable[P, R]", numba.njit(cache=True, nogil=True)(function))
