"""What a source tells of the metrics themselves, and what is thought of an input: the words of a check-up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from domain.signals import Signal
from domain.unknown import Unknown


class State(StrEnum):
    """How an input is, the worst last; `not_asked` is neither good nor bad."""

    NOT_ASKED = "not_asked"
    FINE = "fine"
    UNKNOWN = "unknown"
    WARNING = "warning"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSeen:
    """One metric under the labels of one workload, as its source knew it at one moment.

    `series` were there within the last hour: none of them is a metric that is not there, which is no value of 0.
    `age` is that of the newest sample of any of them, `every` the time between two. Of a counter, `resets_per_day`
    adds up those of each of its `targets` (a job and an instance), and `restarts_per_day` the starts of these. Only
    where there are very many series, `split_by` says how many values each label has. Only where there is none, `near`
    are names that may be its new (or old) one, and `elsewhere` what other labels it has, each as matchers.
    """

    name: str
    recorded: bool
    counter: bool
    series: int | Unknown
    age: timedelta | Unknown
    every: timedelta | Unknown
    resets_per_day: float | Unknown
    restarts_per_day: float | Unknown
    targets: int | Unknown
    split_by: Mapping[str, int] = field(default_factory=dict)
    near: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked for one signal, best first, and the metrics that it is read from; both empty where there is nothing to ask."""

    signal: Signal
    expressions: tuple[str, ...]
    metrics: tuple[MetricSeen, ...] | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """How many of what a source scrapes answered last time, and how many did not."""

    up: int
    down: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found of an input, in figures, and what mends it (empty where nothing has to be mended)."""

    code: str
    state: State
    detail: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured of a signal: `missing` is the share (0..1) of the steps between the first known and the last.

    `history` is how long it has been seen, gaps and all.
    """

    history: timedelta | Unknown
    age: timedelta | Unknown
    every: timedelta | Unknown
    missing: float | Unknown
    longest_gap: timedelta | Unknown
    resets_per_day: float | Unknown
    series: int | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One input after the check: `subject` is a workload, or empty for what all of them share; `said` sums it up.

    `expressions` is what was asked for it, best first; `figures` is None for what is no signal over time.
    """

    subject: str
    input: str
    said: str
    findings: tuple[Finding, ...] = ()
    asked: bool = True
    expressions: tuple[str, ...] = ()
    figures: Figures | None = None

    @property
    def state(self) -> State:
        """That of the worst finding; fine without any."""
        usual = State.FINE if self.asked else State.NOT_ASKED
        return max((finding.state for finding in self.findings), key=WORSE.index, default=usual)


WORSE = tuple(State)
