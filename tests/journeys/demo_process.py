"""`trimtab demo` as a process of its own: what it prints, where it listens, what it leaves behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers import wait_until

ROOT = Path(__file__).resolve().parents[2]
TABLE_OF_PROCESSES = Path("/proc")  # elsewhere than on Linux nothing is found, and nothing is asserted
ADDRESS = re.compile(r"^  (\S[\w ,-]*?) {2,}(\S+)$", re.MULTILINE)


class Demo:
    """A running demonstration, its temporary files under `scratch`; leaving the `with` block interrupts it."""

    def __init__(self, scratch: Path, *options: str) -> None:
        self.scratch = scratch
        self.process = subprocess.Popen(
            [sys.executable, "-m", "trimtab", "demo", *options],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(scratch)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        self._lines.extend(self.process.stdout)

    @property
    def printed(self) -> str:
        return "".join(self._lines)

    @property
    def addresses(self) -> dict[str, str]:
        """Everything that it prints as worth a look, by name."""
        return dict(ADDRESS.findall(self.printed))

    def wait_for(self, text: str, *, within_s: float) -> None:
        """Until it has printed `text`; AssertionError with all it printed if it ends before."""
        wait_until(lambda: text in self.printed or not self._reader.is_alive(), within_s=within_s, what=text)
        assert text in self.printed, self.printed

    def interrupt(self) -> None:
        """Ctrl-C in its terminal."""
        self.process.send_signal(signal.SIGINT)

    def ended(self, *, within_s: float) -> int:
        """Its exit code, once it has ended."""
        code = self.process.wait(within_s)
        self._reader.join(within_s)
        return code

    def left_running(self) -> list[str]:
        """Command lines of processes that have its environment, itself included."""
        return list(self._family().values())

    def child(self, program: str) -> int:
        """The process id of the child whose command line holds `program`."""
        return next(pid for pid, line in self._family().items() if program in line)

    def _family(self) -> dict[int, str]:
        mark, found = f"TMPDIR={self.scratch}".encode(), {}
        for entry in TABLE_OF_PROCESSES.glob("[0-9]*"):
            try:
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.interrupt()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
        self._reader.join(5)
        if self.process.stdout:
            self.process.stdout.close()
