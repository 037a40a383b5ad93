"""Real servers for tests, on free loopback ports, ended by their own process id.

`Prometheus` and `Alertmanager` are the real programs; `Webhook` records what Alertmanager posts; `Scripted` answers
HTTP with whatever a test wants (errors, garbage, silence). All are context managers. Nothing here knows pytest: a
program that is not installed raises `MissingProgram`, and `conftest.py` decides what that means.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count, islice
from pathlib import Path
from typing import IO, Any, Self

START_S = 20.0
STOP_S = 10.0
FIRST_PORT, STRETCHES, PORTS_EACH = 20_000, 60, 200
_ports_asked = count()
PACKAGES = {
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "amtool": "prometheus-alertmanager",
}
IDLE_CONFIG = "global: {scrape_interval: 15s}\nscrape_configs: []\n"


class MissingProgram(RuntimeError):
    """A server is not installed; the message holds the command that installs it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not installed: apt-get install --no-install-recommends {PACKAGES.get(name, name)}")


def program(name: str) -> str:
    """Where a program is; MissingProgram if it is not installed."""
    found = shutil.which(name)
    if found is None:
        raise MissingProgram(name)
    return found


def free_port() -> int:
    """A loopback port that nobody listens on just now, and that no other run of tests is about to take.

    It comes from a stretch that belongs to this process: two that are started together have neighbouring ids. All are
    below the ports that the kernel gives to connections, so that none of those takes it before its server listens.
    """
    first = FIRST_PORT + os.getpid() % STRETCHES * PORTS_EACH
    for number in islice(_ports_asked, PORTS_EACH):
        port = first + number % PORTS_EACH
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise RuntimeError(f"no port is free from {first} to {first + PORTS_EACH - 1}: end what listens there")


def wait_until(truth: Callable[[], bool], *, within_s: float, what: str) -> None:
    """Poll until `truth()` holds; TimeoutError naming `what` if it never does."""
    deadline = time.monotonic() + within_s
    while not truth():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within_s:g} s: {what}")
        time.sleep(0.03)


def answers(url: str) -> bool:
    """Whether a GET gives a 2xx."""
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False


def get_json(url: str, **parameters: str) -> Any:
    """The JSON that a GET answers with, HTTP errors raised."""
    query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
    with urllib.request.urlopen(url + query, timeout=30) as answer:
        return json.load(answer)


