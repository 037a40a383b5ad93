"""Tells people of events: through Alertmanager's API v2, or in the log where there is none."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import httpx

from domain.errors import BadAnswer, SourceUnavailable
from domain.ports import Event

log = logging.getLogger(__name__)


# What an event is about, by the first part of its key; whatever is not named here is trouble of Trimtab's own.
NEWS = {"recommendation": "recommendation", "report": "report"}
# What a rule says too, on our own metrics: of the same labels, so that both are one alert.
AS_RULED = {"load_anomaly": "capacity", "spend_anomaly": "cost"}
CATEGORIES = NEWS | AS_RULED | {"made_worse": "cost"}


def log_event(event: Event) -> None:
    """The notifier where no Alertmanager is set; news are no warnings."""
    level = logging.INFO if event.severity == "info" else logging.WARNING
    log.log(level, "%s%s %s", "over: " if event.over else "", event.summary, event.detail)


@dataclass(slots=True, kw_only=True)
class AlertmanagerNotifier:
    """Posts events as alerts; the labels are made of the key alone, so the same event is the same alert.

    Each carries a link: to the page of reports for a report, else to its workload on the page at `base_url`; and for
    trouble the address of its runbook. An event that goes on and has no `until` has to be told again within `alive_for`, or
    Alertmanager takes it as resolved. Raises SourceUnavailable or BadAnswer when it cannot be told.
    """

    url: str
    clock: Callable[[], datetime]
    base_url: str | None = None
    runbook_base_url: str = "docs/runbooks"
    alive_for: timedelta = timedelta(minutes=15)
    timeout_s: float = 5.0
    transport: httpx.BaseTransport | None = field(default=None)

    def __call__(self, event: Event) -> None:
        name = f"Alertmanager {without_credentials(self.url)}"
        try:
            with httpx.Client(timeout=self.timeout_s, transport=self.transport, trust_env=False) as client:
                answer = client.post(f"{self.url}/api/v2/alerts", json=[self._alert(event)])
        except httpx.HTTPError as fault:
            raise SourceUnavailable(
                name, f"could not be told ({fault})", "see that it runs and alertmanager.url is right"
            ) from fault
        if answer.is_error:
            raise BadAnswer(
                name, f"answered {answer.status_code}", "see that alertmanager.url is an Alertmanager with API v2"
            )

    def _alert(self, event: Event) -> dict[str, Any]:
        """The event as Alertmanager's API v2 wants it."""
        now, kind = self.clock(), event.key.partition(":")[0]
        runbook = {} if kind in NEWS else {"runbook_url": f"{self.runbook_base_url.rstrip('/')}/{alert_name(kind)}.md"}
        return {
            "labels": labels_of(event),
            "annotations": {"summary": event.summary, "description": event.detail, **runbook},
            "startsAt": event.at.isoformat(),
            "endsAt": (now if event.over else event.until or now + self.alive_for).isoformat(),
            **({} if self.base_url is None else {"generatorURL": f"{self.base_url}{path_of(event)}"}),
        }


def without_credentials(url: str) -> str:
    """The URL as it may be shown or written to a file."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def alert_name(kind: str) -> str:
    """The name of the alert that events of a kind are."""
    return f"Trimtab{''.join(word.capitalize() for word in kind.split('_'))}"


def labels_of(event: Event) -> dict[str, str]:
    """The labels that make the event the same alert each time."""
    kind, _, about = event.key.partition(":")
    labels = {
        "alertname": alert_name(kind),
        "severity": event.severity,
        "category": CATEGORIES.get(kind, "trimtab"),
    }
    if kind not in AS_RULED:
        labels["event"] = event.key
    return labels | ({"workload": about} if about and kind != "report" else {})


def path_of(event: Event) -> str:
    """Where on our own pages the event can be looked at."""
    kind, _, about = event.key.partition(":")
    if kind == "report":
        return f"/reports/{quote(about)}"
    return f"/#{quote(about, safe='')}" if about else "/"
