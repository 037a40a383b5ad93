"""How the metrics are that a signal is read from: are they there, how fresh, how often, how many, and how often they begin anew.

| what is asked | of which metric | queries |
|---|---|---|
| series within the last hour, newest sample, samples in ten minutes and the first of them | each | one |
| resets and restarts within a day, targets | counters | one |
| how many values each label has | of `MANY` series or more | two |
| names of the workload's metrics, labels of those of this name | one that is not there | one a workload, one a metric |

All are instant queries of a workload's own series, and none is asked twice in one check-up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Protocol, TypeVar, runtime_checkable

from domain.errors import BadAnswer
from domain.health import Asked, MetricSeen, Targets
from domain.signals import RuntimeProfile, Signal, selector
from domain.unknown import Unknown
from domain.workload import Workload
from monitor.client import Client

MANY = 1_000  # series of one metric of one workload: from here on it is worth knowing which label makes them
TOO_MANY = 20_000  # from here on a day of every counter is not read just to look for resets
EXAMPLES = 5  # of which the names of its labels are taken
MOST_LABELS = 16
OFTEN = timedelta(minutes=10)
ALIKE = 0.9  # of a name's letters
KINDS = ("_bucket", "_count", "_sum")
T = TypeVar("T")
SELECTOR = re.compile(r'([a-zA-Z_:][\w:]*)\{((?:[^{}"]|"(?:[^"\\]|\\.)*")*)\}')


@runtime_checkable
class SeesMetrics(Protocol):
    """A source that tells of the metrics themselves."""

    def asked(
        self, workload: Workload, signals: Sequence[Signal], /, *, at: datetime, step: timedelta
    ) -> tuple[Asked, ...]:
        """What is asked for each signal in steps of `step`, and how the metrics are that it is read from."""
        ...

    def targets(self, *, at: datetime) -> Targets:
        """How many targets answered their last scrape; raises SourceError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """One metric with its matchers, as an expression selects it; `counter` where a rate is taken of it."""

    name: str
    matchers: str
    counter: bool

    def __str__(self) -> str:
        return f"{self.name}{{{self.matchers}}}"


def selected(expression: str) -> tuple[Selected, ...]:
    """Every metric that an expression selects with matchers, once, by the least of them: a part of it may rightly be absent."""
    found = [
        Selected(
            name=match[1],
            matchers=match[2],
            counter=expression[: match.start()].endswith(("rate(", "increase(")),
        )
        for match in SELECTOR.finditer(expression)
    ]
    whole = [one for one in found if not any(_is_part(one, other) for other in found)]
    return tuple({str(one): one for one in whole}.values())


def _is_part(one: Selected, other: Selected) -> bool:
    return one.name == other.name and one.matchers != other.matchers and one.matchers.endswith(f",{other.matchers}")


