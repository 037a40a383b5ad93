"""The API over a store of its own, for its tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.asgi_server import AsgiServer
from tests.fakes.recommendations import NOON, a_hold, a_record, a_workload, an_act
from trimtab.api.deps import Deps
from trimtab.app import create_app
from trimtab.selfmetrics import registry_of
from trimtab.store.database import Database, open_database
from trimtab.store.journal import CycleNote, Journal
from trimtab.store.proofs import ProofStore
from trimtab.store.recommendations import Recommendations

PROBLEM = "application/problem+json"


class Served:
    """An application over a store of its own, and a clock that a test sets."""

    def __init__(self, database: Database) -> None:
        self.recommendations, self.journal = Recommendations(database), Journal(database)
        self.proofs, self.now = ProofStore(database), NOON
        registry = registry_of(self.recommendations, self.journal, self.clock)
        self.app = create_app(
            Deps(
                recommendations=self.recommendations,
                journal=self.journal,
                proofs=self.proofs,
                clock=self.clock,
                registry=registry,
            )
        )
        self.server = AsgiServer(self.app)
        self.client = self.server.client

    def clock(self) -> datetime:
        return self.now

    def get(self, path: str, **parameters: Any) -> Any:
        answer = self.client.get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextmanager
def serving(file: Path) -> Iterator[Served]:
    """A served application over a store in `file`."""
    database = open_database(f"sqlite:///{file}")
    made = Served(database)
    with made.server:
        yield made
    database.close()


def fill(served: Served) -> None:
    """Two recommendations to act, one of unknown saving, one hold, and a cycle."""
    unknown = an_act("org/llama 3:ü", saving=None)
    served.recommendations.keep([a_record(each) for each in (an_act(), a_hold(), unknown, an_act("z", saving=9))])
    served.journal.keep_workloads([a_workload(), a_workload("org/llama 3:ü")])
    served.journal.note_cycle(CycleNote(at=NOON, duration_s=2.0, acts=3, holds=1, kept=0, failure=None))
