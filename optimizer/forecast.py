"""Forecasts the load: many candidates, weighed by their own back-test, with calibrated quantiles.

The 0.5 quantile is the path with the least absolute error, which the candidates are combined to.
`Forecast.mean` is the expectation under all the quantiles: on sparse and bursty load it is well
above the median, and it is what sums such as a month's requests are made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from domain.load import BacktestScore, Floats, Forecast, LoadHistory
from domain.unknown import Unknown
from optimizer.bands import LEVELS as BAND_LEVELS
from optimizer.bands import at_levels
from optimizer.fine import whole_days, within_hours
from optimizer.folds import Folds, Memory, Question, make_folds, past_bounds, quantile_rows, remember
from optimizer.forecasters import CANDIDATES, NAIVE
from optimizer.grid import WEEK_DAYS, Grid, to_grid, working_step
from optimizer.hygiene import Mask, clean
from optimizer.scoreboard import COMBINED, scoreboard

LEVELS = (0.5, 0.9, 0.95, 0.99)
QUANTILE = 0.95
LEAST = 3  # known values


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Forecasting:
    """A forecast and why to believe it: each candidate's back-test, what is lacking, what was masked.

    `weights` is the share that each candidate has in the path; `memory` makes the next forecast of
    the same workload cheap.
    """

    forecast: Forecast
    scoreboard: tuple[BacktestScore, ...]
    weights: tuple[tuple[str, float], ...]
    notes: tuple[str, ...]
    masked: tuple[Mask, ...]
    memory: Memory


def forecast(
    history: LoadHistory,
    *,
    steps: int,
    levels: tuple[float, ...] = LEVELS,
    quantile: float = QUANTILE,
    model: str | None = None,
    country: str | None = None,
    memory: Memory | None = None,
    named: Sequence[Mask] = (),
) -> Forecasting | Unknown:
    """Quantiles of each of the next `steps` steps of `history.step`, from the end of the history on.

    `history` is requests/s; its gaps (NaN) are left out of everything. Candidates are weighed by
    their absolute error on daily origins of this very history, the quantiles by their pinball loss
    there, among others at `quantile`. With `model` that one candidate is used. `country` (ISO 3166)
    adds public holidays to the weekends; give it only where the clock is true. `memory` of an
    earlier forecast, made whole days before, saves the work on the origins that it knows. `named`
    windows (a load test, a deploy) are masked besides what is found.

    Unknown where fewer than three values are known or the step fits neither an hour nor a day.
    ValueError for an unknown `model` or `country`, or for bad `levels`, `quantile` or `steps`.
    """
    _check(steps, levels, quantile, model)
    step = working_step(history.step)
    if isinstance(step, Unknown):
        return step
    known = int(np.isfinite(history.values).sum())
    cleaned = clean(history, named=named)
    grid = to_grid(cleaned.history, step)
    if known < LEAST or not np.isfinite(grid.values).any():
        return Unknown(f"{known} of {len(history)} steps of load are known; at least {LEAST} are needed")
    below = min(0.0, float(np.nanmin(grid.values)))  # no load is negative, but other signals are forecast too
    question = Question(days=whole_days(steps, history), model=model, country=country)
    folds = make_folds(Grid(end=grid.end, step=step, values=grid.values - below), question, memory)
    rows = quantile_rows(folds, quantile).reshape(len(BAND_LEVELS), -1)
    rows = within_hours(cleaned.history, grid, folds.now.path.ravel() + below, rows + below)
    lowest = 0.0 if below == 0 else -np.inf
    rows = np.maximum(rows[:, :steps], lowest)
    board = _board(folds, quantile)
    name = model or COMBINED
    return Forecasting(
        forecast=Forecast(
            origin=history.end,
            step=history.step,
            levels=levels,
            quantiles=np.maximum.accumulate(np.maximum(at_levels(rows, levels), lowest), axis=0),
            mean=_expectation(rows),
            model=name,
            score=next((score for score in board if score.model == name), None),
        ),
        scoreboard=board,
        weights=tuple(zip(CANDIDATES, folds.weight.mean(axis=1).tolist(), strict=True)),
        notes=_notes(grid),
        masked=cleaned.masked,
        memory=remember(folds, step, question),
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


def _board(folds: Folds, quantile: float) -> tuple[BacktestScore, ...]:
    if not folds.past:
        return ()
    return scoreboard(
        tuple(CANDIDATES),
        paths=np.stack([fold.paths for fold in folds.past], axis=1),
        combined=np.stack([fold.path[0] for fold in folds.past]),
        bound=past_bounds(folds, quantile),
        actual=folds.actual,
        quantile=quantile,
        naive=NAIVE,
    )


def _expectation(rows: Floats) -> Floats:
    """The integral of the quantile function (rows at `bands.LEVELS`) over the levels, flat beyond the outermost."""
    levels = np.concatenate([[0.0], BAND_LEVELS, [1.0]])
    return np.asarray(np.trapezoid(np.concatenate([rows[:1], rows, rows[-1:]]), levels, axis=0))


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
