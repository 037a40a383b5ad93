"""Linear algebra on one thread: on busy cores its threads wait for each other for longer than one takes alone."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import lru_cache

from threadpoolctl import ThreadpoolController


def on_one_thread() -> AbstractContextManager[object]:
    """Within it BLAS takes no further threads, and gives the same on a machine with any number of cores.

    What is to be held back has to be imported before the first of these.
    """
    limited: AbstractContextManager[object] = _libraries().limit(limits=1, user_api="blas")
    return limited


@lru_cache(maxsize=1)
def _libraries() -> ThreadpoolController:
    """Looked up once: that takes milliseconds."""
    return ThreadpoolController()
