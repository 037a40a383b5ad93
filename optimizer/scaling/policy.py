"""The scaling policy `trimtab`: one causal function, run by the cycle and by replay alike."""

from __future__ import annotations

import numpy as np

from domain.load import LoadHistory
from domain.plan import Reason
from optimizer.physics import Counts, Floats, StartUp
from optimizer.scaling.problem import Decisions, Explanation, Opinion, ScalingProblem


def rolling_max(values: Floats, window: int) -> Floats:
    """Maximum of the last `window` values at each step; unknown values do not count."""
    padded = np.concatenate([np.full(window - 1, -np.inf), np.where(np.isnan(values), -np.inf, values)])
    peaks: Floats = np.lib.stride_tricks.sliding_window_view(padded, window).max(axis=1)
    return np.where(np.isfinite(peaks), peaks, 0.0)


def _coarse(load: Floats, ratio: int) -> Floats:
    """Means over whole blocks of `ratio` steps; a block with nothing known is unknown."""
    blocks = load[: len(load) // ratio * ratio].reshape(-1, ratio)
    known = np.isfinite(blocks).sum(axis=1)
    means: Floats = np.divide(np.nansum(blocks, axis=1), known, out=np.full(len(blocks), np.nan), where=known > 0)
    return means


def _carried(load: Floats) -> Floats:
    """Gaps filled with the last known load; what comes before any is unknown still."""
    latest = np.maximum.accumulate(np.where(np.isfinite(load), np.arange(len(load)), -1))
    return np.where(latest >= 0, load[np.maximum(latest, 0)], np.nan) if len(load) else load


def decide(history: LoadHistory, problem: ScalingProblem, /) -> Decisions:
    """One whole number for every step of `history` (requests/s); gaps hold on to what was known."""
    ratio = max(1, round(problem.decision_interval / history.step))
    load = _carried(_coarse(history.values / problem.capacity_rps, ratio))
    step_s = history.step_s * ratio
    lead = StartUp.of(problem.startup, history.step * ratio).lead
    hour = max(1, round(3600 / step_s))
    recent = rolling_max(load, max(1, hour // 6))
    spread = 1.0 + 0.5 * rolling_max(np.abs(np.nan_to_num(load) - recent), hour) / np.maximum(recent, 1.0)
    target = np.ceil(recent * np.minimum(spread, 2.0) - 1e-9)
    held = np.maximum(rolling_max(target, lead), problem.min_replicas)
    if problem.max_replicas is not None:
        held = np.minimum(held, problem.max_replicas)
    return _answer(_spread_out(held.astype(np.int64), ratio, len(history), problem.min_replicas), lead)


def _spread_out(coarse: Counts, ratio: int, length: int, floor: int) -> Counts:
    """Each decision falls at the end of its block of fine steps and stands until the next."""
    desired = np.full(length, max(1, floor), dtype=np.int64)
    index = (np.arange(length) + 1) // ratio - 1
    desired[index >= 0] = coarse[index[index >= 0]]
    return desired


def _answer(desired: Counts, lead: int) -> Decisions:
    last = int(desired[-1]) if len(desired) else 0
    kept = Reason(code="hold", detail=f"kept for {lead} steps, the time a replica takes to be ready")
    opinion = Opinion(
        predictor="recent peak", detail="highest load of the last ten minutes", weight=1.0, replicas=float(last)
    )
    return Decisions(desired=desired, explanation=Explanation(opinions=(opinion,), reasons=(kept,), replicas=last))
