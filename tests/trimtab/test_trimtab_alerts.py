"""Alerts that Alertmanager tells us: kept, each time by itself, and shown beside the recommendation they concern."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.unknown import Unknown
from rules import Episode, Proof, Proofs, Reading
from tests.fakes.recommendations import NOON, a_record, an_act, an_alert
from trimtab.store.database import Database, open_database
from trimtab.store.journal import Journal
from trimtab.store.proofs import ProofStore
from trimtab.web.page import render_page
from trimtab.web.view import page_of

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = open_database(f"sqlite:///{tmp_path / 'trimtab.db'}")
    yield made
    made.close()


def test_an_alert_that_fires_again_is_another_time_and_its_end_belongs_to_it(database: Database) -> None:
    journal = Journal(database)
    journal.keep_alerts([an_alert(workload="a:b")])
    journal.keep_alerts([an_alert(workload="a:b", ends_at=NOON + MINUTE)])
    journal.keep_alerts([an_alert(workload="a:b", at=NOON + HOUR)])
    latest, first = journal.alerts()
    assert (latest.status, latest.starts_at, latest.ends_at) == ("firing", NOON + HOUR, None)
    assert (first.status, first.starts_at, first.ends_at) == ("resolved", NOON, NOON + MINUTE)


def test_of_each_workload_the_latest_are_found_and_no_more(database: Database) -> None:
    journal = Journal(database)
    journal.keep_alerts([an_alert(str(n), NOON + n * MINUTE, workload="a") for n in range(9)])
    journal.keep_alerts([an_alert("b", workload="b"), an_alert("fleet")])
    found = journal.alerts_of(["a", "b", "c"])
    assert [alert.fingerprint for alert in found["a"]] == ["8", "7", "6", "5", "4"]
    assert [alert.fingerprint for alert in found["b"]] == ["b"]
    assert found["c"] == ()


def test_those_of_one_notification_are_bounded_even_if_all_came_at_once(database: Database) -> None:
    journal = Journal(database)
    journal.keep_alerts([an_alert(f"{n:03}") for n in range(30)], most=7)
    assert len(journal.alerts()) == 7


def shown(*alerts: Any) -> str:
    records = [a_record(an_act("shop:ranker"))]
    page = page_of(records, last_cycle=None, failure=None, now=NOON + HOUR, alerts={"shop:ranker": alerts})
    return render_page(page)


def test_the_page_shows_alerts_beside_the_recommendation_firing_ones_first() -> None:
    firing = an_alert("a", NOON + 48 * MINUTE, severity="critical")
    over = [an_alert(str(n), NOON, ends_at=NOON + 30 * MINUTE) for n in range(5)]
    text = shown(*over, firing)
    assert '<p class="broken">Critical for 12 min: Requests are failing.</p>' in text
    assert text.count("Requests are failing. Over for 30 min, after 30 min.") == 2  # three lines in all
    assert '<tr id="shop:ranker">' in text


def test_news_is_no_trouble() -> None:
    assert '<p class="note">Info for 12 min: Requests are failing.</p>' in shown(
        an_alert("a", NOON + 48 * MINUTE, severity="info")
    )


def test_a_name_in_an_alert_is_no_markup() -> None:
    trap = an_alert("x", alertname="<script>alert(1)</script>")
    text = shown(type(trap)(**{**{n: getattr(trap, n) for n in trap.__slots__}, "annotations": {}}))
    assert "&lt;script&gt;" in text
    assert "<script" not in text


def test_a_proof_survives_the_store_and_what_is_no_longer_rendered_is_forgotten(database: Database) -> None:
    store = ProofStore(database)
    episode = Episode(start=NOON, end=NOON + HOUR, labels={"workload": "a:b"})
    proof = Proof(
        rule="ab", start=NOON - 14 * 24 * HOUR, end=NOON, known=0.5, reading=Reading.HISTORY, episodes=(episode,)
    )
    proofs: Proofs = {("", "TrimtabDown"): Unknown("away"), ("a:b", "TrimtabLatencyHigh"): proof}
    store.keep(proofs, at=NOON, only=frozenset(proofs))
    assert store.all() == proofs
    store.keep({}, at=NOON, only=frozenset({("", "TrimtabDown")}))
    assert store.all() == {("", "TrimtabDown"): Unknown("away")}
