"""The workloads of the settings (or of the source, where the settings name none) and the facts about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.errors import SettingsError
from domain.observation import Declared, Observation
from domain.ports import HistorySource
from domain.workload import Workload
from trimtab.settings import WorkloadDefaults, WorkloadSettings, resolved
from trimtab.workloads import declared_of, workload_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Which part of the history one decision looks at: `lookback` in whole steps before `at`."""

    at: datetime
    lookback: timedelta
    step: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredFleet:
    """A `Fleet` over one source.

    `look` says which part of a workload's history counts at a moment. A workload that the settings
    do not name gets the defaults; with `only_named` those are left out.
    """

    source: HistorySource
    sections: Sequence[WorkloadSettings]
    defaults: WorkloadDefaults
    observe_one: Callable[[Workload, Look, Declared], Observation]
    look: Callable[[Workload, datetime], Look]
    only_named: bool

    def workloads(self, now: datetime) -> Sequence[Workload]:
        """The workloads in the order of the settings, then those the source knows besides; SourceError."""
        named = [workload_of(resolved(section, self.defaults)) for section in self.sections]
        if self.only_named and named and all(workload.labels for workload in named):
            return named
        seen = {workload.id: workload for workload in self.source.workloads(at=now)}
        whole = [self._with_labels(workload, seen) for workload in named]
        if self.only_named and named:
            return whole
        known = {workload.id for workload in named}
        return [*whole, *(self._with_defaults(workload) for name, workload in seen.items() if name not in known)]

    def observe(self, workload: Workload, now: datetime) -> Observation:
        """The facts about one workload at `now`; SourceError."""
        return self.observe_one(workload, self.look(workload, now), self._declared(workload.id))

    def need_capacity(self, workloads: Sequence[Workload]) -> None:
        """SettingsError for a recording without a capacity: it has no latency to learn one from."""
        for workload in workloads:
            if self._declared(workload.id).capacity_rps is None:
                raise SettingsError(
                    f"capacity of {workload.id}",
                    None,
                    "a recording tells of load alone: give --capacity RPS, or capacity_rps in the settings",
                )

    def _declared(self, name: str) -> Declared:
        section = next((section for section in self.sections if section.id == name), WorkloadSettings(id=name))
        return declared_of(resolved(section, self.defaults))

    def _with_labels(self, workload: Workload, seen: dict[str, Workload]) -> Workload:
        """Without `match`, a workload is the one of that name in the source."""
        if workload.labels or workload.id not in seen:
            return workload
        found = seen[workload.id]
        section = next(section for section in self.sections if section.id == workload.id)
        runtime = section.runtime if "runtime" in section.model_fields_set else found.runtime
        return workload_of(
            resolved(section.model_copy(update={"match": dict(found.labels), "runtime": runtime}), self.defaults)
        )

    def _with_defaults(self, workload: Workload) -> Workload:
        section = WorkloadSettings(id=workload.id, runtime=workload.runtime, match=dict(workload.labels))
        return workload_of(resolved(section, self.defaults))
