"""A dashboard as plain values: what each panel asks and how it is read; `grafana` turns it into JSON.

Grafana's grid is 24 wide. A section is a row of the dashboard with a title; its panels are laid out
from left to right and wrapped, so that they can neither overlap nor leave the grid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

GRID = 24


class Kind(StrEnum):
    """How a panel shows its answer."""

    STAT = "stat"
    TIMESERIES = "timeseries"
    TABLE = "table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """PromQL and the name its series go by (`{{label}}` marks; for a table the column's title)."""

    expr: str
    legend: str = ""
    instant: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """From `value` on (None: from the very least) the figure is shown in `colour`."""

    value: float | None
    colour: str


NEUTRAL = (Step(value=None, colour="blue"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One question and its answer.

    `unit` is a Grafana unit id. `line` draws the thresholds; `steps` holds a value until the next;
    `named` shows the name of the series in place of its value; `least` is the axis' soft minimum.
    """

    title: str
    description: str
    unit: str
    queries: tuple[Query, ...]
    kind: Kind = Kind.TIMESERIES
    thresholds: tuple[Step, ...] = NEUTRAL
    width: int = 12
    height: int = 8
    decimals: int | None = None
    least: float | None = 0.0
    line: bool = False
    steps: bool = False
    named: bool = False
    column_units: Mapping[str, str] = field(default_factory=dict)


def present(panels: Sequence[Panel]) -> tuple[Panel, ...]:
    """Those that ask anything."""
    return tuple(panel for panel in panels if panel.queries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Panels under one heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A value chosen at the top of the dashboard, from a label of a metric; hidden ones are derived by `regex`."""

    name: str
    label: str
    description: str
    query: str
    regex: str = ""
    hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """To another dashboard by uid, or to all that carry `tag` as a menu."""

    title: str
    uid: str | None = None
    tag: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """Moments marked on every panel."""

    name: str
    expr: str
    title: str
    colour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A whole dashboard; `uid` is at most 40 characters (Grafana's limit)."""

    uid: str
    title: str
    description: str
    sections: tuple[Section, ...]
    variables: tuple[Variable, ...] = ()
    links: tuple[Link, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    tags: tuple[str, ...] = ()
    start: str = "now-7d"
