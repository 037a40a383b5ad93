"""Runs the application, and takes leave in order: not ready first, then no new connections, then the end."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import uvicorn


class DrainingServer(uvicorn.Server):
    """On SIGTERM calls `drain` at once and stops `drain_s` later, so that balancers can look away; SIGINT stops now."""

    def __init__(self, config: uvicorn.Config, *, drain: Callable[[], None], drain_s: float) -> None:
        super().__init__(config)
        self._drain, self._drain_s = drain, drain_s
        self._draining = False
        self._loop: asyncio.AbstractEventLoop | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until told to stop."""
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A second signal, or any but SIGTERM, stops at once."""
        if sig != signal.SIGTERM or self._draining or self._loop is None:
            super().handle_exit(sig, frame)
            return
        self._draining = True
        # A signal handler interrupts anything, also the holder of a metric's lock: the loop does the work.
        self._loop.call_soon_threadsafe(self._leave, sig)

    def _leave(self, sig: int) -> None:
        self._drain()
        asyncio.get_running_loop().call_later(self._drain_s, super().handle_exit, sig, None)


def process_began_s() -> float:
    """When this process began, on the clock of `time.monotonic`; where /proc does not tell, now."""
    now = time.monotonic()
    try:
        fields = Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        uptime = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
    except OSError:
        return now
    began = int(fields[19]) / os.sysconf("SC_CLK_TCK")  # field 22 of proc(5), in ticks after boot
    return now - max(0.0, uptime - began)
