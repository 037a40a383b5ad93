"""Is each input of a workload fit to be decided on? What was read and what its metrics are, judged one signal at a time.

What a decision is held for, or a promise cannot be watched without, is `broken`; what it survives is a warning. A signal
that has a value only while requests come (a latency, a ratio) is judged on the steps in which some came.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from domain.health import Asked, Checked, Figures, Finding, MetricSeen, State
from domain.load import LoadHistory
from domain.observation import NOT_ASKED, Observation
from domain.signals import Signal
from domain.unknown import Unknown
from domain.workload import ServingMode
from optimizer.gaps import Gaps, gaps_of
from optimizer.load_findings import load_findings
from optimizer.metric_findings import MetricLimits, lost, metric_findings, names_of, there
from optimizer.readiness import STALE_INPUT, Readiness, span

NO_SERIES = Unknown("not asked: recorded history has no series to look at")
ONLY_WITH_REQUESTS = frozenset(
    {Signal.ERROR_RATIO, Signal.LATENCY, Signal.TIME_TO_FIRST_TOKEN, Signal.INTER_TOKEN_LATENCY}
)
NEEDED = ONLY_WITH_REQUESTS | {Signal.REQUEST_RATE, Signal.READY_REPLICAS}
OF_TOKENS = frozenset({Signal.TIME_TO_FIRST_TOKEN, Signal.INTER_TOKEN_LATENCY})
OF_ACCELERATORS = frozenset({Signal.ACCELERATOR_BUSY, Signal.ACCELERATOR_MEMORY_BYTES})
OF_A_CLUSTER = OF_ACCELERATORS | {
    Signal.CPU_CORES,
    Signal.CPU_CORES_PEAK,
    Signal.MEMORY_BYTES,
    Signal.OUT_OF_MEMORY,
}
N = TypeVar("N", int, float)
MISSING = 0.01  # share of steps from which on gaps are worth a word
LONG_GAP = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthLimits:
    """`stale` is the age at which alerts speak of an input; the others are the bounds of decisions and of metrics."""

    readiness: Readiness
    stale: timedelta
    metrics: MetricLimits


def check_up(
    observation: Observation, asked: Mapping[Signal, Asked] | None, limits: HealthLimits
) -> tuple[Checked, ...]:
    """Every signal of one workload, in the order in which it matters; a gap (NaN) is missing, never 0.

    `asked` is None where the source has no metrics to look at, as a recording has none.
    """
    return tuple(
        _Case(
            observation=observation, signal=signal, history=history, asked=_asked(asked, signal), limits=limits
        ).checked()
        for signal, history in _histories(observation, asked)
    )


def _asked(asked: Mapping[Signal, Asked] | None, signal: Signal) -> Asked:
    if asked is None:
        return Asked(signal=signal, expressions=(), metrics=NO_SERIES)
    return asked.get(signal, Asked(signal=signal, expressions=(), metrics=()))


def _histories(
    observation: Observation, asked: Mapping[Signal, Asked] | None
) -> Iterator[tuple[Signal, LoadHistory | Unknown]]:
    """What a decision sees of each signal."""
    tokens, use = observation.tokens, observation.use
    yield Signal.REQUEST_RATE, observation.load
    yield Signal.ERROR_RATIO, observation.errors
    yield Signal.LATENCY, observation.latency
    yield Signal.TIME_TO_FIRST_TOKEN, observation.first_token
    yield Signal.INTER_TOKEN_LATENCY, observation.inter_token
    yield Signal.QUEUE if _asked(asked, Signal.QUEUE).expressions else Signal.IN_FLIGHT, observation.waiting
    yield Signal.TOKEN_RATE, tokens if isinstance(tokens, Unknown) else tokens.generated
    yield Signal.PROMPT_TOKEN_RATE, tokens if isinstance(tokens, Unknown) else tokens.prompt
    yield Signal.READY_REPLICAS, observation.replicas
    yield Signal.CPU_CORES, use.cpu_cores
    yield Signal.CPU_CORES_PEAK, use.cpu_cores_peak
    yield Signal.MEMORY_BYTES, use.memory_bytes
    yield Signal.OUT_OF_MEMORY, use.out_of_memory
    yield Signal.ACCELERATOR_BUSY, use.accelerator_busy
    yield Signal.ACCELERATOR_MEMORY_BYTES, use.accelerator_memory_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One signal of one workload."""

    observation: Observation
    signal: Signal
    history: LoadHistory | Unknown
    asked: Asked
    limits: HealthLimits

    def checked(self) -> Checked:
        workload = self.observation.workload.id
        why_not = self._why_not_asked()
        if why_not is not None:
            return Checked(subject=workload, input=self.signal.value, said=why_not, asked=False)
        figures = self._figures()
        found = (*self._age(figures), *self._of_history(figures), *metric_findings(self.asked, self.limits.metrics))
        return Checked(
            subject=workload,
            input=self.signal.value,
            said="; ".join(finding.detail for finding in found) or "nothing found",
            findings=found,
            expressions=self.asked.expressions,
            figures=figures,
        )

    @property
    def _not_promised(self) -> bool:
        return self.signal in OF_TOKENS and self.signal not in self.observation.workload.slo.latency_bounds

    @property
    def _bad(self) -> State:
        """How much its want matters; no replica is ready of what may rightly be at zero."""
        if self.signal is Signal.READY_REPLICAS and self._may_be_at_zero:
            return State.WARNING
        return State.BROKEN if self.signal in NEEDED else State.WARNING

    def _why_not_asked(self) -> str | None:
        """Why there is nothing to judge; None where there is, as there always is of the load."""
        if isinstance(self.history, LoadHistory) or self.signal is Signal.REQUEST_RATE:
            return None
        if self.asked.metrics == NO_SERIES:
            return "a recording has load alone, and replicas where it has a column of that name"
        if self.history == NOT_ASKED or self._not_promised:
            return self.history.reason
        if not self.asked.expressions:
            workload = self.observation.workload
            cluster = ", and no target in Kubernetes is named" if workload.target is None else ""
            return f"{workload.runtime} exports nothing of the kind{cluster if self.signal in OF_A_CLUSTER else ''}"
        if self.signal in OF_ACCELERATORS and self.observation.workload.resources.accelerator is None:
            return "no accelerator is declared"
        return None

    @property
    def _may_be_at_zero(self) -> bool:
        running = self.observation.running
        serverless = not isinstance(running, Unknown) and running.mode is ServingMode.SERVERLESS
        return serverless or self.observation.workload.bounds.min_replicas == 0

    def _figures(self) -> Figures:
        metrics = there(self.asked)
        nothing = self.asked.metrics if isinstance(self.asked.metrics, Unknown) else Unknown("no metric of it is there")
        gaps = self._gaps()
        return Figures(
            history=gaps if isinstance(gaps, Unknown) else gaps.within,
            age=self._newest(metrics),
            every=metrics[0].every if metrics else nothing,
            missing=gaps if isinstance(gaps, Unknown) else gaps.share,
            longest_gap=gaps if isinstance(gaps, Unknown) else gaps.longest,
            resets_per_day=_most([metric.resets_per_day for metric in metrics]) if metrics else nothing,
            series=_most([metric.series for metric in metrics]) if metrics else nothing,
        )

    def _newest(self, metrics: Sequence[MetricSeen]) -> timedelta | Unknown:
        """The age of what is read: of the metric that lags most, else of the newest step that is known."""
        ages = [metric.age for metric in metrics if not isinstance(metric.age, Unknown)]
        if ages:
            return max(ages)
        if self.signal in ONLY_WITH_REQUESTS and not isinstance(self.asked.metrics, Unknown):
            return Unknown("no metric of it is there now")
        return self._newest_step()

    def _newest_step(self) -> timedelta | Unknown:
        """The age of the newest step that is known."""
        if isinstance(self.history, Unknown):
            return self.history
        known = np.flatnonzero(np.isfinite(self.history.values))
        if not len(known):
            return Unknown("no step is known")
        newest = self.history.start + int(known[-1] + 1) * self.history.step
        return max(timedelta(0), self.observation.observed_at - newest)

    def _age(self, figures: Figures) -> Iterator[Finding]:
        """Findings of a signal that has no value at all, or no fresh one."""
        limit = max(self.limits.readiness.max_age, 3 * self._step)
        if isinstance(self.history, Unknown):
            yield from self._no_value(self.history)
        elif isinstance(figures.age, Unknown):
            yield from self._lost()
        elif figures.age > min(limit, self.limits.stale):
            yield Finding(
                code="stale",
                state=self._bad if self._is_over(limit, figures.age) else State.WARNING,
                detail=f"the newest sample is {span(figures.age)} old; over {span(limit)} it is not taken for now",
                fix=f"see on Prometheus' targets page whether what exports {names_of(self.asked)} is up",
            )
            yield from self._lost()

    def _is_over(self, limit: timedelta, age: timedelta) -> bool:
        """Whether decisions no longer take it for now: a metric may lag while another is read in its place."""
        read = age if self.signal in ONLY_WITH_REQUESTS else self._newest_step()
        return isinstance(read, timedelta) and read > limit

    def _no_value(self, why: Unknown) -> Iterator[Finding]:
        gone = tuple(self._lost())
        if gone:
            yield from gone
        elif self.signal in ONLY_WITH_REQUESTS and self._idle():
            yield Finding(
                code="idle",
                state=State.UNKNOWN,
                detail="no request came in the window, so there is nothing to tell it from",
                fix="nothing to mend: look again when requests come",
            )
        else:
            problem, _, fix = why.reason.removeprefix(f"{self.observation.source}: ").rpartition("; ")
            yield Finding(
                code="no_value",
                state=self._bad,
                detail=problem or fix,
                fix=f"{fix if problem else 'ask for it yourself'} (its expression is in --output json)"
                if self.asked.expressions
                else fix,
            )

    def _lost(self) -> Iterator[Finding]:
        never = isinstance(self.history, Unknown)
        return lost(self.asked, self.observation.workload, self._bad, never=never)

    def _of_history(self, figures: Figures) -> Iterator[Finding]:
        gaps = self._gaps()
        if isinstance(gaps, Gaps) and (gaps.share > MISSING or gaps.longest >= max(LONG_GAP, 3 * self._step)):
            yield Finding(
                code="gaps",
                state=State.WARNING,
                detail=f"{gaps.share:.1%} of its steps are missing, the longest {span(gaps.longest)} "
                f"from {gaps.begins:%Y-%m-%d %H:%M} UTC",
                fix="see what stopped the scrapes then (the target, Prometheus itself, retention); a gap is never read as 0",
            )
        if self.signal is Signal.REQUEST_RATE and isinstance(self.history, LoadHistory):
            told = isinstance(figures.age, timedelta) and figures.age > self.limits.stale
            observed_at, readiness = self.observation.observed_at, self.limits.readiness
            for finding in load_findings(self.history, observed_at=observed_at, readiness=readiness):
                if finding.code != STALE_INPUT or not told:
                    yield finding

    def _gaps(self) -> Gaps | Unknown:
        """Those of the whole window, or where a value needs requests, of the steps in which some came."""
        if isinstance(self.history, Unknown) or self.signal not in ONLY_WITH_REQUESTS:
            return gaps_of(self.history)
        return gaps_of(self.history, self._busy(self.history))

    def _busy(self, history: LoadHistory) -> NDArray[np.bool_]:
        """The steps of this signal in which requests came; all of them where the load does not say."""
        load = self.observation.load
        if isinstance(load, Unknown) or len(load) != len(history):
            return np.ones(len(history), dtype=np.bool_)
        return np.nan_to_num(load.values) > 0

    def _idle(self) -> bool:
        """Whether the load is known, and no request came at all."""
        load = self.observation.load
        return isinstance(load, LoadHistory) and not np.nan_to_num(load.values).any()

    @property
    def _step(self) -> timedelta:
        for history in (self.history, self.observation.load):
            if isinstance(history, LoadHistory):
                return history.step
        return timedelta(0)


def _most(values: Sequence[N | Unknown]) -> N | Unknown:
    """The largest of those that are known; why not, where none is."""
    known = [value for value in values if not isinstance(value, Unknown)]
    return max(known) if known else next(value for value in values if isinstance(value, Unknown))
