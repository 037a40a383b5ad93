"""What the metrics behind a signal tell of its worth: gone or renamed, scraped too seldom, mixed up, or far too many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from domain.health import Asked, Finding, MetricSeen, State
from domain.signals import selector
from domain.unknown import Unknown
from domain.workload import Workload
from optimizer.readiness import span

MISSED = 4  # scrapes in a row
IN_A_WINDOW = 4  # samples that make a rate worth its name
MOST_RESETS = 2.0  # a day and target beyond its restarts: a counter that wraps, or a start that was not seen
MOST_RESTARTS = 24.0  # a day and target
MOST_SAMPLES = 50_000_000  # of one query, the default of --query.max-samples
HIGH = 0.2  # of that
EXPORTERS = {"kube_": "kube-state-metrics", "container_": "the kubelet (cAdvisor)", "DCGM_": "the DCGM exporter"}
ONE_PROCESS = (
    "scrape each process by itself: several behind one address (a Service, workers on one port) mix their counters"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricLimits:
    """`window` is what a rate is taken over; `points` are those of the longest query that reads a history."""

    window: timedelta = timedelta(minutes=5)
    points: int = 8_064


def names_of(asked: Asked) -> str:
    """The metrics of a signal that the runtime (or the cluster) exports, as people read them."""
    return " and ".join(group[0].name for group in _groups(asked)) or "it"


def there(asked: Asked) -> tuple[MetricSeen, ...]:
    """The metrics that have series, of each the freshest form; where the runtime's own have none, those that rules recorded."""
    own = [_freshest(group) for group in _groups(asked)]
    present = tuple(metric for metric in own if metric.series != 0)
    if present or isinstance(asked.metrics, Unknown):
        return present
    return tuple(metric for metric in asked.metrics if metric.recorded and metric.series != 0)


def lost(asked: Asked, workload: Workload, state: State, *, never: bool) -> Iterator[Finding]:
    """What became of the metrics that are not there: another name, or nothing of the kind.

    Those that `never` were there under the workload's labels may have others; in a fleet some other workload's are.
    """
    gone = [group for group in _groups(asked) if all(metric.series == 0 for metric in group)]
    absent: dict[str, list[str]] = {}
    for group in gone:
        name = group[0].name
        near = next((one.near for one in group if one.near), ())
        elsewhere = next((one.elsewhere for one in group if one.elsewhere), ())
        if near:
            yield Finding(
                code="renamed",
                state=state,
                detail=f"{name} is not there, {' and '.join(near)} is: it may have been renamed",
                fix="write the old name back in the scrape job, metric_relabel_configs: "
                f"[{{source_labels: [__name__], regex: '{near[0]}', target_label: __name__, replacement: '{name}'}}]",
            )
        elif never and elsewhere:
            yield Finding(
                code="other_labels",
                state=state,
                detail=f"{name} was never there with {{{selector(workload.labels)}}}, but is with {' and '.join(elsewhere)}",
                fix=f"compare `match` of {workload.id} with these labels, or see that it is scraped",
            )
        else:
            absent.setdefault(_exporter(name, workload), []).append(name)
    for exporter, names in absent.items():
        yield Finding(
            code="absent",
            state=state,
            detail=f"no series in the last hour: {', '.join(names)}",
            fix=f"see on Prometheus' targets page that {exporter} is scraped and up",
        )


def _exporter(name: str, workload: Workload) -> str:
    """Who exports a metric of that name."""
    known = (exporter for prefix, exporter in EXPORTERS.items() if name.startswith(prefix))
    return next(known, f"{workload.id} ({workload.runtime})")


def metric_findings(asked: Asked, limits: MetricLimits) -> Iterator[Finding]:
    """What is odd about the metrics that are there."""
    if isinstance(asked.metrics, Unknown):
        if asked.expressions:
            yield _not_told(asked.metrics)
        return
    recorded = any(metric.recorded and metric.series != 0 for metric in asked.metrics)
    for metric in there(asked):
        if isinstance(metric.series, Unknown):
            yield _not_told(metric.series)
        elif not metric.recorded:
            yield from _late(metric)
            yield from _seldom(metric, limits)
            yield from _beginning_anew(metric)
            if not recorded:
                yield from _many(metric, metric.series, limits)


