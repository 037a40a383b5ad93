"""The days before each of several origins: all that a candidate is given, so it cannot look ahead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.load import Floats
from optimizer.grid import Grid
from optimizer.restdays import is_rest

FILL_FADE = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """Days before each origin, newest first, and the days ahead of it.

    `values[o, k, h]` is the mean over the step that begins `(k + 1)` days before origin `o` plus
    `h` steps; NaN where nothing is known. `rest` says of the same steps whether they lie on a rest
    day, `rest_ahead[o, d, h]` of the steps ahead.
    """

    values: Floats
    rest: NDArray[np.bool_]
    rest_ahead: NDArray[np.bool_]

    @property
    def origins(self) -> int:
        """Number of origins."""
        return int(self.values.shape[0])

    @property
    def per_day(self) -> int:
        """Steps in a day."""
        return int(self.values.shape[2])

    @property
    def days_ahead(self) -> int:
        """Days that are to be forecast."""
        return int(self.rest_ahead.shape[1])

    def newest(self, days: int) -> Past:
        """The same with at most the newest `days` days."""
        return Past(self.values[:, :days], self.rest[:, :days], self.rest_ahead)

    def one(self, origin: int, days: int) -> Past:
        """One origin with its newest `days` days."""
        pick = slice(origin, origin + 1)
        return Past(self.values[pick, :days], self.rest[pick, :days], self.rest_ahead[pick])


def before(grid: Grid, origins: list[int], *, days_back: int, days_ahead: int, country: str | None) -> Past:
    """The past of each origin (an index into the grid's values: only values before it are used)."""
    per_day, size = grid.per_day, len(grid.values)
    hours = np.arange(per_day)
    back = np.asarray(origins)[:, None, None] - per_day * (1 + np.arange(days_back))[None, :, None] + hours
    ahead = np.asarray(origins)[:, None, None] + per_day * np.arange(days_ahead)[None, :, None] + hours
    padded = np.concatenate([np.full(days_back * per_day, np.nan), grid.values])
    return Past(
        values=np.asarray(padded[back + days_back * per_day]),
        rest=is_rest(grid.end, grid.step, back - size, country),
        rest_ahead=is_rest(grid.end, grid.step, ahead - size, country),
    )


def days_known(past: Past) -> NDArray[np.int64]:
    """For each origin how many days back the oldest day lies of which at least half is known (at least 1)."""
    half = np.isfinite(past.values).mean(axis=2) >= 0.5
    reach = past.values.shape[1] - np.argmax(half[:, ::-1], axis=1)
    return np.asarray(np.where(half.any(axis=1), reach, 1), dtype=np.int64)


def filled(past: Past) -> Floats:
    """`past.values` with each gap replaced by the fading mean of its time of day on the other days.

    For methods that cannot leave gaps out. Where a time of day was never seen, the mean of all that
    is known stands in. Only days before the origin are used. Zero where nothing at all is known.
    """
    known = np.isfinite(past.values)
    if known.all():
        return past.values
    days = np.arange(past.values.shape[1])
    fade = FILL_FADE ** np.abs(days[:, None] - days[None, :])
    plain = np.where(known, past.values, 0.0)
    weight = np.einsum("ij,ojh->oih", fade, known.astype(np.float64))
    total = np.einsum("ij,ojh->oih", fade, plain)
    counts = known.sum(axis=(1, 2))
    overall = plain.sum(axis=(1, 2)) / np.maximum(counts, 1)
    usual = np.where(weight > 0, total / np.where(weight > 0, weight, 1.0), overall[:, None, None])
    return np.asarray(np.where(known, past.values, usual))
