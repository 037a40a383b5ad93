"""Child processes that are started, waited for and ended by id; their output goes to a log file."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from domain.errors import SourceUnavailable, UserError

POLL_S = 0.1


def free_port() -> int:
    """A loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def executable(*names: str) -> str:
    """The first of `names` found on PATH; UserError with the command that installs it."""
    for name in names:
        found = shutil.which(name)
        if found:
            return found
    raise UserError(f"{names[0]} is not installed: run 'make servers' (or use --embedded, which needs no servers)")


@dataclass(frozen=True, slots=True)
class Child:
    """One running process and where it logs."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def last_words(self) -> str:
        """The last line of the log that says something."""
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1] if lines else "it said nothing"


class Processes:
    """A group of children: leaving the `with` block ends every one, newest first."""

    def __init__(self, logs: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._logs, self._clock = logs, clock
        self._children: list[Child] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in reversed(self._children):
            self.stop(child)

    def start(self, name: str, command: Sequence[str]) -> Child:
        """Start `command` in a process group of its own, so that Ctrl-C reaches us and not it."""
        log = self._logs / f"{name}.log"
        with log.open("ab") as sink:
            process = subprocess.Popen(  # noqa: S603  our own commands, no shell
                list(command), stdout=sink, stderr=sink, stdin=subprocess.DEVNULL, start_new_session=True
            )
        child = Child(name, process, log)
        self._children.append(child)
        return child

    def stop(self, child: Child, *, patience_s: float = 10.0) -> None:
        """Ask the child to end, insist if it does not; ending it twice is harmless."""
        if child in self._children:
            self._children.remove(child)
        if child.process.poll() is None:
            child.process.terminate()
        try:
            child.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()

    def wait_ready(self, child: Child, url: str, *, within_s: float = 60.0) -> None:
        """Poll `url` until it answers 200; SourceUnavailable if the child ends or time runs out."""
        deadline = self._clock() + within_s
        while self._clock() < deadline:
            if child.process.poll() is not None:
                raise SourceUnavailable(child.name, f"ended at once: {child.last_words()}", f"read {child.log}")
            if answers(url):
                return
            time.sleep(POLL_S)
        raise SourceUnavailable(child.name, f"was not ready within {within_s:.0f} s", f"read {child.log}")


def answers(url: str) -> bool:
    """Whether `url` answers 200 right now."""
    try:
        return httpx.get(url, timeout=2.0).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
