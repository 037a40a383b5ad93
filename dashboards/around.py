"""What every dashboard has around its panels: ways to the others, and marks for what happened."""

from __future__ import annotations

from dashboards import names
from dashboards.alarms import firing
from dashboards.spec import Annotation, Link
from domain.signals import quote

OVERVIEWS = (
    (names.FLEET_UID, "Fleet"),
    (names.COSTS_UID, "Cost and savings"),
    (names.QUALITY_UID, "Model quality"),
    (names.HEALTH_UID, "Trimtab's health"),
)
WINDOW = "$__rate_interval"


def links(uid: str) -> tuple[Link, ...]:
    """To every other overview, and a menu of the workload dashboards."""
    others = (Link(title=title, uid=other) for other, title in OVERVIEWS if other != uid)
    return *others, Link(title="Workloads", tag=names.WORKLOAD_TAG)


def marks(own: str = "", *, severity: str = ".+") -> tuple[Annotation, ...]:
    """Where a recommendation changed its state or its number, and where an alert of ours fired.

    `own` are matchers of one workload, without braces; none for all. A recommendation that was not known a moment
    before has not changed: neither a first one nor a restart of Trimtab is marked.
    """
    now, before = _states(own), _states(own, offset=f" offset {WINDOW}")
    return (
        Annotation(
            name="Recommendations",
            expr=f"({now} unless on (workload, state) {before}) and on (workload) {before}",
            title="{{workload}}: {{state}}",
            colour="purple",
        ),
        Annotation(
            name="Recommended numbers",
            expr=f"max by (workload) (changes({names.RECOMMENDED}{{{own}}}[{WINDOW}])) > 0",
            title="{{workload}}: another number of replicas",
            colour="blue",
        ),
        Annotation(
            name="Alerts",
            expr=f"count by (alertname, workload) ({firing(f'severity=~{quote(severity)}', own)})",
            title="{{alertname}} {{workload}}",
            colour="red",
        ),
    )


def _states(own: str, *, offset: str = "") -> str:
    """1 for each workload and the state that its recommendation is (or was) in."""
    return f"max by (workload, state) ({names.INFO}{{{own}}}{offset} == 1)"