@dataclass(slots=True, kw_only=True)
class CheckUp:
    """Looks at the metrics of one workload at one moment; what was asked once is remembered.

    `seen` raises SourceUnavailable. What the server refuses to answer is Unknown, with its own words.
    """

    client: Client
    workload: Workload
    profile: RuntimeProfile
    at: datetime
    _known: dict[str, MetricSeen] = field(default_factory=dict)
    _names: list[str] | None = None

    def seen(self, expressions: Iterable[str]) -> tuple[MetricSeen, ...]:
        """The metrics that these expressions select, in their order."""
        asked = {str(one): one for expression in expressions for one in selected(expression)}
        for key, one in asked.items():
            if key not in self._known:
                self._known[key] = self._look(one)
        return tuple(self._known[key] for key in asked)

    def _look(self, one: Selected) -> MetricSeen:
        now = self._numbers(_now(one))
        series = now if isinstance(now, Unknown) else int(now.get("series", 0))
        counter = one.counter and self._is_own(one)
        days = self._days(one, counter, series)
        lost = series == 0 and self._is_own(one)
        return MetricSeen(
            name=one.name,
            recorded=one.name in self.profile.recorded.values(),
            counter=counter,
            series=series,
            age=_of(now, "newest", "it has no sample of the last hour", self._age),
            every=now if isinstance(now, Unknown) else self._every(now),
            resets_per_day=_of(days, "resets", "it has no sample of the last day", float),
            restarts_per_day=_of(days, "restarts", "its targets export no process_start_time_seconds", float),
            targets=_of(days, "targets", "it has no target", int),
            split_by=self._split(one) if not isinstance(series, Unknown) and series >= MANY else {},
            near=self._near(one.name) if lost else (),
            elsewhere=self._elsewhere(one.name) if lost else (),
        )

    def _age(self, newest_s: float) -> timedelta:
        return timedelta(seconds=round(max(0.0, self.at.timestamp() - newest_s)))

    def _every(self, facts: Mapping[str, float]) -> timedelta | Unknown:
        """From one sample to the next, of the series with most of them: one may have begun, or ended, meanwhile."""
        begin_s = self.at.timestamp() - OFTEN.total_seconds()
        samples, first_s, newest_s = (facts.get(name, 0.0) for name in ("samples", "first", "newest"))
        gaps = samples - (first_s >= begin_s)  # else the first is the one before those that were counted
        if samples < 2 or gaps < 1:
            return Unknown("it has no two samples within ten minutes")
        return timedelta(seconds=(newest_s - first_s) / gaps)

    def _is_own(self, one: Selected) -> bool:
        """Whether the workload's own labels select it: not what a cluster tells of it."""
        return selector(self.workload.labels) in one.matchers and one.name not in self.profile.recorded.values()

    def _days(self, one: Selected, counter: bool, series: int | Unknown) -> Mapping[str, float] | Unknown:
        if not counter:
            return Unknown("not asked: it is no counter of the runtime")
        if isinstance(series, Unknown):
            return series
        if series > TOO_MANY:
            return Unknown(f"not asked of {series:,} series")
        return self._numbers(_a_day(one)) if series else Unknown("it is not there")

    def _split(self, one: Selected) -> Mapping[str, int]:
        """How many values each label has, most first; empty where the server does not say."""
        examples = self._labels(f"topk({EXAMPLES}, present_over_time({one}[1h]))")
        labels = sorted({name for example in examples for name in example})[:MOST_LABELS]
        if not labels:
            return {}
        counted = self._numbers(
            _facts({label: f"count(group by ({label}) (present_over_time({one}[1h])))" for label in labels})
        )
        if isinstance(counted, Unknown):
            return {}
        return {name: int(count) for name, count in sorted(counted.items(), key=lambda each: -each[1]) if count > 1}

    def _near(self, name: str) -> tuple[str, ...]:
        """Names among the workload's metrics that may be this one's new or old name."""
        if self._names is None:
            query = f"count by (__name__) (last_over_time({{{selector(self.workload.labels)}}}[1h]))"
            self._names = [labels.get("__name__", "") for labels in self._labels(query)]
        return near_names(name, self._names)

    def _elsewhere(self, name: str) -> tuple[str, ...]:
        """What labels a metric has that this workload's do not select."""
        by = ", ".join(dict.fromkeys((*self.profile.identity, "job")))
        query = f"topk(3, count by ({by}) (last_over_time({name}[1h])))"
        return tuple(f"{{{selector(labels)}}}" for labels in self._labels(query))

    def _labels(self, query: str) -> Sequence[Mapping[str, str]]:
        """The labels of what the server has; nothing where it refuses, for this only helps to find the fix."""
        try:
            return [series.labels for series in self.client.now(query, self.at)]
        except BadAnswer:
            return ()

    def _numbers(self, query: str) -> Mapping[str, float] | Unknown:
        """The facts of a query made by `_facts`; those without a value are absent."""
        try:
            answer = self.client.now(query, self.at)
        except BadAnswer as refused:
            return Unknown(str(refused))
        return {series.labels.get("fact", ""): float(series.values[0]) for series in answer}


def near_names(name: str, names: Sequence[str]) -> tuple[str, ...]:
    """Which of `names` may stand for `name`: the same but for a prefix, `:`, `_total` or a unit, else one much alike."""
    key = _key(name)
    keys = {other: _key(other) for other in names if other != name and _kind(other) == _kind(name)}
    same = [other for other, its in keys.items() if key.endswith(f"_{its}") or f"_{its}".endswith(f"_{key}")]
    alike = get_close_matches(key, keys.values(), n=2, cutoff=ALIKE)
    return tuple(sorted(same or [other for other, its in keys.items() if its in alike]))


def _key(name: str) -> str:
    return name.replace(":", "_").replace(".", "_").removesuffix(_kind(name)).removesuffix("_total").lower()


def _kind(name: str) -> str:
    return next((kind for kind in KINDS if name.endswith(kind)), "")


def _facts(of: Mapping[str, str]) -> str:
    """One query for many numbers, each under its own label `fact`."""
    return " or ".join(f'label_replace({query}, "fact", "{name}", "", "")' for name, query in of.items())


def _now(one: Selected) -> str:
    minutes = f"{OFTEN.total_seconds():.0f}s"
    return _facts(
        {
            "series": f"count(present_over_time({one}[1h]))",
            # Of one that is no longer fresh the last sample is looked for minute by minute.
            "newest": f"(max(timestamp({one})) or max(max_over_time(timestamp({one})[1h:1m])))",
            "first": f"min(min_over_time(timestamp({one})[{minutes}:30s]))",
            "samples": f"max(count_over_time({one}[{minutes}]))",
        }
    )


def _a_day(one: Selected) -> str:
    there = f"group by (job, instance) (present_over_time({one}[1d]))"
    return _facts(
        {
            # All the counters of a process begin anew together: those of one target are counted once.
            "resets": f"sum(max by (job, instance) (resets({one}[1d])))",
            "restarts": f"sum(changes(process_start_time_seconds[1d]) and on (job, instance) {there})",
            "targets": f"count({there})",
        }
    )


def _of(
    facts: Mapping[str, float] | Unknown, name: str, why_not: str, make: Callable[[float], T | Unknown]
) -> T | Unknown:
    if isinstance(facts, Unknown):
        return facts
    return make(facts[name]) if name in facts else Unknown(why_not)
