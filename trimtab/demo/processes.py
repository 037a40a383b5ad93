"""Child processes that are started, waited for and ended by id; their output goes to a log file."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

import httpx

from domain.errors import BadAnswer, SourceUnavailable, UserError
from trimtab.demo.interrupts import Interrupts

POLL_S = 0.1
PATIENCE_S = 5.0
ANSWER_S = 30.0


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


@contextmanager
def scratch(interrupts: Interrupts) -> Iterator[Path]:
    """A temporary folder that is gone afterwards, whatever happens."""
    with interrupts.held():
        folder = TemporaryDirectory(prefix="trimtab-demo-")  # removed below, where no signal breaks in
    try:
        yield Path(folder.name)
    finally:
        with interrupts.held():
            folder.cleanup()


@dataclass(frozen=True, slots=True)
class Child:
    """One running process and where it logs; `ends` if it is no server and is to end by itself."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    ends: bool = False

    def last_words(self) -> str:
        """The last line of the log that says something."""
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1].strip() if lines else "it said nothing"

    def ended(self) -> SourceUnavailable:
        """That it has ended although nobody asked it to."""
        command = " ".join(map(str, self.process.args)) if isinstance(self.process.args, list) else self.name
        return SourceUnavailable(
            self.name,
            f"ended by itself with code {self.process.returncode}, last saying: {self.last_words()}",
            f"to see more, run it alone: {command}",
        )


class Processes:
    """A group of children: leaving the `with` block ends every one, newest first."""

    def __init__(self, logs: Path, interrupts: Interrupts | None = None) -> None:
        self._logs, self._interrupts = logs, interrupts or Interrupts()
        self._children: list[Child] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._interrupts.held():
            for child in reversed(self._children):
                _ask_to_end(child)
            while self._children:
                _see_end(self._children.pop())

    def start(self, name: str, command: Sequence[str], *, ends: bool = False) -> Child:
        """Start `command` in a session of its own, so that Ctrl-C reaches us and not it."""
        log = self._logs / f"{name}.log"
        with self._interrupts.held(), log.open("ab") as sink:
            process = subprocess.Popen(  # noqa: S603  our own commands, no shell
                list(command),
                stdout=sink,
                stderr=sink,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
            child = Child(name, process, log, ends)
            self._children.append(child)
        return child

    def stop(self, child: Child) -> None:
        """Ask the child to end, insist if it does not; ending it twice is harmless."""
        with self._interrupts.held():
            if child in self._children:
                self._children.remove(child)
            _ask_to_end(child)
            _see_end(child)

    def check(self) -> None:
        """SourceUnavailable if a server has ended by itself."""
        for child in self._children:
            if not child.ends and child.process.poll() is not None:
                raise child.ended()

    def finish(self, name: str, *commands: Sequence[str]) -> None:
        """Run commands side by side to their end; BadAnswer with the last line of one that fails.

        SourceUnavailable if a server ends meanwhile.
        """
        running = [self.start(f"{name}-{i}", command, ends=True) for i, command in enumerate(commands)]
        while any(child.process.poll() is None for child in running):
            self.check()
            time.sleep(POLL_S)
        for child, command in zip(running, commands, strict=True):
            self.stop(child)
            if child.process.returncode:
                raise BadAnswer(name, child.last_words(), f"to see more, run it alone: {' '.join(command)}")

    def wait_until(self, truth: Callable[[], bool], what: str, *, within_s: float = 60.0) -> None:
        """Poll until `truth()`; SourceUnavailable if a child ends meanwhile or time runs out."""
        deadline = time.monotonic() + within_s
        while not truth():
            self.check()
            if time.monotonic() > deadline:
                raise SourceUnavailable(what, f"not within {within_s:.0f} s", "try again when the machine is less busy")
            time.sleep(POLL_S)

    def wait_ready(self, child: Child, url: str, *, within_s: float = 60.0) -> None:
        """Poll `url` until it answers 200; SourceUnavailable if a child ends meanwhile or time runs out."""
        self.wait_until(lambda: answers(url), f"{child.name} at {url}", within_s=within_s)


@cache
def loopback() -> httpx.Client:
    """The client for our own servers: no proxy of the environment comes between."""
    return httpx.Client(trust_env=False, timeout=ANSWER_S)


def answers(url: str) -> bool:
    """Whether `url` answers 200 right now."""
    try:
        return loopback().get(url).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _ask_to_end(child: Child) -> None:
    if child.process.poll() is None:
        child.process.terminate()


def _see_end(child: Child) -> None:
    try:
        child.process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        child.process.kill()
        child.process.wait()
