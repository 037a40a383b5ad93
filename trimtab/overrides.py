"""Settings under what the command line says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from monitor.recorded import by_name
from trimtab.settings import (
    AlertmanagerSettings,
    EmitSettings,
    PrometheusSettings,
    Settings,
    StoreSettings,
    WorkloadSettings,
)

IN_MEMORY = StoreSettings(url="sqlite://")


def chosen(
    settings: Settings, *, prometheus: str | None, files: Sequence[Path], capacity: float | None, keep: bool
) -> Settings:
    """For one scan: the source that was named, or the settings' own; nothing is emitted or told to anybody.

    The store is the settings' own only with `keep`, and only where the source is too.
    """
    changes: dict[str, object] = {"emit": EmitSettings(), "alertmanager": AlertmanagerSettings()}
    if prometheus:
        from trimtab.settings_file import parse_section  # noqa: PLC0415

        changes["prometheus"] = parse_section(PrometheusSettings, {"url": prometheus}, name="--prometheus")
        changes["history"] = settings.history.model_copy(update={"files": {}})
    if files:
        changes["history"] = settings.history.model_copy(update={"files": by_name(files)})
        changes["workloads"] = tuple(_of(settings.workloads, by_name(files)))
    if prometheus or files or not keep:
        changes["store"] = IN_MEMORY
    if capacity is not None:
        given = {"capacity_rps": capacity, "capacity_tps": None}
        changes["defaults"] = settings.defaults.model_copy(update=given)
        changes["workloads"] = tuple(
            workload.model_copy(update=given)
            for workload in changes.get("workloads", settings.workloads)  # type: ignore[attr-defined]
        )
    return settings.model_copy(update=changes)


def _of(workloads: Sequence[WorkloadSettings], files: dict[str, Path]) -> list[WorkloadSettings]:
    """The sections of workloads that have a file."""
    return [workload for workload in workloads if workload.id in files]
