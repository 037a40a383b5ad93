"""Fixtures that every part's tests may use: real servers, ended when the test ends; and how tests run side by side."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import settings

from tests.postgres import Postgres
from tests.servers import IDLE_CONFIG, Alertmanager, MissingProgram, Prometheus, Webhook, program

# Beyond four the longest file, the demonstration's, is what the others wait for.
MOST_WORKERS = 4


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """As many processes as there are processors for this one, also in a container that is given less than the machine has."""
    from joblib import cpu_count  # noqa: PLC0415  it loads numpy, which a worker does after its threads are limited

    return min(int(cpu_count()), MOST_WORKERS)


def pytest_configure(config: pytest.Config) -> None:
    """Beside other tests: one thread of linear algebra, and a property has longer than 0.2 s for an example that waits its turn."""
    if not hasattr(config, "workerinput"):
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if settings.default and settings.default.deadline:  # none in CI, where Hypothesis sets none
        settings.register_profile("beside-others", deadline=timedelta(seconds=2))
        settings.load_profile("beside-others")


def require(*names: str) -> None:
    """Skip with the command that installs what is missing; in continuous integration fail instead."""
    for name in names:
        try:
            program(name)
        except MissingProgram as missing:
            if os.environ.get("CI"):
                pytest.fail(str(missing), pytrace=False)
            pytest.skip(str(missing))


class StartPrometheus(Protocol):
    """Starts a Prometheus that lives as long as the test."""

    def __call__(self, config: str = IDLE_CONFIG, /, *, data: Path | None = None) -> Prometheus: ...


class StartAlertmanager(Protocol):
    """Starts an Alertmanager that lives as long as the test."""

    def __call__(self, config: str, /) -> Alertmanager: ...


@pytest.fixture(scope="session")
def prometheus_installed() -> None:
    """Asks for prometheus and promtool."""
    require("prometheus", "promtool")


@pytest.fixture(scope="session")
def alertmanager_installed() -> None:
    """Asks for the Alertmanager and amtool."""
    require("prometheus-alertmanager", "amtool")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL for the whole run; each test makes a store of its own in it."""
    try:
        server = Postgres()
    except MissingProgram as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(str(missing))
    with server:
        yield server


@pytest.fixture
def start_prometheus(prometheus_installed: None, tmp_path: Path) -> Iterator[StartPrometheus]:
    """A factory: `start_prometheus(config, data=folder_of_blocks)`; each call is another server."""
    with ExitStack() as stack:
        started: list[Prometheus] = []

        def start(config: str = IDLE_CONFIG, /, *, data: Path | None = None) -> Prometheus:
            server = Prometheus(tmp_path / f"prometheus-{len(started)}", config, data=data)
            started.append(stack.enter_context(server))
            return server

        yield start


@pytest.fixture
def start_alertmanager(alertmanager_installed: None, tmp_path: Path) -> Iterator[StartAlertmanager]:
    """A factory: `start_alertmanager(config)`; each call is another server."""
    with ExitStack() as stack:
        started: list[Alertmanager] = []

        def start(config: str, /) -> Alertmanager:
            server = Alertmanager(tmp_path / f"alertmanager-{len(started)}", config)
            started.append(stack.enter_context(server))
            return server

        yield start


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    """A loopback receiver of webhook posts."""
    with Webhook() as receiver:
        yield receiver
