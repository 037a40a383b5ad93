"""The API served to the tests of a module, each of which finds its store filled anew."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.recommendations import NOON
from tests.trimtab.served import Served, fill, serving
from trimtab.store.tables import Base


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
