"""Rules as Prometheus reads them: groups of plain mappings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from domain.recorded import duration
from rules.model import Alert, RecordingRule
from rules.options import RuleOptions
from rules.promql import literal
from rules.proof import Emitted


def recording_group(name: str, interval: timedelta, rules: Sequence[RecordingRule]) -> dict[str, Any]:
    """A group of recording rules."""
    return {
        "name": name,
        "interval": duration(interval),
        "rules": [{"record": rule.record, "expr": rule.expr} for rule in rules],
    }


def alert_groups(
    name: str, alerts: Sequence[Emitted], owner: Mapping[str, str], options: RuleOptions
) -> list[dict[str, Any]]:
    """Groups of alerts, the slow ones by themselves; `owner` are labels that every one of them carries."""
    paces = ((name, False, options.interval), (f"{name}:slow", True, options.slow_interval))
    groups = [
        {
            "name": group,
            "interval": duration(interval),
            "rules": [_alert(one, owner, options) for one in alerts if one.alert.slow is slow],
        }
        for group, slow, interval in paces
    ]
    return [group for group in groups if group["rules"]]


def label_values(alert: Alert, owner: Mapping[str, str]) -> dict[str, str]:
    """The labels that the rule adds, as they read once Prometheus has run their templates."""
    return {"severity": alert.severity, "category": alert.category.value, **owner}


def runbook_url(alert: str, options: RuleOptions) -> str:
    """Where the alert's page is."""
    return f"{options.runbook_base_url.rstrip('/')}/{alert}.md"


def _alert(emitted: Emitted, owner: Mapping[str, str], options: RuleOptions) -> dict[str, Any]:
    alert = emitted.alert
    named = literal(owner["workload"]) if "workload" in owner else "{{ $labels.workload }}"
    tail = {"keep_firing_for": duration(alert.tail)} if alert.tail else {}
    return {
        "alert": alert.name,
        "expr": alert.expr,
        "for": duration(alert.wait),
        **tail,
        "labels": {name: literal(value) for name, value in label_values(alert, owner).items()},
        "annotations": {
            "summary": alert.summary,
            "description": alert.description.replace("<value>", alert.value_template).replace("<workload>", named),
            "runbook_url": runbook_url(alert.name, options),
            **{name: literal(text) for name, text in emitted.annotations.items()},
        },
    }
