"""Gathering: every fact about a workload that a decision may use, on one grid that ends at or before `at`.

Without its request rate there is nothing to decide, so a source that fails on that is an error; and one that can not be
reached is an error at any question, since a source that died half-way has told half the truth. Anything else that can not
be had becomes Unknown, with the source's own words as its reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol, runtime_checkable

from domain.capacity import TimeToReady
from domain.errors import BadAnswer, NoData
from domain.load import STILL_NOW, LoadHistory
from domain.observation import Declared, Observation, ResourceUse, RunningState, TokenRates, VersionSeen
from domain.ports import HistorySource
from domain.signals import Signal
from domain.unknown import Unknown
from domain.workload import PurchaseMix, ServingMode, Workload
from monitor import ready

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
USE_STEP = timedelta(minutes=15)  # of the use of resources, whose series are one a container: coarser than the load's
USE_LOOKBACK = timedelta(days=14)

USE_SIGNALS: Mapping[str, Signal] = {
    "cpu_cores": Signal.CPU_CORES,
    "cpu_cores_peak": Signal.CPU_CORES_PEAK,
    "memory_bytes": Signal.MEMORY_BYTES,
    "out_of_memory": Signal.OUT_OF_MEMORY,
    "accelerator_busy": Signal.ACCELERATOR_BUSY,
    "accelerator_memory_bytes": Signal.ACCELERATOR_MEMORY_BYTES,
}


@runtime_checkable
class SeesStarts(Protocol):
    """A source that has seen replicas start."""

    def starts(self, workload: Workload, /, *, at: datetime, lookback: timedelta) -> ready.Starts:
        """How long each start took; raises SourceError."""
        ...


@runtime_checkable
class SeesVersions(Protocol):
    """A source that tells which versions of a model served."""

    def versions(self, workload: Workload, /, *, at: datetime, lookback: timedelta) -> tuple[VersionSeen, ...]:
        """In the order in which they came; raises SourceError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What is looked at: [start, end) in whole steps since the epoch."""

    start: datetime
    end: datetime
    step: timedelta

    @classmethod
    def before(cls, at: datetime, lookback: timedelta, step: timedelta) -> Span:
        """The whole steps of `lookback` that have ended at `at`; ValueError if there are none."""
        if lookback < step:
            raise ValueError(f"a lookback of {lookback} holds no step of {step}")
        end = at - (at - EPOCH) % step
        return cls(start=end - (lookback // step) * step, end=end, step=step)


def observe(
    source: HistorySource,
    workload: Workload,
    *,
    at: datetime,
    lookback: timedelta,
    step: timedelta,
    declared: Declared | None = None,
    resources: bool = True,
) -> Observation:
    """All that is known of `workload` at `at`; what its replicas use is asked for only with `resources`.

    Raises SourceUnavailable when the source can not be reached, and BadAnswer when the request rate can not be had;
    its absence (NoData) is a fact.
    """
    stated = declared or Declared()
    span = Span.before(at, lookback, step)
    load = _load(source, workload, span)
    replicas = _if_known(source, workload, Signal.READY_REPLICAS, span)
    return Observation(
        workload=workload,
        observed_at=at,
        source=str(source),
        load=load,
        latency=_if_known(source, workload, Signal.LATENCY, span),
        errors=_if_known(source, workload, Signal.ERROR_RATIO, span),
        replicas=replicas,
        time_to_ready=_time_to_ready(source, workload, at, lookback, stated),
        service_time_s=_service_time_s(source, workload, span, stated),
        declared_capacity_rps=_capacity(stated),
        running=_running(replicas, stated),
        first_token=_if_promised(source, workload, Signal.TIME_TO_FIRST_TOKEN, span),
        inter_token=_if_promised(source, workload, Signal.INTER_TOKEN_LATENCY, span),
        waiting=_waiting(source, workload, span),
        tokens=_tokens(source, workload, span, stated),
        use=_use(source, workload, at, lookback, step) if resources else ResourceUse(),
        versions=_versions(source, workload, at, lookback),
    )


def _load(source: HistorySource, workload: Workload, span: Span) -> LoadHistory | Unknown:
    try:
        return source.load(workload, Signal.REQUEST_RATE, start=span.start, end=span.end, step=span.step)
    except NoData as nothing:
        return Unknown(str(nothing))


def _if_known(source: HistorySource, workload: Workload, signal: Signal, span: Span) -> LoadHistory | Unknown:
    try:
        return source.load(workload, signal, start=span.start, end=span.end, step=span.step)
    except (NoData, BadAnswer) as error:
        return Unknown(str(error))


def _if_promised(source: HistorySource, workload: Workload, signal: Signal, span: Span) -> LoadHistory | Unknown:
    """A latency that only some workloads promise: asked for where this one does."""
    if signal not in workload.slo.latency_bounds:
        return Unknown(f"no bound of {signal.value} is promised")
    return _if_known(source, workload, signal, span)


def _waiting(source: HistorySource, workload: Workload, span: Span) -> LoadHistory | Unknown:
    """Requests in the queue; where no queue is told of, all that are under way, of which what waits is the moving part."""
    queue = _if_known(source, workload, Signal.QUEUE, span)
    return _if_known(source, workload, Signal.IN_FLIGHT, span) if isinstance(queue, Unknown) else queue


def _tokens(source: HistorySource, workload: Workload, span: Span, stated: Declared) -> TokenRates | Unknown:
    """Tokens taken in and generated; Unknown as a whole where the runtime generates none and none are declared."""
    generated = _if_known(source, workload, Signal.TOKEN_RATE, span)
    if isinstance(generated, Unknown) and stated.capacity_tps is None:
        return generated
    return TokenRates(
        prompt=_if_known(source, workload, Signal.PROMPT_TOKEN_RATE, span),
        generated=generated,
        declared_weight=stated.prompt_token_weight,
        declared_capacity_tps=stated.capacity_tps,
    )


def _use(source: HistorySource, workload: Workload, at: datetime, lookback: timedelta, step: timedelta) -> ResourceUse:
    """What replicas used of late, in whole multiples of the load's step."""
    coarse = step * -(-USE_STEP // step)
    span = Span.before(at, max(coarse, min(lookback, USE_LOOKBACK)), coarse)
    return ResourceUse(**{name: _if_known(source, workload, signal, span) for name, signal in USE_SIGNALS.items()})


def _versions(
    source: HistorySource, workload: Workload, at: datetime, lookback: timedelta
) -> tuple[VersionSeen, ...] | Unknown:
    if not isinstance(source, SeesVersions):
        return Unknown(f"{source} does not tell of versions")
    try:
        return source.versions(workload, at=at, lookback=lookback)
    except (NoData, BadAnswer) as error:
        return Unknown(str(error))


def _time_to_ready(
    source: HistorySource, workload: Workload, at: datetime, lookback: timedelta, stated: Declared
) -> TimeToReady:
    if stated.time_to_ready is not None:
        return ready.declared(stated.time_to_ready)
    if not isinstance(source, SeesStarts):
        return ready.assumed(f"{source} does not tell of starts")
    try:
        starts = source.starts(workload, at=at, lookback=lookback)
    except (NoData, BadAnswer) as error:
        return ready.assumed(str(error))
    return ready.measured(starts)


def _service_time_s(source: HistorySource, workload: Workload, span: Span, stated: Declared) -> float | Unknown:
    """The mean over the whole span, read as one step of that length, so that busy hours count for more."""
    if stated.service_time is not None:
        return stated.service_time.total_seconds()
    whole = Span(start=span.start, end=span.end, step=span.end - span.start)
    found = _if_known(source, workload, Signal.SERVICE_TIME, whole)
    return found if isinstance(found, Unknown) else float(found.values[0])


def _capacity(stated: Declared) -> float | Unknown:
    return Unknown("no capacity is declared") if stated.capacity_rps is None else stated.capacity_rps


def _running(replicas: LoadHistory | Unknown, stated: Declared) -> RunningState | Unknown:
    """How it runs today. What it runs on and is paid by no metric tells: that is declared, or the whole is unknown.

    Replicas that were counted are there all the time, which is what dedicated means; serverless is declared.
    """
    if stated.offer is None:
        return Unknown("what it runs on is not declared (`offer` in the settings)")
    mode = stated.mode or ServingMode.DEDICATED
    if stated.replicas is not None:
        count = stated.replicas
    elif mode is ServingMode.SERVERLESS:
        count = 0
    elif isinstance(replicas, Unknown):
        return Unknown(f"the number of replicas is neither declared nor known: {replicas.reason}")
    else:
        newest = replicas.newest(STILL_NOW)
        if newest is None:
            return Unknown(f"no ready replicas were counted in the last {STILL_NOW // timedelta(minutes=1)} min")
        count = round(newest)
    return RunningState(replicas=count, mode=mode, offer=stated.offer, purchase=_bought(count, mode, stated))


def _bought(count: int, mode: ServingMode, stated: Declared) -> PurchaseMix:
    """The replicas in the declared shares, on demand without any; where none runs just now, those of one replica."""
    reserved, spot = stated.reserved_share, stated.spot_share
    if mode is ServingMode.SERVERLESS or not reserved + spot:
        return PurchaseMix(on_demand=float(count))
    each = max(1, count)
    return PurchaseMix(reserved=reserved * each, on_demand=max(0.0, 1.0 - reserved - spot) * each, spot=spot * each)
