"""News and trouble of our own, from the event to a message: told once, with number, reason and link, over when it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.plan import Reason, Saving
from domain.ports import Event
from domain.unknown import Unknown
from rules import AlertmanagerOptions, alertmanager
from tests.asgi_server import AsgiServer
from tests.conftest import StartAlertmanager
from tests.fakes.recommendations import NOON, a_hold, a_record, an_act
from tests.servers import Alertmanager, wait_until
from trimtab.api.deps import Deps
from trimtab.app import create_app
from trimtab.bookkeeping import events_of
from trimtab.news import proposals, report_written
from trimtab.notify import NEWS, AlertmanagerNotifier, alert_name, path_of
from trimtab.records import Held, Record, Status
from trimtab.selfmetrics import registry_of
from trimtab.store.database import open_database
from trimtab.store.journal import CostSample, CycleNote, Journal, StoredReport
from trimtab.store.proofs import ProofStore
from trimtab.store.recommendations import Recommendations

ROOT = Path(__file__).resolve().parents[2]
SECOND = timedelta(seconds=1)
YESTERDAY = date(2026, 3, 1)
ODD = 'shop:"ü"/x'


def a_proposal(**more: Any) -> Record:
    return a_record(
        replace(an_act(ODD), reasons=(Reason(code="mode_chosen", detail="load follows the clock"),), **more)
    )


def test_a_proposal_tells_the_saving_the_change_and_the_reason() -> None:
    (event,) = proposals([a_proposal(), a_record(a_hold())], NOON)
    assert (event.key, event.severity, event.summary) == (f"recommendation:{ODD}", "info", "A change would save money.")
    assert event.detail.startswith(f"{ODD}: $210 a month less (")
    assert "in place of 8 \N{MULTIPLICATION SIGN} m5.large" in event.detail
    assert event.detail.endswith(" Why: load follows the clock.")
    assert len(event.detail) < 300


def test_a_saving_that_is_not_known_or_none_is_not_called_one() -> None:
    (unknown,) = proposals([a_proposal(saving=Unknown("no price"))], NOON)
    assert unknown.summary == "A change is proposed."
    assert "the saving is not known (no price)" in unknown.detail
    dearer = replace(an_act(), saving=Saving(usd_per_month=-40.0, low=-60.0, high=-20.0))
    (more,) = proposals([a_record(dearer)], NOON)
    assert more.summary == "A change would cost more, and hold the SLO."
    assert "$40.00 a month more" in more.detail


def test_a_proposal_is_news_until_somebody_decides_and_while_it_is_held() -> None:
    held = replace(a_proposal(), held=Held(since=NOON, reason="Prometheus: away"))
    assert len(list(proposals([held], NOON))) == 1
    for decision in (Status.ACCEPTED, Status.DISMISSED):
        assert not list(proposals([replace(held, decision=decision)], NOON))
    assert not list(proposals([held], NOON + timedelta(days=2)))  # it has expired


@pytest.fixture
def journal() -> Iterator[Journal]:
    database = open_database("sqlite://")
    yield Journal(database)
    database.close()


def test_a_report_is_news_for_a_day_and_says_what_the_day_cost(journal: Journal) -> None:
    written = datetime(2026, 3, 2, 0, 10, tzinfo=UTC)
    for hour in range(24):
        at = datetime(2026, 3, 1, hour, tzinfo=UTC)
        journal.note_cycle(CycleNote(at=at, duration_s=1, acts=1, holds=0, kept=0, failure=None))
    for name, usd in (("a", 2.0), ("b", Unknown("no price"))):
        journal.add_costs(YESTERDAY, [CostSample(workload=name, current_usd_per_hour=usd, proposed_usd_per_hour=usd)])
    journal.keep_report(StoredReport(day=YESTERDAY, generated_at=written, files={}))
    journal.keep_report(StoredReport(day=date(2026, 3, 2), generated_at=NOON, files={}))  # asked for while it goes on
    (event,) = report_written(journal, NOON)
    assert (event.key, event.at, event.severity) == ("report:2026-03-01", written, "info")
    assert event.until == written + timedelta(hours=24)
    assert event.summary == "The cost report of 2026-03-01 is written."
    assert event.detail == "1 workload cost $48.00 on 2026-03-01; of 1 more it is not known."
    assert not list(report_written(journal, written + timedelta(hours=24)))


def test_files_that_cannot_be_written_are_no_workload() -> None:
    (event,) = events_of((), {"artifacts": FileNotFoundError("gone")}, NOON)  # type: ignore[dict-item]
    assert (event.key, event.summary) == ("artifacts", "Trimtab cannot write its files.")


EVENTS = {
    "source": ("warning", "/"),
    f"held:{ODD}": ("warning", "/#shop%3A%22%C3%BC%22%2Fx"),
    f"expired:{ODD}": ("critical", "/#shop%3A%22%C3%BC%22%2Fx"),
    "artifacts": ("warning", "/"),
    f"made_worse:{ODD}": ("warning", "/#shop%3A%22%C3%BC%22%2Fx"),
    f"recommendation:{ODD}": ("info", "/#shop%3A%22%C3%BC%22%2Fx"),
    "report:2026-03-01": ("info", "/reports/2026-03-01"),
}


def test_every_kind_of_trouble_has_a_runbook() -> None:
    for kind in {key.partition(":")[0] for key in EVENTS} - NEWS.keys():
        page = (ROOT / "docs" / "runbooks" / f"{alert_name(kind)}.md").read_text(encoding="utf-8")
        assert page.startswith(f"# {alert_name(kind)}\n")
        assert "## First three things to do" in page


@dataclass
class Stage:
    """A real Alertmanager with our own configuration, and our own API as its webhook."""

    alertmanager: Alertmanager
    api: AsgiServer
    tell: AlertmanagerNotifier
    since: datetime

    def event(self, key: str) -> Event:
        severity, _ = EVENTS[key]
        return Event(key=key, severity=severity, summary=f"About {key}.", detail="12 of them.", at=self.since)

    def told(self) -> dict[str, dict[str, Any]]:
        """What the API shows of each event, as Alertmanager told it: once, however often it was told."""
        items = self.api.client.get("/alerts").json()["items"]
        found = {item["labels"]["event"]: item for item in items}
        assert len(found) == len(items)
        return found


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def stage(start_alertmanager: StartAlertmanager) -> Iterator[Stage]:
    database = open_database("sqlite://")
    recommendations, journal = Recommendations(database), Journal(database)
    deps = Deps(
        recommendations=recommendations,
        journal=journal,
        proofs=ProofStore(database),
        clock=now,
        registry=registry_of(recommendations, journal, now),
    )
    with AsgiServer(create_app(deps)) as api:
        options = AlertmanagerOptions(
            webhook_url=f"{api.url}/alerts/webhook",
            group_wait=SECOND,
            critical_group_wait=SECOND,
            group_interval=SECOND,
            digest_interval=SECOND,
        )
        server = start_alertmanager(alertmanager(options)[0].text)
        tell = AlertmanagerNotifier(url=server.url, clock=now, base_url="https://trimtab.example")
        yield Stage(alertmanager=server, api=api, tell=tell, since=now())
    database.close()


@pytest.mark.servers
def test_every_event_reaches_people_once_with_its_link_and_ends_when_it_is_over(stage: Stage) -> None:
    """`held` is muted while the source is away or the workload's has expired: it is told when that is over."""
    for key in EVENTS:
        for _ in range(3):  # as each cycle does
            stage.tell(stage.event(key))
    held = f"held:{ODD}"
    wait_until(lambda: stage.told().keys() >= EVENTS.keys() - {held}, within_s=20, what="every event at the webhook")
    assert held not in stage.told()
    links = {alert["labels"]["event"]: alert["generatorURL"] for alert in stage.alertmanager.alerts()}
    assert links == {key: f"https://trimtab.example{path}" for key, (_, path) in EVENTS.items()}
    assert {key: told["severity"] for key, told in stage.told().items()} == {
        key: severity for key, (severity, _) in EVENTS.items() if key != held
    }
    for key in ("source", f"expired:{ODD}"):
        stage.tell(replace(stage.event(key), over=True))
    wait_until(lambda: stage.told().keys() == EVENTS.keys(), within_s=20, what="what was muted")
    for key in EVENTS:
        stage.tell(replace(stage.event(key), over=True))
    ends = EVENTS.keys() - {"report:2026-03-01"}  # that a report is a day old is no news
    wait_until(
        lambda: {key for key, told in stage.told().items() if told["status"] == "resolved"} == ends,
        within_s=20,
        what="the end of every event",
    )
    assert all(told["ends_at"] for key, told in stage.told().items() if key in ends)


def test_a_link_leads_to_the_workload_on_the_page() -> None:
    assert {key: path_of(Event(key=key, severity="", summary="", detail="", at=NOON)) for key in EVENTS} == {
        key: path for key, (_, path) in EVENTS.items()
    }
