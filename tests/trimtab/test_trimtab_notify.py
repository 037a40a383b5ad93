"""Events reach a real Alertmanager once, go on, and end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.errors import BadAnswer, SourceUnavailable
from domain.ports import Event
from tests.conftest import StartAlertmanager
from tests.servers import Reply, Scripted, Webhook, free_port
from trimtab.notify import AlertmanagerNotifier, log_event


def clock() -> datetime:
    return datetime.now(UTC)


def config(webhook: Webhook) -> str:
    return f"""
route: {{receiver: us, group_by: [alertname, workload], group_wait: 0s, group_interval: 1s}}
receivers: [{{name: us, webhook_configs: [{{url: '{webhook.url}', send_resolved: true}}]}}]
"""


def an_event() -> Event:
    return Event(key='held:shop:"ü"', severity="warning", summary="Trimtab cannot renew.", detail="refused", at=clock())


@pytest.mark.servers
def test_an_event_is_one_alert_until_it_is_over(start_alertmanager: StartAlertmanager, webhook: Webhook) -> None:
    alertmanager = start_alertmanager(config(webhook))
    tell = AlertmanagerNotifier(url=alertmanager.url, clock=clock)
    event = an_event()
    tell(event)
    tell(replace(event, detail="timed out"))
    (alert,) = alertmanager.alerts()
    assert alert["labels"] == {
        "alertname": "TrimtabHeld", "severity": "warning", "category": "trimtab", "event": event.key, "workload": 'shop:"ü"',
    }  # fmt: skip
    assert alert["annotations"] == {
        "summary": "Trimtab cannot renew.",
        "description": "timed out",
        "runbook_url": "docs/runbooks/TrimtabHeld.md",
    }
    webhook.wait_for(lambda post: post["status"] == "firing")
    tell(replace(event, over=True))

    def over(post: Any) -> bool:
        return bool(post["status"] == "resolved" and post["alerts"][0]["labels"]["event"] == event.key)

    webhook.wait_for(over)


@pytest.mark.servers
def test_a_report_is_told_once_however_long_trimtab_is_away(
    start_alertmanager: StartAlertmanager, webhook: Webhook
) -> None:
    """Its end is known when it begins; trouble that is not told again is taken as over."""
    alertmanager = start_alertmanager(config(webhook))
    tell = AlertmanagerNotifier(url=alertmanager.url, clock=clock, alive_for=timedelta(seconds=2))
    report = Event(
        key="report:2026-03-01",
        severity="info",
        summary="s",
        detail="d",
        at=clock(),
        until=clock() + timedelta(hours=1),
    )
    tell(report)
    tell(an_event())
    webhook.wait_for(lambda post: post["status"] == "resolved")
    tell(report)  # Trimtab is back
    tell(replace(an_event(), detail="timed out"))
    firing = webhook.wait_for(lambda post: post["alerts"][0]["annotations"]["description"] == "timed out")
    assert firing["alerts"][0]["labels"]["alertname"] == "TrimtabHeld"
    told = [post for post in webhook.posts if post["alerts"][0]["labels"]["alertname"] == "TrimtabReport"]
    assert [post["status"] for post in told] == ["firing"]


def test_an_alertmanager_that_is_away_is_unavailable() -> None:
    with pytest.raises(SourceUnavailable, match=r"see that it runs and alertmanager\.url is right"):
        AlertmanagerNotifier(url=f"http://127.0.0.1:{free_port()}", clock=clock)(an_event())


def test_one_that_answers_otherwise_is_a_bad_answer() -> None:
    with Scripted(lambda _: Reply(status=404)) as server, pytest.raises(BadAnswer, match="answered 404"):
        AlertmanagerNotifier(url=server.url, clock=clock)(an_event())


def test_without_one_events_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    log_event(an_event())
    assert "Trimtab cannot renew. refused" in caplog.text


def test_credentials_of_an_alertmanager_are_not_repeated() -> None:
    with pytest.raises(SourceUnavailable) as fault:
        AlertmanagerNotifier(url=f"http://me:secret@127.0.0.1:{free_port()}", clock=clock)(an_event())
    assert "secret" not in str(fault.value)