class Server:
    """A program that listens on one loopback port, with its files in `folder`; restartable on the same folder."""

    ready_path = "/-/ready"

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._log_file: IO[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Process id; RuntimeError while it is not running."""
        if self._process is None:
            raise RuntimeError(f"{type(self).__name__} is not running")
        return self._process.pid

    def command(self) -> Sequence[str]:
        """The command line that starts the program in the foreground."""
        raise NotImplementedError

    def start(self) -> Self:
        """Start and wait until ready; RuntimeError with the end of the log if it ends instead."""
        self._log_file = self.log.open("ab")
        self._process = subprocess.Popen(self.command(), cwd=self.folder, stdout=self._log_file, stderr=self._log_file)
        try:
            wait_until(self._ready_or_ended, within_s=START_S, what=self.url + self.ready_path)
        except TimeoutError:
            self.stop()
            raise
        if self._process.poll() is not None:
            self.stop()
            raise RuntimeError(f"{type(self).__name__} ended at once:\n{self.log.read_text()[-2000:]}")
        return self

    def _ready_or_ended(self) -> bool:
        return (self._process is not None and self._process.poll() is not None) or answers(self.url + self.ready_path)

    def stop(self) -> None:
        """End it in order (SIGTERM, then SIGKILL if it lingers)."""
        self._end(lambda process: process.terminate())

    def kill(self) -> None:
        """End it as a crash would."""
        self._end(lambda process: process.kill())

    def _end(self, how: Callable[[subprocess.Popen[bytes]], None]) -> None:
        process, self._process = self._process, None
        if process is not None:
            how(process)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(STOP_S)
        if self._log_file is not None:
            self._log_file.close()
            self._log_file = None

    def __enter__(self) -> Self:
        return self if self._process else self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class Prometheus(Server):
    """A real Prometheus. `data` may already hold blocks from `backfill`; the config can be changed with `reload`."""

    def __init__(
        self,
        folder: Path,
        config: str = IDLE_CONFIG,
        *,
        data: Path | None = None,
        port: int | None = None,
        flags: Sequence[str] = (),
    ) -> None:
        super().__init__(folder, port=port)
        self.data = data or folder / "data"
        self.config_file = folder / "prometheus.yml"
        self.config_file.write_text(config, encoding="utf-8")
        self._flags = tuple(flags)

    def command(self) -> Sequence[str]:
        return (
            program("prometheus"),
            f"--config.file={self.config_file}",
            f"--storage.tsdb.path={self.data}",
            "--storage.tsdb.retention.time=10y",  # the default of 15 d deletes back-filled blocks at start
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--web.enable-lifecycle",
            *self._flags,
        )

    def reload(self, config: str) -> None:
        """Put another configuration in force."""
        self.config_file.write_text(config, encoding="utf-8")
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/-/reload", method="POST"), timeout=10):
            pass

    def query(self, expression: str, *, at: datetime | None = None) -> list[dict[str, Any]]:
        """The result of an instant query."""
        moment = {} if at is None else {"time": str(at.timestamp())}
        answer = get_json(f"{self.url}/api/v1/query", query=expression, **moment)
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    def wait_for(self, expression: str, *, within_s: float = 20.0) -> list[dict[str, Any]]:
        """The result of an instant query once it is not empty; TimeoutError if it stays so."""
        wait_until(lambda: bool(self.query(expression)), within_s=within_s, what=f"{expression} in {self.url}")
        return self.query(expression)

    def wait_for_alertmanager(self, *, within_s: float = 20.0) -> None:
        """Until it knows its Alertmanager (about 5 s after start; an alert that fires sooner is lost for a minute)."""
        wait_until(
            lambda: bool(get_json(f"{self.url}/api/v1/alertmanagers")["data"]["activeAlertmanagers"]),
            within_s=within_s,
            what=f"an Alertmanager known to {self.url}",
        )


class Alertmanager(Server):
    """A real Alertmanager, without gossip."""

    def __init__(self, folder: Path, config: str, *, port: int | None = None) -> None:
        super().__init__(folder, port=port)
        self.config_file = folder / "alertmanager.yml"
        self.config_file.write_text(config, encoding="utf-8")

    def command(self) -> Sequence[str]:
        return (
            program("prometheus-alertmanager"),
            f"--config.file={self.config_file}",
            f"--storage.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=",
        )

    def alerts(self) -> list[dict[str, Any]]:
        """The alerts that are active now."""
        found: list[dict[str, Any]] = get_json(f"{self.url}/api/v2/alerts")
        return found


class ModelServer(Server):
    """Our own model server, `python -m serving`, with the bundled models unless `flags` say otherwise."""

    ready_path = "/ready"

    def __init__(self, folder: Path, *, port: int | None = None, flags: Sequence[str] = ()) -> None:
        super().__init__(folder, port=port)
        self._flags = tuple(flags)

    def command(self) -> Sequence[str]:
        return (sys.executable, "-m", "serving", "--port", str(self.port), "--drain-seconds", "0", *self._flags)


def promtool(*arguments: str | Path, cwd: Path | None = None) -> str:
    """Output of a promtool run; RuntimeError with its complaint if it fails."""
    done = subprocess.run(
        [program("promtool"), *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"promtool {' '.join(map(str, arguments))}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def backfill(openmetrics: str, data: Path) -> Path:
    """Turn OpenMetrics text (series in time order, seconds, `# EOF`) into blocks in `data`, ready to be started on."""
    data.mkdir(parents=True, exist_ok=True)
    text = data / "backfill.txt"
    text.write_text(openmetrics, encoding="utf-8")
    # Without the block duration promtool reads the whole text again for every two hours of it.
    promtool("tsdb", "create-blocks-from", "--max-block-duration=744h", "openmetrics", "-q", text, data)
    text.unlink()
    return data


def backfill_rules(server: Prometheus, rules: Path, *, start: datetime, end: datetime) -> None:
    """Write the recorded series of a rule file over [start, end] as blocks; they show after a restart of `server`."""
    promtool(
        "tsdb",
        "create-blocks-from",
        "--max-block-duration=744h",
        "rules",
        f"--start={start.timestamp():.0f}",
        f"--end={end.timestamp():.0f}",
        f"--url={server.url}",
        f"--output-dir={server.data}",
        rules,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as a loopback server received it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a `Scripted` server answers; `after_s` delays it, `hang_up` closes the connection without an answer."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    after_s: float = 0.0
    hang_up: bool = False


class Scripted:
    """A loopback HTTP server that answers as `script` says, and remembers what it was asked."""

    def __init__(self, script: Callable[[Asked], Reply], *, port: int = 0) -> None:
        self.asked: list[Asked] = []
        self._script = script
        self._closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                asked = Asked(
                    method=self.command, path=self.path, headers=dict(self.headers), body=self.rfile.read(length)
                )
                outer.asked.append(asked)
                reply = outer._script(asked)
                outer._closing.wait(reply.after_s)
                self.close_connection = True
                if not reply.hang_up:
                    self._send(reply)

            def _send(self, reply: Reply) -> None:
                try:
                    self.send_response(reply.status)
                    for name, value in reply.headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(reply.body)))
                    self.end_headers()
                    self.wfile.write(reply.body)
                except OSError:  # the client gave up waiting: what a test of time-outs wants to see
                    return

            do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815  names that http.server prescribes

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it so
                """Say nothing on stderr."""

        return Handler

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(STOP_S)


class Webhook(Scripted):
    """Where an Alertmanager (or a notifier) posts to; `posts` are the decoded bodies."""

    def __init__(self, *, port: int = 0) -> None:
        super().__init__(lambda _: Reply(body=b"{}"), port=port)

    @property
    def posts(self) -> list[Any]:
        return [json.loads(asked.body) for asked in list(self.asked) if asked.method == "POST"]

    def wait_for(self, wanted: Callable[[Any], bool], *, within_s: float = 20.0) -> Any:
        """The first post that `wanted` accepts; TimeoutError if none comes."""
        wait_until(lambda: any(map(wanted, self.posts)), within_s=within_s, what="the wanted webhook post")
        return next(post for post in self.posts if wanted(post))
