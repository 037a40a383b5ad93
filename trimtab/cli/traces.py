"""Which recording `replay` and `backtest` work on: the one that is named, or one of the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from domain.errors import SettingsError
from trimtab.cli.options import load_settings, say

if TYPE_CHECKING:
    from monitor.recorded import Trace
    from trimtab.settings import DecisionSettings, Settings, WorkloadSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A recording, what the settings say of its workload (nothing without a settings file), and of decisions."""

    trace: Trace
    section: WorkloadSettings | None
    decisions: DecisionSettings


def choose(
    trace: Path | None, config: Path | None, workload: str | None, *, outputs: Mapping[str, Path | None]
) -> Chosen:
    """SettingsError where nothing is named, or an output (option to file) would replace what is read; TraceError for a recording that is wrong."""
    from monitor.recorded import name_of, read_trace  # noqa: PLC0415
    from trimtab.outputs import files_of, refuse_to_overwrite  # noqa: PLC0415
    from trimtab.settings import resolved  # noqa: PLC0415

    settings = load_settings(config)
    files = settings.history.files
    if trace is None and not files:
        raise SettingsError("--trace", None, "name a trace file, or a settings file with history.files")
    named = {"--trace": trace, "--config": config}
    read = {option: file for option, file in named.items() if file is not None} | dict(files_of(settings))
    refuse_to_overwrite(outputs, read)
    name = workload or (name_of(trace) if trace else next(iter(files)))
    _need_known(workload, trace, settings)
    if trace is None:
        say(
            f"replaying {name} of {', '.join(files)}; choose with --workload"
            if len(files) > 1 and not workload
            else name
        )
    section = next((one for one in settings.workloads if one.id == name), None)
    return Chosen(
        trace=read_trace(trace or files[name]),
        section=None if section is None else resolved(section, settings.defaults),
        decisions=settings.decisions,
    )


def _need_known(workload: str | None, trace: Path | None, settings: Settings) -> None:
    """SettingsError for a workload that the settings do not have: of a named trace its section, else its recording."""
    known = [one.id for one in settings.workloads] if trace else list(settings.history.files)
    if workload is None or workload in known:
        return
    has = "the workloads of the settings are" if trace else "history.files of the settings has"
    fix = f"{has} {', '.join(known)}" if known else "leave it out: no settings name a workload"
    raise SettingsError("--workload", workload, fix)
