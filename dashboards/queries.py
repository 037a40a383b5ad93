"""What a rendered dashboard asks Prometheus, with Grafana's variables filled in as Grafana does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

REFERENCE = re.compile(r"\$\{(\w+)(?::\w+)?\}|\$(\w+)|\[\[(\w+)\]\]")
BUILT_IN = {
    "__interval": "1m",
    "__interval_ms": "60000",
    "__rate_interval": "5m",
    "__range": "86400s",
    "__range_s": "86400",
    "__range_ms": "86400000",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelQuery:
    """One query of one panel; `instant` ones ask for this moment only."""

    title: str
    expr: str
    instant: bool = False


def panel_queries(dashboard_json_text: str, variables: Mapping[str, str]) -> list[PanelQuery]:
    """Every panel's queries in order, hidden panels included.

    `variables` gives what a reader would choose, such as `{"workload": "vision:digits"}`; a variable
    that the dashboard cuts out of `$workload` by a regular expression is found the same way, and
    Grafana's own (`$__rate_interval`, `$__range`, ...) have defaults that `variables` may override.
    Raises ValueError naming a variable of the dashboard that is used and not known; like Grafana, it
    leaves a `$name` alone that is no variable.
    """
    dashboard = json.loads(dashboard_json_text)
    known = {**BUILT_IN, **derived(dashboard, variables), **variables}
    own = {variable["name"] for variable in templating(dashboard)}
    return [
        PanelQuery(title=panel["title"], expr=filled(target["expr"], known, own), instant=bool(target.get("instant")))
        for panel in all_panels(dashboard)
        for target in panel.get("targets", ())
    ]


def all_panels(container: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Panels of a dashboard, those inside collapsed rows too, rows themselves not."""
    for panel in container.get("panels", ()):
        if panel["type"] == "row":
            yield from all_panels(panel)
        else:
            yield panel


def templating(dashboard: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The definitions of the dashboard's variables."""
    found: Sequence[Mapping[str, Any]] = dashboard.get("templating", {}).get("list", ())
    return found


def derived(dashboard: Mapping[str, Any], variables: Mapping[str, str]) -> dict[str, str]:
    """The variables that are cut out of the workload's id; one whose expression does not fit is left out."""
    found = {}
    for variable in templating(dashboard):
        pattern = variable.get("regex", "")
        if pattern and variable["name"] not in variables and "workload" in variables:
            match = re.match(pattern.strip("/"), variables["workload"])
            if match:
                found[variable["name"]] = match[1]
    return found


def filled(expr: str, known: Mapping[str, str], own: AbstractSet[str]) -> str:
    """The expression with every variable's value, escaped for a quoted PromQL string."""

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2] or match[3]
        if name not in known and name not in own and not name.startswith("__"):
            return match[0]
        if name not in known:
            raise ValueError(f"the variable ${name} of {expr!r} has no value: give it in `variables`")
        return known[name].replace("\\", "\\\\").replace('"', '\\"')

    return REFERENCE.sub(value, expr)
