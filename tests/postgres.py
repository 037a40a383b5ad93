"""A throw-away PostgreSQL on a free loopback port, for tests of the store; ended by its own process id."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from itertools import count
from pathlib import Path
from typing import Self

import psycopg

from tests.servers import STOP_S, MissingProgram, free_port, wait_until

# A test's data may be lost with the machine.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
USER = "postgres"


def binaries() -> Path:
    """The folder of initdb and postgres, which Debian keeps off the PATH; MissingProgram."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if not versions:
        raise MissingProgram("postgresql")
    return versions[-1].parent


class Postgres:
    """A server; `new_store()` makes an empty schema and gives the SQLAlchemy URL of it.

    A database of its own for each test would be seven megabytes. The server refuses to run as root: then it runs as the user that its package made, in a folder of that user.
    """

    def __init__(self) -> None:
        self._bin = binaries()
        self._as = pwd.getpwnam(USER) if os.geteuid() == 0 else None
        self.port = free_port()
        self._numbers = count()

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="trimtab-postgres-"))
        if self._as is not None:
            shutil.chown(self._folder, self._as.pw_uid, self._as.pw_gid)
        data = str(self._folder / "data")
        self._run(
            "initdb", "-D", data, "-U", USER, "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"
        ).communicate()
        options = ["listen_addresses=127.0.0.1", f"port={self.port}", f"unix_socket_directories={self._folder}", *FAST]
        self._process = self._run("postgres", "-D", data, *(part for option in options for part in ("-c", option)))
        wait_until(self._answers, within_s=20, what=f"PostgreSQL on port {self.port}")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)  # at once, whoever is still connected
        self._process.wait(STOP_S)
        shutil.rmtree(self._folder)

    def new_store(self) -> str:
        """The URL of a schema of its own."""
        name = f"test_{next(self._numbers)}"
        with self._connected() as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/{USER}?options=-csearch_path%3D{name}"

    def _connected(self) -> psycopg.Connection:
        return psycopg.connect(host="127.0.0.1", port=self.port, user=USER, dbname=USER, autocommit=True)

    def _answers(self) -> bool:
        try:
            self._connected().close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        quiet, owner = subprocess.DEVNULL, self._as
        return subprocess.Popen(
            [str(self._bin / name), *arguments],
            cwd=self._folder,
            stdin=quiet,
            stdout=quiet,
            stderr=quiet,
            user=None if owner is None else owner.pw_uid,
            group=None if owner is None else owner.pw_gid,
            extra_groups=None if owner is None else [],
        )
