"""Which recording `replay` and `backtest` work on: the one that is named, or one of the settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from domain.errors import SettingsError
from trimtab.cli.options import load_settings, say

if TYPE_CHECKING:
    from monitor.recorded import Trace
    from trimtab.settings import WorkloadSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A recording, and what the settings say of its workload (nothing without a settings file)."""

    trace: Trace
    section: WorkloadSettings | None


def choose(trace: Path | None, config: Path | None, workload: str | None) -> Chosen:
    """SettingsError where nothing is named, TraceError for a recording that is wrong."""
    from monitor.recorded import name_of, read_trace  # noqa: PLC0415
    from trimtab.settings import resolved  # noqa: PLC0415

    settings = load_settings(config)
    files = settings.history.files
    if trace is None and not files:
        raise SettingsError("--trace", None, "name a trace file, or a settings file with history.files")
    if workload is not None and workload not in files and trace is None:
        raise SettingsError("--workload", workload, f"history.files has {', '.join(files)}")
    name = workload or (name_of(trace) if trace else next(iter(files)))
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
    )
