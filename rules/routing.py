"""The Alertmanager's configuration: who hears of what, in which bundle, and what is not worth saying."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any

from domain.artifact import Artifact
from rules.document import document
from rules.promql import duration

HEADER = "Written by `trimtab render alertmanager`: change the settings, not this file."


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertmanagerOptions:
    """Where notifications go and how often.

    Everything goes to `webhook_url`, Trimtab's own `POST /alerts/webhook`; `further_urls` adds
    webhooks per severity (`critical`, `warning`, `info`), for example a pager's.
    """

    webhook_url: str = "http://127.0.0.1:8000/alerts/webhook"
    further_urls: Mapping[str, Sequence[str]] = field(default_factory=dict)
    group_wait: timedelta = timedelta(seconds=30)
    critical_group_wait: timedelta = timedelta(seconds=10)
    group_interval: timedelta = timedelta(minutes=5)
    resolve_timeout: timedelta = timedelta(minutes=5)


# How long a notification that nothing changed is held back, per severity.
REPEAT: Mapping[str, timedelta] = {
    "critical": timedelta(hours=1),
    "warning": timedelta(hours=12),
    "info": timedelta(days=7),
}
# Of a workload that nobody can see, these say nothing new.
BLIND = ("TrimtabCostAbovePlan", "TrimtabForecastOverCapacity", "TrimtabInputStale")


def alertmanager(options: AlertmanagerOptions | None = None) -> tuple[Artifact, ...]:
    """`alertmanager.yml`: one receiver a severity, one notification per workload and category."""
    chosen = options or AlertmanagerOptions()
    content = {
        "global": {"resolve_timeout": duration(chosen.resolve_timeout)},
        "route": _route(chosen),
        "inhibit_rules": _inhibitions(),
        "receivers": [_receiver(severity, chosen) for severity in REPEAT],
    }
    return (Artifact(path=PurePosixPath("alertmanager.yml"), text=document(content, (HEADER,))),)


def _route(options: AlertmanagerOptions) -> dict[str, Any]:
    return {
        "receiver": _name("warning"),  # what carries no severity of ours is somebody's to look at
        "group_by": ["workload", "category"],
        "group_wait": duration(options.group_wait),
        "group_interval": duration(options.group_interval),
        "repeat_interval": duration(REPEAT["warning"]),
        "routes": [
            {
                "receiver": _name(severity),
                "matchers": [f'severity="{severity}"'],
                "group_wait": duration(options.critical_group_wait if severity == "critical" else options.group_wait),
                "repeat_interval": duration(repeat),
            }
            for severity, repeat in REPEAT.items()
        ],
    }


def _inhibitions() -> list[dict[str, Any]]:
    """`workload!=""`, because labels that both lack count as equal."""
    return [
        {
            "source_matchers": ['alertname="TrimtabTelemetryMissing"', 'workload!=""'],
            "target_matchers": [f'alertname=~"{"|".join(BLIND)}"'],
            "equal": ["workload"],
        },
        {
            "source_matchers": ['severity="critical"', 'workload!=""'],
            "target_matchers": ['severity=~"warning|info"'],
            "equal": ["workload", "category"],
        },
    ]


def _receiver(severity: str, options: AlertmanagerOptions) -> dict[str, Any]:
    urls = (options.webhook_url, *options.further_urls.get(severity, ()))
    return {"name": _name(severity), "webhook_configs": [{"url": url, "send_resolved": True} for url in urls]}


def _name(severity: str) -> str:
    return f"trimtab-{severity}"
