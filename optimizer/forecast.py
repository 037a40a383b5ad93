"""Forecasts the load: candidates, weighed by their own back-test, with calibrated quantiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from domain.load import BacktestScore, Floats, Forecast, LoadHistory
from domain.unknown import Unknown
from optimizer.calibration import quantiles, spread
from optimizer.forecasters import CANDIDATES, NAIVE
from optimizer.grid import DAY, WEEK_DAYS, Grid, days_before, to_grid, working_step
from optimizer.hygiene import Mask, clean

LEVELS = (0.5, 0.9, 0.95, 0.99)
QUANTILE = 0.95
DAYS_BACK = 56
FOLDS = 14
COMBINED = "combined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecasting:
    """A forecast and why to believe it: each candidate's back-test, what is lacking, what was masked."""

    forecast: Forecast
    scoreboard: tuple[BacktestScore, ...]
    notes: tuple[str, ...]
    masked: tuple[Mask, ...]


def forecast(
    history: LoadHistory,
    *,
    steps: int,
    levels: tuple[float, ...] = LEVELS,
    quantile: float = QUANTILE,
    model: str | None = None,
) -> Forecasting | Unknown:
    """Quantiles of each of the next `steps` steps of `history.step`.

    `history` is requests/s; its gaps (NaN) are left out of everything. Candidates are weighed by
    their absolute error on daily origins of this history, the spread of the combination is read
    from its own errors there. With `model` that one candidate is used. Unknown where no value is
    known or the step does not fit a day; ValueError for an unknown `model` or bad `levels`.
    """
    _check(steps, levels, quantile, model)
    step = working_step(history.step)
    if isinstance(step, Unknown):
        return step
    cleaned = clean(history)
    grid = to_grid(cleaned.history, step)
    if not np.isfinite(grid.values).any():
        return Unknown(f"none of the {len(history)} steps of load is known")
    days = max(1, -(-(steps * history.step) // DAY))
    origins = _origins(grid)
    paths = _paths(grid, origins, days)
    actual = _actual(grid, origins)
    weights = _weights(paths, actual, model)
    path = sum((weight * paths[name] for name, weight in weights.items()), start=np.zeros_like(paths["level"]))
    floor = 0.25 * float(np.nanmean(np.abs(grid.values))) + 1e-9
    fine = _fine(path, step // history.step)
    errors = (_fine_actual(cleaned.history, origins, grid) - fine[1:, : DAY // history.step]) / spread(
        fine[1:, : DAY // history.step], floor
    )
    if not np.isfinite(errors).any():
        known = history.values[np.isfinite(cleaned.history.values)]
        errors = (known - known.mean()) / spread(np.full(len(known), known.mean()), floor)
    ahead = fine[0, :steps]
    rows = quantiles(ahead, errors, levels, floor)
    if not (history.values < 0).any():
        rows, ahead = np.maximum(rows, 0.0), np.maximum(ahead, 0.0)
    board = _scoreboard(paths | {COMBINED: path}, actual, quantile, floor)
    name = model or COMBINED
    return Forecasting(
        forecast=Forecast(
            origin=history.end,
            step=history.step,
            levels=levels,
            quantiles=rows,
            mean=ahead,
            model=name,
            score=next((score for score in board if score.model == name), None),
        ),
        scoreboard=board,
        notes=_notes(grid),
        masked=cleaned.masked,
    )


def _check(steps: int, levels: tuple[float, ...], quantile: float, model: str | None) -> None:
    if steps < 1:
        raise ValueError(f"steps must be at least 1, not {steps}")
    if not levels or list(levels) != sorted(set(levels)) or not all(0 < level < 1 for level in levels):
        raise ValueError(f"levels must rise strictly between 0 and 1, unlike {levels}")
    if not 0 < quantile < 1:
        raise ValueError(f"quantile must lie strictly between 0 and 1, not {quantile}")
    if model is not None and model not in CANDIDATES:
        raise ValueError(f"there is no forecaster {model!r}; there are {', '.join(CANDIDATES)}")


def _origins(grid: Grid) -> list[int]:
    """Now, then the same time on each day before that has a day of history of its own; newest first."""
    now = len(grid.values)
    folds = [now - day * grid.per_day for day in range(1, FOLDS + 1)]
    return [now, *(origin for origin in folds if origin >= grid.per_day)]


def _paths(grid: Grid, origins: list[int], days: int) -> dict[str, Floats]:
    """Each candidate's path from each origin; what a candidate cannot say is filled by a simpler one."""
    past = days_before(grid.values, origins, grid.per_day, DAYS_BACK)
    paths = {name: candidate(past, days).reshape(len(origins), -1) for name, candidate in CANDIDATES.items()}
    overall = float(np.nanmean(grid.values))
    simpler = np.where(np.isfinite(paths["yesterday"]), paths["yesterday"], paths["level"])
    simpler = np.where(np.isfinite(simpler), simpler, overall)
    return {name: np.where(np.isfinite(path), path, simpler) for name, path in paths.items()}


def _actual(grid: Grid, origins: list[int]) -> Floats:
    """What came in the day after each past origin: shape (folds, steps a day)."""
    days = [grid.values[origin : origin + grid.per_day] for origin in origins[1:]]
    return np.array(days).reshape(len(origins) - 1, grid.per_day)


def _weights(paths: Mapping[str, Floats], actual: Floats, model: str | None) -> dict[str, float]:
    if model is not None:
        return {model: 1.0}
    if not np.isfinite(actual).any():
        return {"yesterday": 1.0}
    losses = {name: _mae(path, actual) for name, path in paths.items()}
    best = max(min(losses.values()), 1e-12)
    raw = {name: float(np.exp(-5 * (loss / best - 1))) for name, loss in losses.items()}
    total = sum(raw.values())
    return {name: value / total for name, value in raw.items()}


def _mae(path: Floats, actual: Floats) -> float:
    return float(np.nanmean(np.abs(actual - path[1:, : actual.shape[1]])))


def _fine(path: Floats, ratio: int) -> Floats:
    return np.repeat(path, ratio, axis=1)


def _fine_actual(history: LoadHistory, origins: list[int], grid: Grid) -> Floats:
    ratio = grid.step // history.step
    ends = [len(history) - (origins[0] - origin) * ratio for origin in origins[1:]]
    per_day = grid.per_day * ratio
    return np.array([history.values[end : end + per_day] for end in ends]).reshape(len(ends), per_day)


def _scoreboard(
    paths: Mapping[str, Floats], actual: Floats, quantile: float, floor: float
) -> tuple[BacktestScore, ...]:
    """Each candidate on the same folds, best first; empty while there are none."""
    if not np.isfinite(actual).any():
        return ()
    scored = {name: _losses(path[1:, : actual.shape[1]], actual, quantile, floor) for name, path in paths.items()}
    naive = min((scored[name] for name in NAIVE), key=lambda loss: loss[1])
    board = [
        BacktestScore(
            model=name,
            quantile=quantile,
            pinball=pinball,
            mae=mae,
            naive_pinball=naive[0],
            naive_mae=naive[1],
            coverage=coverage,
            folds=len(actual),
        )
        for name, (pinball, mae, coverage) in scored.items()
    ]
    return tuple(sorted(board, key=lambda score: score.pinball))


def _losses(path: Floats, actual: Floats, quantile: float, floor: float) -> tuple[float, float, float]:
    """Pinball loss and coverage at `quantile`, each fold calibrated on the others, and mean absolute error."""
    errors = (actual - path) / spread(path, floor)
    bounds = np.full_like(path, np.nan)
    for fold in range(len(path)):
        others = np.delete(errors, fold, axis=0) if len(path) > 1 else errors
        if np.isfinite(others).any():
            bounds[fold] = quantiles(path[fold], others, (quantile,), floor)[0]
    off = actual - np.where(np.isfinite(bounds), bounds, path)
    pinball = float(np.nanmean(np.maximum(quantile * off, (quantile - 1) * off)))
    known = np.isfinite(off)
    return pinball, float(np.nanmean(np.abs(actual - path))), float((off[known] <= 0).mean())


def _notes(grid: Grid) -> tuple[str, ...]:
    """What a longer history would add."""
    days = grid.known_days
    if days < 2:
        return (f"{days:.1f} days of load are known: no daily shape yet; needed: 2 days",)
    if days < WEEK_DAYS + 1:
        return (f"{days:.1f} days of load are known: weekdays are not told apart yet; needed: 8 days",)
    if days < 2 * WEEK_DAYS:
        return (f"{days:.1f} days of load are known: the weekly shape was seen once; it firms up from 14 days on",)
    return ()
