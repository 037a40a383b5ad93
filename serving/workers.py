"""Runs blocking work beside the event loop, a fixed number at once, with a bound on how many may wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from serving.errors import Unavailable

T = TypeVar("T")


class Workers:
    """A pool of threads with a bounded queue before it. Used from one event loop; `close` it at the end."""

    def __init__(self, *, size: int, max_waiting: int) -> None:
        self._pool = ThreadPoolExecutor(size, thread_name_prefix="inference")
        self._room = size + max_waiting
        self._inside = 0

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises; Unavailable at once where as many wait as may."""
        if self._inside >= self._room:
            raise Unavailable(f"{self._inside} requests are being worked on or waiting, which is all there is room for")
        self._inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._inside -= 1

    def close(self) -> None:
        """Wait for what runs, drop what waits."""
        self._pool.shutdown(wait=True, cancel_futures=True)
