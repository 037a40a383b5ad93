"""Recorded history: trace files as a source of facts, where there is no Prometheus to ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from domain.errors import BadAnswer, NoData, TraceError
from domain.load import Floats, LoadHistory
from domain.signals import Signal
from domain.workload import Workload
from monitor.trace_file import Trace, read_trace

__all__ = ["RECORDED_RUNTIME", "RecordedSource", "Trace", "by_name", "name_of", "read_trace"]

RECORDED_RUNTIME = "recorded"


def name_of(path: Path) -> str:
    """The workload a file tells of: its name without `.csv` or `.csv.gz`."""
    return path.name.removesuffix(".gz").removesuffix(".csv")


def by_name(paths: Iterable[Path]) -> dict[str, Path]:
    """Files keyed by workload id; TraceError if two have one name."""
    named: dict[str, Path] = {}
    for path in paths:
        name = name_of(path)
        if name in named:
            raise TraceError(str(path), f"tells of {name!r}, as {named[name]} does", "rename one of the two files")
        named[name] = path
    return named


class RecordedSource:
    """A `HistorySource` over trace files, each read once and when first asked for.

    It answers REQUEST_RATE, and READY_REPLICAS where a file has that column; anything else is NoData.
    """

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = dict(files)
        self._traces: dict[str, Trace] = {}

    def __str__(self) -> str:
        return f"recorded history ({len(self._files)} file{'s' * (len(self._files) != 1)})"

    def workloads(self, *, at: datetime) -> Sequence[Workload]:
        """One workload for each file, whatever `at`; NoData if there is no file."""
        del at  # a file is named by its user: it is known at any time
        if not self._files:
            raise NoData(str(self), "no file is given", "name at least one trace file")
        return [Workload(id=name, runtime=RECORDED_RUNTIME) for name in self._files]

    def trace(self, workload_id: str) -> Trace:
        """The whole trace of a workload; NoData if there is none, TraceError if it can not be read."""
        if workload_id not in self._files:
            raise NoData(str(self), f"has no file for {workload_id!r}", f"its workloads are {', '.join(self._files)}")
        if workload_id not in self._traces:
            self._traces[workload_id] = read_trace(self._files[workload_id])
        return self._traces[workload_id]

    def load(
        self, workload: Workload, signal: Signal, /, *, start: datetime, end: datetime, step: timedelta
    ) -> LoadHistory:
        """The recorded signal over [start, end); NoData where nothing was recorded, BadAnswer for too fine a step.

        A recorded interval belongs to the step in which it ends, so no step knows of anything after its own end.
        """
        history = self._history(workload, signal)
        steps = (end - start) // step
        if steps < 1:
            raise ValueError(f"no whole step of {step} lies between {start} and {end}")
        if step % history.step:
            raise BadAnswer(
                self._files[workload.id].name,
                f"is recorded every {history.step_s:g} s and can not be read every {step.total_seconds():g} s",
                f"ask for a whole multiple of {history.step_s:g} s",
            )
        values = _regrid(history, start=start, step=step, steps=steps)
        if not np.isfinite(values).any():
            raise NoData(
                self._files[workload.id].name,
                f"holds nothing between {start:%Y-%m-%dT%H:%MZ} and {end:%Y-%m-%dT%H:%MZ}",
                f"it runs from {history.start:%Y-%m-%dT%H:%MZ} to {history.end:%Y-%m-%dT%H:%MZ}",
            )
        return LoadHistory(start=start, step=step, values=values)

    def _history(self, workload: Workload, signal: Signal) -> LoadHistory:
        trace = self.trace(workload.id)
        if signal is Signal.REQUEST_RATE:
            return trace.requests
        if signal is Signal.READY_REPLICAS and trace.replicas is not None:
            return trace.replicas
        fix = "add a column replicas" if signal is Signal.READY_REPLICAS else "connect a Prometheus to have it"
        raise NoData(trace.path.name, f"a trace file without {signal.value}", fix)


def _regrid(history: LoadHistory, *, start: datetime, step: timedelta, steps: int) -> Floats:
    """Means of the known intervals that end within each step; NaN where there are none.

    A step that the recording does not reach the end of is NaN too: half an hour is no hour.
    """
    if history.step == step and history.start == start.astimezone(UTC) and len(history) == steps:
        return history.values
    offset_s = (history.start - start).total_seconds()
    ends = offset_s + history.step_s * np.arange(1, len(history) + 1)
    cells = np.ceil(ends / step.total_seconds() - 1e-9).astype(np.int64) - 1
    usable = np.isfinite(history.values) & (cells >= 0) & (cells < steps)
    usable &= (cells + 1) * step.total_seconds() <= ends[-1] + history.step_s / 2
    known = np.bincount(cells[usable], minlength=steps)
    sums = np.bincount(cells[usable], weights=history.values[usable], minlength=steps)
    means: Floats = np.divide(sums, known, out=np.full(steps, np.nan), where=known > 0)
    return means
