"""Linear algebra on one thread: on busy cores its threads wait for each other for longer than one takes alone."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import lru_cache

from threadpoolctl import ThreadpoolController

KEYS = ("internal_api", "version", "architecture")


def on_one_thread() -> AbstractContextManager[object]:
    """Within it BLAS takes no further threads, and gives the same on a machine with any number of cores."""
    limited: AbstractContextManager[object] = _libraries().limit(limits=1, user_api="blas")
    return limited


def arithmetic() -> str:
    """Which libraries of linear algebra compute here, and for which kind of processor: others round their last digits differently."""
    found = (each for each in _libraries().info() if each["user_api"] == "blas")
    names = {" ".join(str(each[key]) for key in KEYS if each.get(key)) for each in found}
    return ", ".join(sorted(names)) or "no library of linear algebra that could be told"


@lru_cache(maxsize=1)
def _libraries() -> ThreadpoolController:
    """Looked up once, for that takes milliseconds; what is to be held back has to be loaded by then."""
    import scipy.linalg  # noqa: F401, PLC0415  a second that only a fit should pay

    return ThreadpoolController()
