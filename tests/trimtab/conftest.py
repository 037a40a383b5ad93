"""Stores of either kind, and the API served to the tests of a module, each of which finds its store filled anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.recommendations import NOON
from tests.postgres import Postgres
from tests.trimtab.served import Served, fill, serving
from trimtab.store.database import Database, open_database
from trimtab.store.tables import Base


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.servers)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an empty store is to be made: in a file, and in a PostgreSQL where that is installed."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'deep' / 'trimtab.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_store()


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    """An empty store."""
    opened = open_database(store_url)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("api") / "trimtab.db") as made:
        yield made


@pytest.fixture
def served(application: Served) -> Served:
    """The application at noon, its store filled anew."""
    with application.recommendations._database.session() as session:
        for table in Base.metadata.sorted_tables:
            session.execute(table.delete())
    application.now = NOON
    fill(application)
    return application
