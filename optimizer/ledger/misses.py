"""What share of the requests of a stretch was missed: as measured, or as load and replicas let it be reckoned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.load import Floats, LoadHistory
from domain.observation import Observation
from domain.unknown import Unknown
from optimizer.cost import missed_today
from optimizer.pairing import on_grid_of
from optimizer.proposal import recorded

ENOUGH = 0.95  # share of the requests of which errors or latency have to be known


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """The share, and whether it was measured (or reckoned from load over capacity)."""

    share: float
    measured: bool


def missed_of(seen: Observation, load: LoadHistory, capacity_rps: float | Unknown) -> Missed | Unknown:
    """What was missed of `load` at least.

    Of the requests of a step at least the share that failed was missed, and where the latency at the SLO's quantile
    was over the SLO, at least 1 - quantile came late. Where neither is measured, what came over the
    capacity of the ready replicas counts.
    """
    measured = _measured(seen, load)
    if not isinstance(measured, Unknown):
        return Missed(share=measured, measured=True)
    if isinstance(capacity_rps, Unknown):
        return Unknown(f"{measured.reason}, and {capacity_rps.reason}")
    reckoned = missed_today(load.values, recorded(seen, load), capacity_rps)
    if isinstance(reckoned, Unknown):
        return Unknown(f"{measured.reason}, and {reckoned.reason}")
    return Missed(share=reckoned, measured=False)


def _measured(seen: Observation, load: LoadHistory) -> float | Unknown:
    slo = seen.workload.slo
    failed = _steps(seen.errors, load)
    latency = _steps(seen.latency, load)
    late = np.where(
        np.isfinite(latency), (latency > slo.latency.total_seconds()) * (1.0 - slo.latency_quantile), np.nan
    )
    known = np.isfinite(load.values) & (np.isfinite(failed) | np.isfinite(late))
    came = float(np.nansum(load.values))
    if came <= 0:
        return Unknown("nothing came")
    if float(load.values[known].sum()) < ENOUGH * came:
        return Unknown("of too few requests errors or latency are known")
    missed = np.fmax(failed[known], late[known])
    return float((load.values[known] * missed).sum() / load.values[known].sum())


def _steps(history: LoadHistory | Unknown, load: LoadHistory) -> Floats:
    return np.full(len(load), np.nan) if isinstance(history, Unknown) else on_grid_of(load, history)
