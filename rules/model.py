"""What rules are made of, before they are text: recording rules, alerts, and the cases that prove an alert."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Literal

from domain.plan import Recommendation
from domain.signals import RuntimeProfile, Signal
from domain.workload import ServingMode, Workload
from rules.asking import Asking, Reading
from rules.options import RuleOptions

Severity = Literal["critical", "warning", "info"]


class Category(StrEnum):
    """What an alert is about; alerts of one workload and category are one notification."""

    LATENCY = "latency"
    ERRORS = "errors"
    QUALITY = "quality"
    TELEMETRY = "telemetry"
    CAPACITY = "capacity"
    COST = "cost"
    TRIMTAB = "trimtab"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingRule:
    """A series that is computed once and asked for cheaply."""

    record: str
    expr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Samples for a unit test, in promtool's words: `name{labels}` and `start+step x times`."""

    series: str
    values: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One unit test of an alert: fed `series`, at `at` it fires with `value` in its text, or not (None)."""

    name: str
    series: tuple[Series, ...]
    at: timedelta
    value: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alert, whole: its `description` may hold the marks `<workload>` and `<value>`.

    `value_template` prints `$value`. `labels` are those of the expression's own result as the cases
    produce them; a `workload` among them is what the text names. `known` is PromQL that has a sample wherever
    the alert can be judged: where it has none nothing is known, which is no quiet. `possible`, where given, is PromQL
    that is much cheaper than `expr` and has had a sample at some time before each of its. One that is `steadfast`
    says that a promise to users is broken, so that it keeps its severity however often it fires. A `slow` one
    compares windows of hours and days, and is evaluated as seldom as they are.
    """

    name: str
    category: Category
    severity: Severity
    expr: str
    known: str
    wait: timedelta
    tail: timedelta
    summary: str
    description: str
    value_template: str
    labels: Mapping[str, str]
    cases: tuple[Case, ...]
    possible: str | None = None
    steadfast: bool = False
    slow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One workload as an alert sees it."""

    workload: Workload
    profile: RuntimeProfile
    recommendation: Recommendation | None
    options: RuleOptions
    reading: Reading = Reading.RECORDED
    identity: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        missing = [name for name in self.profile.identity if name not in self.workload.labels]
        if missing:
            raise ValueError(
                f"workload {self.workload.id!r} has no label {missing[0]!r}, which {self.profile.name} needs"
            )
        object.__setattr__(self, "identity", {name: self.workload.labels[name] for name in self.profile.identity})

    @property
    def ask(self) -> Asking:
        """How expressions ask for its signals."""
        return Asking(profile=self.profile, labels=self.identity, reading=self.reading)

    def asks(self, signal: Signal) -> bool:
        """Whether the runtime can be asked for `signal`."""
        return signal in self.profile.expressions

    @property
    def may_have_no_replica(self) -> bool:
        """Whether silence is normal: the workload may be at zero, or runs where nothing is scraped."""
        current = None if self.recommendation is None else self.recommendation.current
        return self.workload.bounds.min_replicas == 0 or getattr(current, "mode", None) is ServingMode.SERVERLESS


def subjects_of(
    targets: Sequence[tuple[Workload, RuntimeProfile]],
    recommendations: Sequence[Recommendation],
    options: RuleOptions,
) -> list[Subject]:
    """The workloads by id, each with its newest recommendation. ValueError for one without its identity labels."""
    newest = {each.workload: each for each in sorted(recommendations, key=lambda each: each.created_at)}
    return [
        Subject(workload=workload, profile=profile, recommendation=newest.get(workload.id), options=options)
        for workload, profile in sorted(targets, key=lambda target: target[0].id)
    ]
