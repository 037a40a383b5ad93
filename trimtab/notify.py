"""Tells people of events: through Alertmanager's API v2, or in the log where there is none."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx

from domain.errors import BadAnswer, SourceUnavailable
from domain.ports import Event

log = logging.getLogger(__name__)


def log_event(event: Event) -> None:
    """The notifier where no Alertmanager is set."""
    log.warning("%s%s %s", "over: " if event.over else "", event.summary, event.detail)


@dataclass(slots=True, kw_only=True)
class AlertmanagerNotifier:
    """Posts events as alerts; the labels are made of the key alone, so the same event is the same alert.

    An event that goes on has to be told again within `alive_for`, or Alertmanager takes it as
    resolved. Raises SourceUnavailable or BadAnswer when it cannot be told.
    """

    url: str
    clock: Callable[[], datetime]
    alive_for: timedelta = timedelta(minutes=15)
    timeout_s: float = 5.0
    transport: httpx.BaseTransport | None = field(default=None)

    def __call__(self, event: Event) -> None:
        name = f"Alertmanager {without_credentials(self.url)}"
        try:
            with httpx.Client(timeout=self.timeout_s, transport=self.transport, trust_env=False) as client:
                answer = client.post(f"{self.url}/api/v2/alerts", json=[alert_body(event, self._ends(event))])
        except httpx.HTTPError as fault:
            raise SourceUnavailable(
                name, f"could not be told ({fault})", "see that it runs and alertmanager.url is right"
            ) from fault
        if answer.is_error:
            raise BadAnswer(
                name, f"answered {answer.status_code}", "see that alertmanager.url is an Alertmanager with API v2"
            )

    def _ends(self, event: Event) -> datetime:
        now = self.clock()
        return now if event.over else now + self.alive_for


def without_credentials(url: str) -> str:
    """The URL as it may be shown or written to a file."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def alert_body(event: Event, ends_at: datetime) -> dict[str, Any]:
    """The event as Alertmanager's API v2 wants it."""
    kind, _, workload = event.key.partition(":")
    labels = {"alertname": f"Trimtab{kind.capitalize()}", "severity": event.severity, "event": event.key}
    return {
        "labels": labels | ({"workload": workload} if workload else {}),
        "annotations": {"summary": event.summary, "description": event.detail},
        "startsAt": event.at.isoformat(),
        "endsAt": ends_at.isoformat(),
    }
