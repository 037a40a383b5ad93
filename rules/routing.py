"""The Alertmanager's configuration: who hears of what, in which bundle, and what is not worth saying."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any

from domain.artifact import Artifact
from domain.names import safe_name
from domain.recorded import duration
from rules.document import document
from rules.messages import FILE, templates
from rules.receivers import Receiver, Way, Webhook, configured

HEADER = "Written by `trimtab render alertmanager`: change the settings, not this file."


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertmanagerOptions:
    """Where notifications go and how often.

    Everything goes to `webhook_url`, Trimtab's own `POST /alerts/webhook`; `receivers` are told besides.
    """

    webhook_url: str = "http://127.0.0.1:8000/alerts/webhook"
    receivers: Sequence[Receiver] = ()
    group_wait: timedelta = timedelta(seconds=30)
    critical_group_wait: timedelta = timedelta(seconds=10)
    group_interval: timedelta = timedelta(minutes=5)
    digest_interval: timedelta = timedelta(hours=12)
    resolve_timeout: timedelta = timedelta(minutes=5)


# How long a notification that nothing changed is held back, per severity.
REPEAT: Mapping[str, timedelta] = {
    "critical": timedelta(hours=1),
    "warning": timedelta(hours=12),
    "info": timedelta(days=7),
}
REPORT = "trimtab-report"  # told of no end: that a report is a day old is no news
NEVER_AGAIN = timedelta(days=30)  # a report is told once
EPISODES = ("TrimtabLoadAnomaly", "TrimtabSpendAnomaly")  # go on for a day after the last sign; that is no news either
# Of a workload that nobody can see, alerts of these categories say nothing new.
BLIND = ("capacity", "cost", "quality", "telemetry")


def alertmanager(options: AlertmanagerOptions | None = None) -> tuple[Artifact, ...]:
    """`alertmanager.yml` and its templates: one notification per workload and category, to the receivers of a severity."""
    chosen = options or AlertmanagerOptions()
    teams = sorted({team for receiver in chosen.receivers for team in receiver.teams})
    content = {
        "global": {"resolve_timeout": duration(chosen.resolve_timeout)},
        "templates": [FILE],
        "route": _route(chosen, teams),
        "inhibit_rules": _inhibitions(),
        "receivers": list(_receivers(chosen, teams)),
    }
    return (Artifact(path=PurePosixPath("alertmanager.yml"), text=document(content, (HEADER,))), templates())


def _route(options: AlertmanagerOptions, teams: Sequence[str]) -> dict[str, Any]:
    return {
        "receiver": _name("warning"),  # what carries no severity of ours is somebody's to look at
        "group_by": ["workload", "category"],
        "group_wait": duration(options.group_wait),
        "group_interval": duration(options.group_interval),
        "repeat_interval": duration(REPEAT["warning"]),
        "routes": [*_digests(options), *(_severity(severity, options, teams) for severity in REPEAT)],
    }


def _digests(options: AlertmanagerOptions) -> Iterator[dict[str, Any]]:
    """Proposals come together, at most twice a day; each report by itself, and once."""
    yield {
        "receiver": _name("info"),
        "matchers": ['category="recommendation"'],
        "group_by": ["category"],
        "group_interval": duration(options.digest_interval),
        "repeat_interval": duration(REPEAT["info"]),
    }
    yield {
        "receiver": REPORT,
        "matchers": ['category="report"'],
        "group_by": ["event"],
        "repeat_interval": duration(NEVER_AGAIN),
    }


def _severity(severity: str, options: AlertmanagerOptions, teams: Sequence[str]) -> dict[str, Any]:
    """One severity: to its team's receivers where it has some; Trimtab's own trouble as one notification."""
    below = [{"receiver": _name(severity, team), "matchers": [_equals("team", team)]} for team in teams]
    own = {"receiver": _name(severity), "matchers": ['category="trimtab"'], "group_by": ["category"]}
    once = {
        "matchers": [f'alertname=~"{"|".join(EPISODES)}"'],
        "repeat_interval": duration(NEVER_AGAIN),
        "routes": below,
    }
    return {
        "receiver": _name(severity),
        "matchers": [f'severity="{severity}"'],
        "group_wait": duration(options.critical_group_wait if severity == "critical" else options.group_wait),
        "repeat_interval": duration(REPEAT[severity]),
        "routes": [own, *([once] if severity == "warning" else []), *below],
    }


def _inhibitions() -> list[dict[str, Any]]:
    """`workload!=""`, because labels that both lack count as equal."""
    return [
        {
            "source_matchers": ['alertname="TrimtabTelemetryMissing"', 'workload!=""'],
            "target_matchers": ['alertname!="TrimtabTelemetryMissing"', f'category=~"{"|".join(BLIND)}"'],
            "equal": ["workload"],
        },
        {
            "source_matchers": ['severity="critical"', 'workload!=""'],
            "target_matchers": ['severity=~"warning|info"'],
            "equal": ["workload", "category"],
        },
        {  # where the source is away, every workload is held for that reason
            "source_matchers": ['alertname="TrimtabSource"'],
            "target_matchers": ['alertname="TrimtabHeld"'],
        },
        {  # Trimtab itself tells it with the figures
            "source_matchers": ['alertname="TrimtabMadeWorse"', 'event!=""'],
            "target_matchers": ['alertname="TrimtabMadeWorse"', 'event=""'],
            "equal": ["workload"],
        },
    ]


def _receivers(options: AlertmanagerOptions, teams: Sequence[str]) -> Iterator[dict[str, Any]]:
    for severity in REPEAT:
        for team in (None, *teams):
            ways: list[Way] = [Webhook(url=options.webhook_url)]
            ways += [each.way for each in options.receivers if _hears(each, severity, team)]
            yield {"name": _name(severity, team), **configured(ways)}
    ways = [Webhook(url=options.webhook_url), *(each.way for each in options.receivers if _hears(each, "info", None))]
    yield {"name": REPORT, **configured(ways, resolved=False)}


def _hears(receiver: Receiver, severity: str, team: str | None) -> bool:
    return severity in receiver.severities and (not receiver.teams or team in receiver.teams)


def _name(severity: str, team: str | None = None) -> str:
    return f"trimtab-{severity}" if team is None else f"trimtab-{severity}-{safe_name(team)}"


def _equals(label: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{label}="{escaped}"'
