"""Two signals of one workload side by side on one grid."""

from __future__ import annotations

import numpy as np

from domain.load import Floats, LoadHistory


def on_grid_of(reference: LoadHistory, other: LoadHistory) -> Floats:
    """`other` at the steps of `reference`, NaN where it has none. ValueError if their grids do not meet."""
    if other.step != reference.step or (other.start - reference.start) % reference.step:
        raise ValueError(
            f"signals of one workload must share a grid: {reference.step} from {reference.start}, "
            f"and {other.step} from {other.start}"
        )
    offset = (other.start - reference.start) // reference.step
    values = np.full(len(reference), np.nan)
    first, last = max(0, offset), min(len(reference), offset + len(other))
    if last > first:
        values[first:last] = other.values[first - offset : last - offset]
    return values
