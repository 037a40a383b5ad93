"""Ctrl-C, a closed terminal and a request to end, as one KeyboardInterrupt that never breaks into cleaning up."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Inside the `with` block the first signal raises KeyboardInterrupt, or does so at the end of a `held` block.

    Later ones are ignored: what they ask for is under way. For the main thread only.
    """

    def __init__(self) -> None:
        self._came = self._raised = False
        self._held = 0
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._take) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def held(self) -> Iterator[None]:
        """A block that is carried through before an interruption is heard: starting a process, clearing away."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
        self._raise_if_due()

    def _take(self, _number: int, _frame: FrameType | None) -> None:
        self._came = True
        self._raise_if_due()

    def _raise_if_due(self) -> None:
        if self._came and not (self._held or self._raised):
            self._raised = True
            raise KeyboardInterrupt
