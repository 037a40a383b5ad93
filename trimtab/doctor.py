"""The health of every input: the source, each signal of each workload, prices, the store. Reads only, and decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.errors import NoData, SourceError, SourceUnavailable
from domain.health import Asked, Checked, Finding, State
from domain.ports import HistorySource
from domain.prices import PriceBook
from domain.signals import Signal
from domain.workload import Workload
from monitor.client import MOST_POINTS
from monitor.observe import USE_SIGNALS
from monitor.profiles import RECORDED_WINDOW
from monitor.vitals import SeesMetrics
from optimizer.fact_checks import fact_checks
from optimizer.health import HealthLimits, check_up
from optimizer.metric_findings import MetricLimits
from optimizer.readiness import Readiness
from trimtab.fleet import ConfiguredFleet
from trimtab.pricehealth import price_checks
from trimtab.rendering import rule_options
from trimtab.settings import Settings
from trimtab.storehealth import store_check

FAULTS = {"no_data": NoData, "away": SourceUnavailable, "bad_answer": SourceError}  # the last is what all of them are


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """Every input at one moment, those of a workload together."""

    at: datetime
    source: str
    inputs: tuple[Checked, ...]

    @property
    def broken(self) -> bool:
        return any(checked.state is State.BROKEN for checked in self.inputs)


def examine(
    settings: Settings,
    fleet: ConfiguredFleet,
    book: PriceBook,
    readiness: Readiness,
    *,
    now: datetime,
    progress: Callable[[str], None],
) -> Examined:
    """Look at everything once. What a source does not answer is a finding; raises what the user wrote wrongly."""
    progress(f"asking {fleet.source} for its targets and workloads")
    source, workloads = _source(fleet, now)
    if workloads:
        progress(f"reading the history and the metrics of {_count(len(workloads), 'workload')}")
    limits = _limits(settings, readiness)
    concurrency = 1 if settings.prometheus is None else settings.prometheus.concurrency
    with ThreadPoolExecutor(max_workers=concurrency) as threads:
        rows = list(threads.map(lambda one: _workload(settings, fleet, one, limits, now), workloads))
    return Examined(
        at=now,
        source=str(fleet.source),
        inputs=(
            source,
            *price_checks(book, workloads, settings, now.date()),
            store_check(settings, now),
            *(checked for row in rows for checked in row),
        ),
    )


def _limits(settings: Settings, readiness: Readiness) -> HealthLimits:
    step = timedelta(seconds=settings.history.step_s)
    points = int(timedelta(days=settings.history.lookback_days) / step)
    return HealthLimits(
        readiness=readiness,
        stale=rule_options(settings).input_age,
        metrics=MetricLimits(window=max(step, RECORDED_WINDOW), points=min(points, MOST_POINTS)),
    )


def _source(fleet: ConfiguredFleet, now: datetime) -> tuple[Checked, Sequence[Workload]]:
    """How the source itself is, and the workloads; none of them where it does not answer."""
    try:
        said = _targets(fleet.source, now)
        workloads = fleet.workloads(now)
    except SourceError as fault:
        return _failed("", "source", fault), ()
    answers = f"{fleet.source}: {_count(len(workloads), 'workload')}, {said}"
    return Checked(subject="", input="source", said=answers), workloads


def _targets(source: HistorySource, now: datetime) -> str:
    if not isinstance(source, SeesMetrics):
        return "each looked at as of the end of its recording"
    targets = source.targets(at=now)
    return f"{targets.up} of {_count(targets.up + targets.down, 'target')} up"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _workload(
    settings: Settings, fleet: ConfiguredFleet, workload: Workload, limits: HealthLimits, now: datetime
) -> Sequence[Checked]:
    try:
        observation = fleet.observe(workload, now)
        asked = _asked(settings, fleet.source, workload, now)
    except SourceError as fault:
        return [_failed(workload.id, Signal.REQUEST_RATE.value, fault)]
    return [*check_up(observation, asked, limits), *fact_checks(observation)]


def _asked(settings: Settings, source: HistorySource, workload: Workload, now: datetime) -> dict[Signal, Asked] | None:
    """The metrics of each signal that a decision asks for; None where the source has none to look at."""
    if not isinstance(source, SeesMetrics):
        return None
    step = timedelta(seconds=settings.history.step_s)
    asked = source.asked(workload, tuple(_wanted(settings, workload)), at=now, step=step)
    return {one.signal: one for one in asked}


def _wanted(settings: Settings, workload: Workload) -> Iterator[Signal]:
    yield from (Signal.REQUEST_RATE, Signal.ERROR_RATIO, *workload.slo.latency_bounds)
    yield from (Signal.QUEUE, Signal.IN_FLIGHT, Signal.TOKEN_RATE, Signal.PROMPT_TOKEN_RATE, Signal.READY_REPLICAS)
    if settings.decisions.right_size:
        yield from USE_SIGNALS.values()


def _failed(subject: str, name: str, fault: SourceError) -> Checked:
    """An input that could not be read at all, by what the source did."""
    code = next(code for code, kind in FAULTS.items() if isinstance(fault, kind))
    detail = f"{fault.source} {fault.problem}"
    finding = Finding(code=code, state=State.BROKEN, detail=detail, fix=fault.fix)
    return Checked(subject=subject, input=name, said=detail, findings=(finding,))
