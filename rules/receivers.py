"""Where Alertmanager sends notifications: what each way of sending needs, as its configuration has it.

Secrets are never here: each is read by Alertmanager from a file of its own, whose path alone is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SEVERITIES = ("critical", "warning", "info")
TITLE = '{{ template "trimtab.title" . }}'
TEXT = '{{ template "trimtab.text" . }}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """By SMTP through `smarthost` (`host:port`)."""

    to: str
    sender: str
    smarthost: str
    username: str | None = None
    password_file: str | None = None
    require_tls: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Slack:
    """To a Slack incoming webhook."""

    api_url_file: str
    channel: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PagerDuty:
    """To a PagerDuty service with an Events API v2 integration."""

    routing_key_file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MsTeams:
    """To a Teams workflow that takes webhooks; Alertmanager knows of it since 0.28."""

    webhook_url_file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Alertmanager's own JSON to an address."""

    url: str
    bearer_token_file: str | None = None


Way = Email | Slack | PagerDuty | MsTeams | Webhook


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Who hears of alerts of these severities, and of those alone that carry one of these teams where any are named."""

    way: Way
    severities: Sequence[str] = SEVERITIES
    teams: Sequence[str] = ()


def configured(ways: Sequence[Way], *, resolved: bool = True) -> dict[str, list[dict[str, Any]]]:
    """The `*_configs` of a receiver that is told in all of these ways, of the end too unless not `resolved`."""
    configs: dict[str, list[dict[str, Any]]] = {}
    for way in ways:
        section, config = _WRITERS[type(way)](way)
        configs.setdefault(section, []).append({**config, "send_resolved": resolved})
    return configs


def _email(way: Email) -> tuple[str, dict[str, Any]]:
    login = {"auth_username": way.username, "auth_password_file": way.password_file}
    return "email_configs", {
        "to": way.to,
        "from": way.sender,
        "smarthost": way.smarthost,
        **{name: value for name, value in login.items() if value is not None},
        "require_tls": way.require_tls,
        "headers": {"Subject": TITLE},
        "text": TEXT,
        "html": '{{ template "trimtab.html" . }}',
    }


def _slack(way: Slack) -> tuple[str, dict[str, Any]]:
    return "slack_configs", {
        "api_url_file": way.api_url_file,
        **({} if way.channel is None else {"channel": way.channel}),
        "title": TITLE,
        "title_link": '{{ template "trimtab.link" . }}',
        "text": TEXT,
        "fallback": TITLE,
        "color": '{{ template "trimtab.color" . }}',
    }


def _pagerduty(way: PagerDuty) -> tuple[str, dict[str, Any]]:
    return "pagerduty_configs", {
        "routing_key_file": way.routing_key_file,
        "description": TITLE,
        "severity": "{{ or .CommonLabels.severity `error` }}",
        "client": "Trimtab",
        "client_url": '{{ template "trimtab.link" . }}',
        "details": {"text": TEXT},
    }


def _msteams(way: MsTeams) -> tuple[str, dict[str, Any]]:
    return "msteamsv2_configs", {"webhook_url_file": way.webhook_url_file, "title": TITLE, "text": TEXT}


def _webhook(way: Webhook) -> tuple[str, dict[str, Any]]:
    if way.bearer_token_file is None:
        return "webhook_configs", {"url": way.url}
    return "webhook_configs", {
        "url": way.url,
        "http_config": {"authorization": {"credentials_file": way.bearer_token_file}},
    }


_WRITERS: Mapping[type[Way], Callable[[Any], tuple[str, dict[str, Any]]]] = {
    Email: _email,
    Slack: _slack,
    PagerDuty: _pagerduty,
    MsTeams: _msteams,
    Webhook: _webhook,
}
