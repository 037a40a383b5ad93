"""Every place where something can be plugged in, on one page.

| port | implementations | chosen in |
|---|---|---|
| `HistorySource` | monitor | trimtab.wiring |
| `RuntimeProfile` (data, domain.signals) | monitor.profiles | detected, or settings |
| `Forecaster` (its type is the optimizer's: the table `optimizer.forecasters.CANDIDATES`) | optimizer.forecasters | back-test |
| `Policy` (its types are the optimizer's: `optimizer.policies.Policy`) | optimizer.policies | settings |
| `Guardrail` | optimizer.guardrails | trimtab.wiring |
| `Emitter` | rules, dashboards, manifests | trimtab.wiring |
| `Notifier` | trimtab.notify | settings |
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from domain.artifact import Artifact
from domain.load import LoadHistory
from domain.observation import Observation
from domain.plan import Plan, Recommendation
from domain.signals import Signal
from domain.workload import Workload


class HistorySource(Protocol):
    """Where history comes from; failure is a SourceError, never an empty or zero answer."""

    def load(
        self, workload: Workload, signal: Signal, /, *, start: datetime, end: datetime, step: timedelta
    ) -> LoadHistory:
        """The signal on an even grid over [start, end); gaps are NaN."""
        ...

    def workloads(self, *, at: datetime) -> Sequence[Workload]:
        """The workloads that the source knows of at `at`."""
        ...


class Guardrail(Protocol):
    """Narrows a plan, leaving a Reason for what it changed; raising means Hold."""

    def __call__(self, plan: Plan, observation: Observation, /) -> Plan: ...


Emitter = Callable[[Sequence[Recommendation]], Iterable[Artifact]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something worth telling somebody; the same `key` again is the same event, going on.

    `until` is when it ends by itself, None where only a next look can tell.
    """

    key: str
    severity: str
    summary: str
    detail: str
    at: datetime
    over: bool = False
    until: datetime | None = None


Notifier = Callable[[Event], None]
