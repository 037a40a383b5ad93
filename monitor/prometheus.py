"""Prometheus as a source of facts: a workload's signal over time, on an even grid, gaps and all.

A step [t, t + step) is read at its end, t + step, with a window that reaches back `max(step, shortest_window)`: PromQL
looks at (T - window, T], so no step knows of anything after its own end. With the default of five minutes a coarser
step is its exact mean, and a finer one a trailing mean over five minutes (a rate needs about four scrapes to be one).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from difflib import get_close_matches

import numpy as np
from numpy.typing import NDArray

from domain.errors import BadAnswer, NoData, SettingsError, SourceUnavailable
from domain.health import Asked, Targets
from domain.load import Floats, LoadHistory
from domain.moments import Moments
from domain.observation import VersionSeen
from domain.signals import RuntimeProfile, Signal, selector
from domain.unknown import Unknown
from domain.workload import Workload
from monitor import kubernetes
from monitor.client import Client, Patience, Points, Series
from monitor.discovery import discover
from monitor.profiles import PROFILES, RECORDED_QUANTILE, RECORDED_WINDOW
from monitor.ready import Starts
from monitor.vitals import CheckUp

DISCOVERY_LOOKBACK = timedelta(days=7)
STARTS_EVERY = timedelta(hours=1)
VERSIONS_EVERY = timedelta(hours=1)
MOST_SPANS = 12  # so many gaps are filled one by one; more are cheaper to ask for in one go
AT_A_QUANTILE = (Signal.LATENCY, Signal.TIME_TO_FIRST_TOKEN, Signal.INTER_TOKEN_LATENCY)


class PrometheusSource:
    """A `HistorySource` that asks one Prometheus, a series of our recording rules first where there is one.

    `shortest_window` may be lowered to about four scrape intervals for steps under five minutes; `on_warning` receives
    what the server warns of (an answer may then be incomplete). A request rate that it warns of is a BadAnswer: a part
    of the load taken for all of it would cut replicas.
    """

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        patience: Patience | None = None,
        profiles: Mapping[str, RuntimeProfile] = PROFILES,
        shortest_window: timedelta = RECORDED_WINDOW,
        on_warning: Callable[[str], None] | None = None,
    ) -> None:
        self._client = Client(url, headers=headers, patience=patience, on_warning=on_warning)
        self._profiles = profiles
        self._shortest_window = shortest_window

    def __str__(self) -> str:
        return self._client.name

    def workloads(self, *, at: datetime) -> Sequence[Workload]:
        """The workloads seen in the week before `at`; NoData if there were none."""
        return discover(self._client, self._profiles.values(), at=at, lookback=DISCOVERY_LOOKBACK)

    def load(
        self, workload: Workload, signal: Signal, /, *, start: datetime, end: datetime, step: timedelta
    ) -> LoadHistory:
        """The signal on an even grid over [start, end); gaps are NaN.

        Raises NoData where nothing is known at all, BadAnswer where the answer is not one series, SourceUnavailable
        where there is no answer, ValueError for no whole step.
        """
        steps = (end - start) // step
        if steps < 1:
            raise ValueError(f"no whole step of {step} lies between {start} and {end}")
        values = self._first_known(workload, signal, Points(first=start + step, step=step, count=steps))
        if not np.isfinite(values).any():
            between = f"between {start:%Y-%m-%dT%H:%MZ} and {end:%Y-%m-%dT%H:%MZ}"
            raise NoData(
                str(self),
                f"holds no {signal.value} of {workload.id} {between}",
                f"{self._doubted(workload)}see that it is scraped, and for how long its data is kept",
            )
        return LoadHistory(start=start, step=step, values=values)

    def moments(self, expression: str, /, *, start: datetime, end: datetime, step: timedelta) -> tuple[Moments, ...]:
        """When each series of an expression had a sample, on an even grid over [start, end], both included.

        Raises SourceUnavailable or BadAnswer; an answer that the server warns of is bad, for a part may be missing.
        """
        points = Points(first=start, step=step, count=(end - start) // step + 1)
        return tuple(
            Moments(labels=series.labels, start=start, step=step, holds=series.present)
            for series in self._client.over(expression, points, whole=True)
        )

    def asked(
        self, workload: Workload, signals: Sequence[Signal], /, *, at: datetime, step: timedelta
    ) -> tuple[Asked, ...]:
        """What is asked for each signal in steps of `step`, and how the metrics are that it is read from.

        Nothing, and no metric, for a signal that the runtime does not export. Once the server gives no answer (in time),
        it is asked no more, and the metrics of that signal and the next are Unknown.
        """
        looks = CheckUp(
            client=self._client, workload=workload, profile=self._profile(workload), at=at.replace(microsecond=0)
        )
        asked: list[Asked] = []
        away: Unknown | None = None
        for signal in signals:
            expressions = self._all_expressions(workload, signal, step)
            try:
                metrics = away or looks.seen(expressions)
            except SourceUnavailable as fault:
                metrics = away = Unknown(str(fault))
            asked.append(Asked(signal=signal, expressions=expressions, metrics=metrics))
        return tuple(asked)

    def _all_expressions(self, workload: Workload, signal: Signal, step: timedelta) -> tuple[str, ...]:
        try:
            return tuple(self._expressions(workload, signal, step))
        except NoData:
            return ()

    def targets(self, *, at: datetime) -> Targets:
        """How many targets answered their last scrape; raises SourceUnavailable or BadAnswer."""
        answer = self._client.now('count_values("up", up)', at.replace(microsecond=0))
        counted = {series.labels.get("up"): int(series.values[0]) for series in answer}
        return Targets(up=counted.get("1", 0), down=counted.get("0", 0))

    def starts(self, workload: Workload, /, *, at: datetime, lookback: timedelta) -> Starts:
        """How long each start seen in the lookback took; NoData if none was seen.

        Kubernetes sees the whole of it, from the pod's creation; a runtime only what comes after its process began.
        """
        at = at.replace(microsecond=0)
        if workload.target is not None and workload.target.in_kubernetes:
            pods = self._client.now(kubernetes.starts(workload.target, _written(lookback)), at)
            seconds = tuple(float(pod.values[0]) for pod in pods if pod.values[0] > 0)
            if seconds:
                return Starts(seconds=seconds, detail="from a pod's creation to its first ready (kube-state-metrics)")
        return self._process_starts(workload, at=at, lookback=lookback)

    def _process_starts(self, workload: Workload, *, at: datetime, lookback: timedelta) -> Starts:
        """A gauge stays until the next start changes it: each change of an instance's value is a start."""
        query = self._profile(workload).query(Signal.STARTUP_SECONDS, workload.labels, window=_written(STARTS_EVERY))
        seconds: list[float] = []
        if query is not None:
            count = max(1, lookback // STARTS_EVERY)
            points = Points(first=at - (count - 1) * STARTS_EVERY, step=STARTS_EVERY, count=count)
            for instance in self._client.over(query, points):
                known = instance.values[np.isfinite(instance.values)]
                seconds += [float(value) for value in known[np.diff(known, prepend=np.nan) != 0]]
        if not seconds:
            raise NoData(str(self), f"saw no start of {workload.id}", "declare its time-to-ready in the settings")
        return Starts(seconds=tuple(seconds), detail="from process start to ready (without scheduling and image pull)")

    def versions(self, workload: Workload, /, *, at: datetime, lookback: timedelta) -> tuple[VersionSeen, ...]:
        """The versions that served in the lookback, in the order in which they came; NoData if none tells.

        What the runtime says of its model, else the images of the workload's containers. Each hour is looked at in
        whole, and a version counts from the end of the first one in which it was seen; what was there in the first
        hour of the lookback was there from its begin.
        """
        at = at.replace(microsecond=0)
        count = max(1, lookback // VERSIONS_EVERY)
        points = Points(first=at - (count - 1) * VERSIONS_EVERY, step=VERSIONS_EVERY, count=count)
        for query, label in self._version_queries(workload):
            seen = [
                VersionSeen(name=series.labels.get(label, ""), since=_first_seen(series, points))
                for series in self._client.over(query, points)
            ]
            if seen:
                return tuple(sorted(seen, key=lambda one: (one.since, one.name)))
        raise NoData(str(self), f"knows no version of {workload.id}", "nothing to mend: do without it")

    def _version_queries(self, workload: Workload) -> Iterator[tuple[str, str]]:
        version = self._profile(workload).version
        if version is not None:
            metric, label = version
            window = _written(VERSIONS_EVERY)
            yield f"group by ({label}) (present_over_time({metric}{{{selector(workload.labels)}}}[{window}]))", label
        if workload.target is not None:
            yield kubernetes.images(workload.target, VERSIONS_EVERY), "image"

    def _first_known(self, workload: Workload, signal: Signal, points: Points) -> Floats:
        """Values point by point from the first expression that has a sample there."""
        values = np.full(points.count, np.nan)
        present = np.zeros(points.count, dtype=np.bool_)
        for query in self._expressions(workload, signal, points.step):
            for begin, end in _spans(~present):
                whole = signal is Signal.REQUEST_RATE
                more, there = self._one_series(query, points.piece(begin, end), whole=whole)
                fresh = there & ~present[begin:end]
                values[begin:end][fresh] = more[fresh]
                present[begin:end] |= there
            if present.all():
                break
        return values

    def _expressions(self, workload: Workload, signal: Signal, step: timedelta) -> Iterator[str]:
        """What to ask, best first: Kubernetes (which still knows a workload at zero), recorded series, raw metrics."""
        profile = self._profile(workload)
        window = max(step, self._shortest_window)
        quantile = workload.slo.latency_quantile
        wanted = [kubernetes.query(workload.target, signal, _written(window))]
        as_recorded = window == RECORDED_WINDOW and (signal not in AT_A_QUANTILE or quantile == RECORDED_QUANTILE)
        if as_recorded:
            wanted.append(profile.query(signal, workload.labels, recorded=True))
        raw = profile.query(
            signal,
            workload.labels,
            window=_written(window),
            quantile=quantile,
            latency_s=workload.slo.latency.total_seconds(),
        )
        # Starts are told per replica; as a signal over time the slowest one counts.
        wanted.append(f"max({raw})" if raw and signal is Signal.STARTUP_SECONDS else raw)
        if not any(wanted):
            raise NoData(str(self), f"{profile.name} exports no {signal.value}", "nothing to mend: do without it")
        yield from filter(None, wanted)

    def _one_series(self, query: str, points: Points, *, whole: bool) -> tuple[Floats, NDArray[np.bool_]]:
        """Values and where there are any, of a query that must give one series or none."""
        found = self._client.over(query, points, whole=whole)
        if len(found) > 1:
            example = dict(found[1].labels)
            raise BadAnswer(
                str(self),
                f"has {len(found)} series for {query} (such as {example})",
                "select one with more labels, or drop those that split it",
            )
        if not found:
            return np.full(points.count, np.nan), np.zeros(points.count, dtype=np.bool_)
        return found[0].values, found[0].present

    def _doubted(self, workload: Workload) -> str:
        """Labels that the workload is selected by, where one of them looks like another that tells workloads apart."""
        identity = self._profile(workload).identity
        near = {name: get_close_matches(name, identity, n=1) for name in workload.labels if name not in identity}
        asked = [f"{name!r} (did you mean {found[0]!r}?)" for name, found in near.items() if found]
        return f"mend the label {', '.join(asked)} in its `match`; or " if asked else ""

    def _profile(self, workload: Workload) -> RuntimeProfile:
        if workload.runtime not in self._profiles:
            known = ", ".join(self._profiles)
            raise SettingsError(f"workloads.{workload.id}.runtime", workload.runtime, f"known runtimes are {known}")
        return self._profiles[workload.runtime]


def _first_seen(series: Series, points: Points) -> datetime:
    """The first point at which a series is present; the begin of its step where that is the very first."""
    first = int(np.argmax(series.present))
    return points.first + (first - (first == 0)) * points.step


def _spans(missing: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Index ranges [begin, end) that cover every missing point: each gap, or one range where gaps are many."""
    edges = np.flatnonzero(np.diff(missing.astype(np.int8), prepend=0, append=0))
    spans = [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]
    return spans if len(spans) <= MOST_SPANS else [(spans[0][0], spans[-1][1])]


def _written(window: timedelta) -> str:
    """A duration as PromQL writes it."""
    seconds = int(window.total_seconds())
    return f"{seconds // 60}m" if seconds % 60 == 0 else f"{seconds}s"
