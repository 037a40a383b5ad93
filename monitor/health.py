"""How well an input is: is it fresh, and how much of it is missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from domain.load import LoadHistory
from domain.signals import Signal
from domain.unknown import Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class InputHealth:
    """One signal of one workload: `age` of its newest known step, share of steps known, longest gap between two."""

    workload: str
    signal: Signal
    age: timedelta | Unknown
    coverage: float
    longest_gap: timedelta


def input_health(workload: str, signal: Signal, history: LoadHistory | Unknown, /, *, at: datetime) -> InputHealth:
    """The health of `history` at `at`. An age is never 0 for want of data: without any it is Unknown.

    A step's age counts from its end. Steps before the first known one are no gap (it may not have existed yet); those
    after the last one are (it should have gone on).
    """
    if isinstance(history, Unknown):
        return InputHealth(workload=workload, signal=signal, age=history, coverage=0.0, longest_gap=timedelta(0))
    known = np.flatnonzero(np.isfinite(history.values))
    if not len(known):
        nothing = Unknown(f"no {signal.value} of {workload} between {history.start} and {history.end}")
        return InputHealth(
            workload=workload, signal=signal, age=nothing, coverage=0.0, longest_gap=len(history) * history.step
        )
    newest = history.start + (int(known[-1]) + 1) * history.step
    gaps = np.diff(np.append(known, len(history))) - 1
    return InputHealth(
        workload=workload,
        signal=signal,
        age=at - newest,
        coverage=history.coverage,
        longest_gap=int(gaps.max()) * history.step,
    )