def _not_told(why: Unknown) -> Finding:
    return Finding(
        code="not_told",
        state=State.UNKNOWN,
        detail=f"how its metrics are is not known: {why.reason}",
        fix="see why the server does not say; what was read of the history stands",
    )


def _groups(asked: Asked) -> list[list[MetricSeen]]:
    """The metrics by name, whatever a pipeline made of its colons and however they are selected; recorded ones left out."""
    groups: dict[str, list[MetricSeen]] = {}
    for metric in () if isinstance(asked.metrics, Unknown) else asked.metrics:
        if not metric.recorded:
            groups.setdefault(metric.name.replace(":", "_"), []).append(metric)
    return list(groups.values())


def _freshest(group: Sequence[MetricSeen]) -> MetricSeen:
    """Of the forms that one metric has the one that is read now: an upgrade on the way leaves the other behind."""
    present = [metric for metric in group if metric.series != 0] or group
    return min(present, key=lambda metric: timedelta.max if isinstance(metric.age, Unknown) else metric.age)


def _late(metric: MetricSeen) -> Iterator[Finding]:
    if isinstance(metric.age, Unknown) or isinstance(metric.every, Unknown):
        return
    if metric.age > MISSED * metric.every:
        yield Finding(
            code="late",
            state=State.WARNING,
            detail=f"the newest sample is {span(metric.age)} old, though one came every {span(metric.every)}",
            fix="see the target's last error on Prometheus' targets page; a scrape_timeout too short for it is the usual one",
        )


def _seldom(metric: MetricSeen, limits: MetricLimits) -> Iterator[Finding]:
    """A rate needs some samples in its window, or one scrape that is missed leaves a hole."""
    if not metric.counter or isinstance(metric.every, Unknown):
        return
    if IN_A_WINDOW * metric.every > limits.window + timedelta(seconds=1):
        yield Finding(
            code="seldom_scraped",
            state=State.WARNING,
            detail=f"a sample comes every {span(metric.every)}, so a rate over {span(limits.window)} "
            f"rests on {limits.window / metric.every:.2g}",
            fix=f"scrape at least every {span(limits.window / IN_A_WINDOW)} (scrape_interval), or set history.step_s to "
            f"{IN_A_WINDOW * metric.every.total_seconds():.0f}",
        )


def _beginning_anew(metric: MetricSeen) -> Iterator[Finding]:
    """Counters fall when their process ends; where they fall more often, two processes take turns."""
    resets, restarts, targets = metric.resets_per_day, metric.restarts_per_day, metric.targets
    if isinstance(resets, Unknown) or isinstance(targets, Unknown):
        return
    of = f"{targets} target{'s' * (targets != 1)}"
    known = not isinstance(restarts, Unknown)
    started = f"{restarts:.0f} starts" if known else "an unknown number of starts"
    if resets - (restarts if not isinstance(restarts, Unknown) else 0.0) > MOST_RESETS * targets:
        yield Finding(
            code="resets",
            state=State.WARNING,
            detail=f"{metric.name} began anew {resets:.0f} times in a day on {of}, with {started}",
            fix=ONE_PROCESS if known else f"{ONE_PROCESS}; or see why the processes end",
        )
    elif not isinstance(restarts, Unknown) and restarts > MOST_RESTARTS * targets:
        yield Finding(
            code="restarts",
            state=State.WARNING,
            detail=f"{restarts:.0f} starts in a day on {of} that export {metric.name}",
            fix=f"see why the processes end (memory, probes); or {ONE_PROCESS}",
        )


def _many(metric: MetricSeen, series: int, limits: MetricLimits) -> Iterator[Finding]:
    samples = series * limits.points
    if samples <= HIGH * MOST_SAMPLES:
        return
    label, values = next(((name, count) for name, count in metric.split_by.items() if name != "le"), ("", 0))
    most = f", most of them by the label {label} ({values:,} values)" if label else ""
    drop = f"stop exporting the label {label}, or " if label and label not in ("instance", "pod") else ""
    yield Finding(
        code="many_series",
        state=State.WARNING,
        detail=f"{metric.name} has {series:,} series{most}: {samples / 1e6:,.0f} million samples a query of the history, "
        f"where Prometheus refuses over {MOST_SAMPLES / 1e6:.0f} million by default",
        fix=f"{drop}load the recording rules, which are read in its place (`trimtab render rules`)",
    )
