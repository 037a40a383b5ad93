"""Whom a workload dashboard is about, and how its panels ask about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from dashboards.budgets import Promised
from dashboards.spec import Query
from domain.signals import Signal
from domain.workload import Slo


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whom a dashboard is about: its matcher in our own metrics, and how its runtime is asked for a signal.

    `ask(signal, quantile)` is None where the runtime does not know the signal. `slo` is the strictest
    of what the workloads that the dashboard can show have `promised`.
    """

    own: str
    ask: Callable[[Signal, float], str | None]
    promised: Promised

    @property
    def slo(self) -> Slo:
        return strictest(list(self.promised.slos.values()))


def strictest(slos: Sequence[Slo]) -> Slo:
    """Of each bound the hardest to hold; ValueError without any."""

    def least(bounds: Iterable[timedelta | None]) -> timedelta | None:
        return min((bound for bound in bounds if bound is not None), default=None)

    return Slo(
        attainment=max(slo.attainment for slo in slos),
        latency=min(slo.latency for slo in slos),
        time_to_first_token=least(slo.time_to_first_token for slo in slos),
        inter_token=least(slo.inter_token for slo in slos),
        min_accuracy=max((slo.min_accuracy for slo in slos if slo.min_accuracy is not None), default=None),
    )


def asked(subject: Subject, signal: Signal, legend: str, quantile: float = 0.95) -> tuple[Query, ...]:
    """The signal's query, none where the runtime has no such signal."""
    expr = subject.ask(signal, quantile)
    return () if expr is None else (Query(expr=expr, legend=legend),)
