"""Seasonal regression with autocorrelated errors (statsmodels GLSAR)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from domain.load import Floats
from optimizer.grid import WEEK_DAYS
from optimizer.past import Past, days_known, filled

DAYS = 28
DAILY, WEEKLY = 6, 6  # pairs of harmonics of a day and of a week
WEEKLY_FROM = 9  # days of history below which a weekly wave would only be fitted to noise


def fourier(past: Past) -> Floats:
    """Harmonics of the day and the week on root load, errors AR(1), by feasible generalised least squares.

    The last error fades along the path. (origins, days, steps a day); gaps are filled from the same
    time of other days.
    """
    newest = past.newest(DAYS)
    reach = np.minimum(days_known(newest), newest.values.shape[1])
    rows = [_one(newest.one(origin, int(days))) for origin, days in enumerate(reach)]
    return np.concatenate(rows, axis=0)


def _one(past: Past) -> Floats:
    from statsmodels.regression.linear_model import GLSAR  # noqa: PLC0415  2 s that only a fit should pay

    series = np.sqrt(np.maximum(filled(past)[0, ::-1].ravel(), 0.0))
    size, ahead = len(series), past.days_ahead * past.per_day
    if np.ptp(series) < 1e-12 or size < 2 * past.per_day:
        return np.full((1, past.days_ahead, past.per_day), series.mean() ** 2)
    waves = _waves(size + ahead, past.per_day, weekly=size >= WEEKLY_FROM * past.per_day)
    model = GLSAR(series, waves[:size], rho=_autocorrelation(series, waves[:size]))
    coefficients = _least_squares(model.wexog, model.wendog)
    last_error = series[-1] - waves[size - 1] @ coefficients
    fading = last_error * float(model.rho[0]) ** np.arange(1, ahead + 1)
    path = np.maximum(waves[size:] @ coefficients + fading, 0.0) ** 2
    return np.asarray(path.reshape(1, past.days_ahead, past.per_day))


@lru_cache(maxsize=64)
def _waves(size: int, per_day: int, *, weekly: bool) -> Floats:
    """A constant and the harmonics, one row a step; no harmonic above the Nyquist frequency of the step."""
    time = 2 * np.pi * np.arange(size) / per_day
    turns = [float(k) for k in range(1, min(DAILY, (per_day - 1) // 2) + 1)]
    turns += [k / WEEK_DAYS for k in range(1, WEEKLY + 1) if k / WEEK_DAYS < per_day / 2] if weekly else []
    columns = [np.ones(size)]
    for turn in turns:
        columns += [np.sin(turn * time), np.cos(turn * time)]
    return np.column_stack(columns)


def _autocorrelation(series: Floats, waves: Floats) -> float:
    """Lag-one autocorrelation of the least-squares residual (the Prais-Winsten step), kept below 0.99."""
    errors = series - waves @ _least_squares(waves, series)
    power = float(errors @ errors)
    return float(np.clip(errors[1:] @ errors[:-1] / power, 0.0, 0.99)) if power > 1e-12 else 0.0


def _least_squares(waves: Floats, series: Floats) -> Floats:
    """By the normal equations, which harmonics keep well conditioned.

    Not by `GLSAR.fit`, whose singular values wake all threads of the linear algebra for 25 columns: on a busy
    machine that takes a hundred times as long.
    """
    return np.asarray(np.linalg.solve(waves.T @ waves, waves.T @ series))
