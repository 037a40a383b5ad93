"""`python -m serving` as a process on a free loopback port, ended by its own id."""

from __future__ import annotations

import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from tests.servers import Server


class ServingProcess(Server):
    """A real server; `flags` are added to its command line. With no drain, unless a flag asks for one."""

    ready_path = "/ready"

    def __init__(self, folder: Path, *flags: str, port: int | None = None) -> None:
        super().__init__(folder, port=port)
        self._flags = flags

    def command(self) -> Sequence[str]:
        return (sys.executable, "-m", "serving", f"--port={self.port}", "--drain-seconds=0", *self._flags)

    def exposition(self) -> str:
        """What `/metrics` shows now."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=10) as answer:
            text: str = answer.read().decode()
            return text
