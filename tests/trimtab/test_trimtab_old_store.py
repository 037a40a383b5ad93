"""A store made by an earlier version is opened as it is, and goes on with all its rows.

`tests/data/store_before_the_ledger.sql` is the dump of a store that the version before the ledger wrote.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from domain.plan import NOT_TOLD, Act, Configuration
from tests.fakes.recommendations import NOON, a_record, an_act
from trimtab.records import Held, Status
from trimtab.store.database import Database, open_database
from trimtab.store.inputs import InputStore
from trimtab.store.journal import Journal
from trimtab.store.recommendations import Recommendations
from trimtab.store.tables import Base

NO_LONGER_READ = {"alerts"}  # tables that are left as they are
DUMP = Path(__file__).resolve().parents[1] / "data" / "store_before_the_ledger.sql"
HOUR = timedelta(hours=1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "trimtab.db"
    with sqlite3.connect(made) as connection:
        connection.executescript(DUMP.read_text(encoding="utf-8"))
    connection.close()
    return made


@pytest.fixture
def database(file: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{file}")
    yield opened
    opened.close()


def as_that_version(act: Act) -> Act:
    """Its evidence had no price, and nothing said how many replicas a machine holds."""
    assert isinstance(act.current, Configuration)
    return replace(
        act,
        evidence=replace(act.evidence, prices={}),
        current=replace(act.current, replicas_per_machine=NOT_TOLD),
        plan=replace(act.plan, proposed=replace(act.plan.proposed, replicas_per_machine=NOT_TOLD)),
    )


def test_every_row_is_still_there_and_means_the_same(database: Database) -> None:
    kept, journal = Recommendations(database), Journal(database)
    ranker, tagger, young = (kept.newest_of(name) for name in ("shop:ranker", "shop:tagger", "shop:young"))
    assert ranker is not None
    assert tagger is not None
    assert young is not None
    assert isinstance(ranker.recommendation, Act)
    written = as_that_version(an_act())
    assert (ranker.recommendation, ranker.status(NOON), ranker.following) == (written, Status.ACCEPTED, None)
    assert tagger.held == Held(since=NOON + HOUR, reason="Prometheus: refused")
    assert young.recommendation.kind == "hold"
    old = kept.find(an_act(at=NOON - HOUR).id)
    assert old is not None
    assert (old.status(NOON), old.decided_at, old.decided_by) == (Status.ACCEPTED, NOON - HOUR / 2, None)
    assert InputStore(database).of(ranker.recommendation.id) is None
    assert [workload.id for workload in journal.workloads()] == ["shop:ranker", "shop:tagger"]
    assert journal.costs(NOON.date(), NOON.date())[0].usd == pytest.approx(24 * 0.768)
    assert journal.report(NOON.date() - timedelta(days=1)) is not None
    assert [event.key for event in journal.events.going_on()] == ["source"]


def test_it_goes_on_from_there(database: Database) -> None:
    kept = Recommendations(database)
    kept.keep([a_record(an_act(at=NOON + HOUR))])
    newest = kept.newest_of("shop:ranker")
    assert newest is not None
    assert (newest.recommendation.created_at, newest.decision) == (NOON + HOUR, Status.ACCEPTED)
    InputStore(database).prune()
    kept.prune(NOON + 2 * HOUR)
    assert kept.find(an_act(at=NOON - HOUR).id) is not None


def test_opening_it_again_changes_nothing(file: Path) -> None:
    for _ in range(2):
        opened = open_database(f"sqlite:///{file}")
        with opened.session() as session:
            seen = inspect(session.connection())
            columns = {table: {each["name"] for each in seen.get_columns(table)} for table in seen.get_table_names()}
        opened.close()
        assert columns.keys() == Base.metadata.tables.keys() | NO_LONGER_READ
        for table in Base.metadata.sorted_tables:
            assert columns[table.name] == {column.name for column in table.columns}


def test_a_column_that_old_stores_lack_may_be_empty() -> None:
    """Tables of the dump get columns added, in which their old rows have nothing."""
    old = sqlite3.connect(":memory:")
    old.executescript(DUMP.read_text(encoding="utf-8"))
    for table in Base.metadata.sorted_tables:
        known = {row[1] for row in old.execute(f"PRAGMA table_info({table.name})")}
        assert not known or all(column.nullable for column in table.columns if column.name not in known), table.name
    old.close()


def test_columns_that_are_missing_are_added_in_either_database(store_url: str) -> None:
    opened = open_database(store_url)
    Recommendations(opened).keep([a_record()])
    with opened.session() as session:
        for column in ("following", "first_followed", "applied_at"):
            session.execute(text(f"ALTER TABLE recommendations DROP COLUMN {column}"))
        session.execute(text("DROP TABLE ledger"))
    opened.close()
    again = open_database(store_url)
    newest = Recommendations(again).newest_of("shop:ranker")
    assert newest is not None
    assert (newest.recommendation, newest.following, newest.applied_at) == (an_act(), None, None)
    assert Journal(again).nights.standing(NOON.date()) == ()
    again.close()
