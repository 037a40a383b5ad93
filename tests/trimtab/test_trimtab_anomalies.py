"""What is out of the ordinary, told: once an episode, with the number and what was expected, and as the rule's own alert."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from domain.observation import Observation
from domain.plan import Json, Recommendation
from domain.ports import Event
from rules import AlertmanagerOptions, alertmanager
from rules.alerts import of_fleet
from rules.model import Alert
from rules.options import RuleOptions
from tests.conftest import StartAlertmanager
from tests.fakes.fleet import FakeFleet, Heard
from tests.fakes.recommendations import NOON, a_record, an_act
from tests.servers import wait_until
from trimtab.anomalies import Bounds, anomalies
from trimtab.cycle import Cycle
from trimtab.decide import Decided
from trimtab.notify import AS_RULED, AlertmanagerNotifier, alert_name, labels_of, path_of
from trimtab.records import Record
from trimtab.selfmetrics import registry_of
from trimtab.store.codec import encode, evidence_body
from trimtab.store.database import open_database
from trimtab.store.journal import Journal
from trimtab.store.recommendations import Recommendations

MINUTES, HOUR = timedelta(minutes=5), timedelta(hours=1)
METRICS = (
    "trimtab_load_anomaly_score",
    "trimtab_load_anomaly_excess_requests",
    "trimtab_spend_anomaly_score",
    "trimtab_spend_anomaly_excess_usd_per_hour",
)


def strange(score: float = 1.8, came: float = 84.2, path: float = 31.0, excess: float = 15960.0) -> dict[str, Json]:
    """A spike that ended at noon."""
    return {
        "at": NOON.isoformat(),
        "sign": "spike",
        "window_s": 300.0,
        "score": score,
        "came": came,
        "low": 12.0,
        "path": path,
        "high": 45.0,
        "excess": excess,
    }


def quiet() -> dict[str, Json]:
    return strange(score=0.4, came=30.0, excess=-300.0)


def both(load: dict[str, Json], spend: dict[str, Json]) -> dict[str, Json]:
    return {"load": {"now": load, "episode": load}, "spend": {"now": spend, "episode": spend}}


def looked(found: dict[str, Json], name: str = "shop:ranker", at: datetime = NOON) -> Record:
    act = an_act(name, at)
    return a_record(replace(act, evidence=replace(act.evidence, anomalies=found)))


def told(found: dict[str, Json], bounds: Bounds | None = None, at: datetime = NOON) -> list[Event]:
    return list(anomalies([looked(found)], at, bounds))


def test_a_load_anomaly_names_the_number_and_what_was_expected() -> None:
    (event,) = told(both(strange(), quiet()))
    assert (event.key, event.severity) == ("load_anomaly:shop:ranker", "warning")
    assert event.summary == "A workload's load is out of the ordinary."
    assert event.detail == (
        "shop:ranker: 84.2 requests/s over 5 min to 2026-03-02 12:00 UTC, where 31 requests/s (12 to 45) were expected."
    )
    assert path_of(event) == "/#shop%3Aranker"


def test_a_spend_anomaly_names_dollars() -> None:
    (event,) = told(both(quiet(), strange(came=9.0, path=3.0)))
    assert event.key == "spend_anomaly:shop:ranker"
    assert "$9.00 an hour over 5 min to" in event.detail
    assert event.detail.endswith("where $3.00 an hour (12 to 45) were expected at its load.")


def test_load_and_the_spend_that_it_does_not_explain_are_told_both() -> None:
    keys = [event.key for event in told(both(strange(), strange()))]
    assert keys == ["load_anomaly:shop:ranker", "spend_anomaly:shop:ranker"]


@pytest.mark.parametrize(
    "found",
    [
        both(quiet(), quiet()),
        both(strange(excess=19.0), quiet()),
        both(quiet(), strange(came=3.05, path=3.0)),
        {"load": {"unknown": "away"}, "spend": {"unknown": "no price"}},
        {"load": {"now": {"unknown": "a gap"}, "episode": quiet()}, "spend": {"unknown": "no price"}},
        {},
    ],
)
def test_too_little_and_what_is_not_known_are_not_told(found: dict[str, Json]) -> None:
    assert not told(found)


def test_the_bounds_are_those_of_the_rules() -> None:
    assert not told(both(strange(), quiet()), Bounds(requests=1e6))
    assert not told(both(quiet(), strange()), Bounds(usd_per_hour=1e6))


def test_nothing_is_told_of_a_recording_nor_of_what_was_seen_long_ago() -> None:
    record = looked(both(strange(), strange()))
    assert not list(anomalies([replace(record, observed_at=NOON - HOUR)], NOON))
    assert list(anomalies([record], NOON + 2 * HOUR))
    assert not list(anomalies([record], NOON + 2 * HOUR + MINUTES))


def test_metrics_are_of_the_last_hour_and_absent_where_it_is_not_known(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'trimtab.db'}")
    recommendations = Recommendations(database)
    now = [NOON]
    registry = registry_of(recommendations, Journal(database), lambda: now[0])

    def shown(name: str = "shop:ranker") -> list[float | None]:
        return [registry.get_sample_value(metric, {"workload": name}) for metric in METRICS]

    gap: dict[str, Json] = {"now": {"unknown": "a gap"}, "episode": strange()}
    recommendations.keep([looked(both(strange(), strange(came=9.0, path=3.0)))])
    recommendations.keep([looked({"load": gap, "spend": {"unknown": "no price"}}, "shop:search")])
    assert shown() == [1.8, 15960.0, 1.8, 6.0]
    assert shown("shop:search") == [None] * 4
    now[0] = NOON + 3 * HOUR
    assert shown() == [None] * 4
    database.close()


@dataclass
class Deciding:
    """Decisions that saw this."""

    found: Mapping[str, Json] = field(default_factory=dict)

    def __call__(
        self,
        observations: Sequence[Observation],
        previous: Mapping[str, Recommendation],
        declined: Mapping[str, datetime],
    ) -> Sequence[Decided]:
        del previous, declined
        acts = [an_act(observation.workload.id, observation.observed_at) for observation in observations]
        return [replace(act, evidence=replace(act.evidence, anomalies=self.found)) for act in acts]


def test_a_cycle_tells_an_episode_as_one_event_and_its_end(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'trimtab.db'}")
    decisions, heard = Deciding(), Heard()
    cycle = Cycle(
        fleet=FakeFleet(),
        decide_all=decisions,
        recommendations=Recommendations(database),
        journal=Journal(database),
        remember=lambda _grounds: None,
        emit=lambda _workloads, _records: None,
        notify=heard,
        stopwatch=lambda: 0.0,
    )
    for minute, found in ((0, strange()), (5, strange(score=1.4)), (10, quiet())):
        decisions.found = both(found, quiet())
        cycle.run(now=NOON + timedelta(minutes=minute))
    events = [event for event in heard.events if event.key == "load_anomaly:shop:ranker"]
    assert [(event.at, event.over) for event in events] == [(NOON, False), (NOON, False), (NOON, True)]
    database.close()


def test_what_an_older_version_stored_has_no_reading_and_is_read_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "trimtab.db"
    database = open_database(f"sqlite:///{file}")
    recommendations = Recommendations(database)
    recommendations.keep([looked(both(strange(), quiet()))])
    body = encode(an_act()).replace(', "anomalies": {}', "")
    assert "anomalies" not in body
    with database.session() as session:
        session.execute(text("update recommendations set body = :body"), {"body": body})
    (record,) = recommendations.newest()
    assert evidence_body(record.recommendation.evidence)["anomalies"] == {}
    assert not list(anomalies([record], NOON))
    database.close()


def rule(name: str) -> Alert:
    return next(alert for alert in of_fleet(RuleOptions()) if alert.name == name)


@pytest.mark.parametrize("kind", AS_RULED)
def test_the_event_has_the_labels_of_the_rule_so_that_both_are_one_alert(kind: str) -> None:
    event = Event(key=f"{kind}:vision:digits", severity="warning", summary="", detail="", at=NOON)
    alert = rule(alert_name(kind))
    labels = {"alertname": alert.name, "severity": alert.severity, "category": str(alert.category)}
    assert labels_of(event) == labels | {"workload": "vision:digits"}
    (heard,) = told(both(strange(), quiet()) if kind == "load_anomaly" else both(quiet(), strange()))
    assert (heard.severity, heard.summary) == (alert.severity, alert.summary)


@pytest.mark.servers
def test_alertmanager_takes_rule_and_event_for_one_alert_with_number_and_link(
    start_alertmanager: StartAlertmanager,
) -> None:
    server = start_alertmanager(alertmanager(AlertmanagerOptions())[0].text)
    tell = AlertmanagerNotifier(url=server.url, clock=lambda: datetime.now(UTC), base_url="https://trimtab.example")
    (event,) = told(both(strange(), quiet()))
    for since in (datetime.now(UTC), datetime.now(UTC) - MINUTES):
        tell(replace(event, at=since))
    wait_until(lambda: bool(server.alerts()), within_s=10, what="the alert")
    (alert,) = server.alerts()
    assert alert["generatorURL"] == "https://trimtab.example/#shop%3Aranker"
    assert "84.2 requests/s" in alert["annotations"]["description"]
    assert alert["annotations"]["runbook_url"] == "docs/runbooks/TrimtabLoadAnomaly.md"
    assert alert["labels"] == labels_of(event)
