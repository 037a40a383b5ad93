"""Kriging in time: the best linear guess under a stated idea of how load varies.

Each kernel is one such idea, a covariance made of a daily shape, a weekly shape, a level that
wanders, and noise. The weights it puts on the past follow from it alone (not from the data), so
they are solved for once a process and a forecast is one matrix product. Source: Rasmussen &
Williams, Gaussian Processes for Machine Learning (2006), chapter 2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from domain.load import Floats
from optimizer.grid import WEEK_DAYS
from optimizer.past import Past, days_known, filled
from optimizer.unthreaded import on_one_thread

WINDOWS = (*range(1, 15), 21, 28)  # days of history: few, so that weights are shared between workloads


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """Variances of the parts of load, relative to each other; spans in days, widths in hours.

    `smooth` is the share of the daily and weekly shape that is smooth over `width`; the rest is
    tied to the single hour, as clock-driven load is.
    """

    daily: float
    weekly: float
    shape_span: float
    level: float
    level_span: float
    short: float
    noise: float
    smooth: float
    width: float = 2.0


STEADY = Kernel(daily=1, weekly=0.5, shape_span=200, level=0.5, level_span=7, short=0.05, noise=0.1, smooth=0.9)
NOISY = Kernel(daily=1, weekly=0.5, shape_span=200, level=0.05, level_span=2, short=0.2, noise=1.0, smooth=0.9)
WEEKLY = Kernel(daily=0.5, weekly=1.5, shape_span=300, level=0.3, level_span=7, short=0.02, noise=0.02, smooth=0.5)
WALK = Kernel(daily=1, weekly=0, shape_span=200, level=1, level_span=100, short=0.005, noise=0.005, smooth=0.7)


def rooted(kernel: Kernel) -> Callable[[Past], Floats]:
    """A candidate on root load, where the noise of counts is even."""
    return _candidate(kernel, _to_root, _from_root, rest_days=False)


def logged(kernel: Kernel) -> Callable[[Past], Floats]:
    """A candidate on log load (above a tenth of the mean), with rest days told from working days."""
    return _candidate(kernel, _to_log, _from_log, rest_days=True)


def _candidate(
    kernel: Kernel,
    forth: Callable[[Floats, Floats], Floats],
    back: Callable[[Floats, Floats], Floats],
    *,
    rest_days: bool,
) -> Callable[[Past], Floats]:
    def krige(past: Past) -> Floats:
        """(origins, days, steps a day); gaps are filled from the same time of other days."""
        newest = past.newest(WINDOWS[-1])
        reach = np.array([max(size for size in WINDOWS if size <= max(1, days)) for days in days_known(newest)])
        path = np.empty((past.origins, past.days_ahead, past.per_day))
        for days in np.unique(reach):
            rows = reach == days
            part = Past(newest.values[rows, :days], newest.rest[rows, :days], newest.rest_ahead[rows])
            path[rows] = _path(part, kernel, forth, back, rest_days=rest_days)
        return path

    return krige


def _path(
    past: Past,
    kernel: Kernel,
    forth: Callable[[Floats, Floats], Floats],
    back: Callable[[Floats, Floats], Floats],
    *,
    rest_days: bool,
) -> Floats:
    load = filled(past)
    mean = load.mean(axis=(1, 2), keepdims=True)
    scaled = forth(load, mean)
    effect = _rest_effect(scaled, past.rest) if rest_days else np.zeros((past.origins, past.per_day))
    plain = scaled - effect[:, None, :] * past.rest
    series = plain[:, ::-1].reshape(past.origins, -1)
    middle = np.median(series, axis=1, keepdims=True)
    weights = _weights(kernel, past.values.shape[1], past.days_ahead, past.per_day)
    path = ((series - middle) @ weights + middle).reshape(past.rest_ahead.shape)
    return back(path + effect[:, None, :] * past.rest_ahead, mean)


def _rest_effect(scaled: Floats, rest: NDArray[np.bool_]) -> Floats:
    """How rest days differ at each time of day, shrunk towards nothing while few of a kind were seen.

    A fading count of one day halves the difference; two fifths of it are shared by the whole day.
    """
    fade = 0.9 ** np.arange(scaled.shape[1])[None, :, None]
    at_rest, at_work = fade * rest, fade * ~rest
    few_rest, few_work = at_rest.sum(axis=1), at_work.sum(axis=1)
    means = [
        np.divide((scaled * w).sum(axis=1), n, out=np.zeros_like(n), where=n > 0)
        for w, n in ((at_rest, few_rest), (at_work, few_work))
    ]
    shrunk = few_rest / (few_rest + 1) * few_work / (few_work + 1)
    effect = (means[0] - means[1]) * shrunk
    return np.asarray(0.6 * effect + 0.4 * effect.mean(axis=1, keepdims=True))


@lru_cache(maxsize=256)
def _weights(kernel: Kernel, days: int, days_ahead: int, per_day: int) -> Floats:
    """Weights of each past step (rows) on each step ahead (columns)."""
    from scipy.linalg import cho_factor, cho_solve  # noqa: PLC0415  a second that only a fit should pay

    past, ahead = days * per_day, days_ahead * per_day
    covariance = _covariance(kernel, np.arange(past + ahead), per_day)
    lags = np.arange(past + ahead)
    between = np.abs(lags[:past, None] - lags[None, :past])
    towards = lags[None, past:] - lags[:past, None]
    with on_one_thread():
        return np.asarray(cho_solve(cho_factor(covariance[between], lower=True), covariance[towards]))


def _covariance(kernel: Kernel, lags: NDArray[np.int64], per_day: int) -> Floats:
    """Covariance of two steps that are so many steps apart."""
    days = lags / per_day
    hours_apart = 24 * np.minimum(days % 1, 1 - days % 1)
    week_apart = 24 * np.minimum(days % WEEK_DAYS, WEEK_DAYS - days % WEEK_DAYS)
    fading = np.exp(-days / kernel.shape_span)
    weekly = 0.5 * _bell(week_apart, kernel) + 0.5 * np.exp(-0.5 * (week_apart / 8) ** 2)
    return np.asarray(
        1.0
        + kernel.daily * _bell(hours_apart, kernel) * fading
        + kernel.weekly * weekly * fading
        + kernel.level * np.exp(-days / kernel.level_span)
        + kernel.short * np.exp(-24 * days / 4)
        + kernel.noise * (lags == 0)
    )


def _bell(hours: Floats, kernel: Kernel) -> Floats:
    return np.asarray(kernel.smooth * np.exp(-0.5 * (hours / kernel.width) ** 2) + (1 - kernel.smooth) * (hours < 1e-6))


def _to_root(load: Floats, mean: Floats) -> Floats:
    del mean
    return np.asarray(np.sqrt(np.maximum(load, 0.0)))


def _from_root(scaled: Floats, mean: Floats) -> Floats:
    del mean
    return np.asarray(np.maximum(scaled, 0.0) ** 2)


def _to_log(load: Floats, mean: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(load, 0.0) + 0.1 * mean + 1e-12))


def _from_log(scaled: Floats, mean: Floats) -> Floats:
    return np.asarray(np.maximum(np.exp(np.minimum(scaled, 50.0)) - 0.1 * mean, 0.0))
