"""The open database: transactions, and every fault of it as a StoreError."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, MetaData, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from domain.errors import SettingsError, StoreError
from trimtab.store.tables import Base


class Database:
    """One engine; `session()` is one transaction, committed if its block ends well.

    A database in memory has one connection for all threads: there, transactions wait for each other.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turn = threading.RLock() if isinstance(engine.pool, StaticPool) else nullcontext()

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction; StoreError when the database fails."""
        try:
            with self._turn, Session(self._engine, expire_on_commit=False) as session, session.begin():
                yield session
        except SQLAlchemyError as fault:
            raise StoreError(f"store {self._name}: {_cause(fault)}") from fault

    def close(self) -> None:
        """Let go of the connections."""
        self._engine.dispose()

    @property
    def _name(self) -> str:
        return self._engine.url.render_as_string(hide_password=True)


def open_database(url: str) -> Database:
    """Open (and where needed make) the database; SettingsError for a URL, StoreError for a database that fails."""
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            engine = _sqlite(url, parsed.database)
        else:
            engine = create_engine(url, pool_pre_ping=True)
    except (ArgumentError, ImportError) as fault:
        shown = re.sub(r"://[^/]*@", "://***@", url)  # what cannot be parsed may hold a password all the same
        raise SettingsError("store.url", shown, f"give a URL such as sqlite:///trimtab.db ({_cause(fault)})") from None
    except OSError as fault:
        raise SettingsError(
            "store.url", url, f"name a file in a folder that can be written ({fault.strerror})"
        ) from None
    try:
        Base.metadata.create_all(engine)
        add_columns(engine, Base.metadata)
    except SQLAlchemyError as fault:
        engine.dispose()
        shown = engine.url.render_as_string(hide_password=True)
        raise StoreError(f"store {shown}: {_cause(fault)}; {_fix(engine)}") from fault
    return Database(engine)


def add_columns(engine: Engine, metadata: MetaData) -> None:
    """Add to the tables of an earlier version the columns it did not have; their rows hold null there."""
    seen = inspect(engine)
    quote = engine.dialect.identifier_preparer.quote
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            known = {column["name"] for column in seen.get_columns(table.name)}
            for column in (column for column in table.columns if column.name not in known):
                kind = column.type.compile(engine.dialect)
                connection.execute(text(f"ALTER TABLE {quote(table.name)} ADD COLUMN {quote(column.name)} {kind}"))


def _sqlite(url: str, file: str | None) -> Engine:
    """SQLite in WAL mode, so that readers and the writer do not wait for each other; one connection if in memory."""
    if file in (None, "", ":memory:"):
        return create_engine(url, connect_args={"check_same_thread": False}, poolclass=StaticPool)
    Path(str(file)).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": 15})
    event.listen(engine, "connect", _set_pragmas)
    return engine


def _set_pragmas(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _fix(engine: Engine) -> str:
    """What to do about a store that cannot be opened."""
    if engine.dialect.name == "sqlite":
        return "see that store.url names a SQLite file of Trimtab that may be written, or one that is not there yet"
    return "see that the server of store.url runs, and that its user may create tables there"


def _cause(fault: Exception) -> str:
    """The driver's own words, in one line and without the statement."""
    return str(getattr(fault, "orig", None) or fault).splitlines()[0]
