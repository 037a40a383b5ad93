"""Trees learn what a weighted sum cannot say, from the past alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from optimizer.physics import Floats
from optimizer.scaling.features import DAY_S, Clock
from optimizer.scaling.trees import growing, tree_features, tree_tail

CLOCK = Clock(step_s=300.0, lead=2)
DAYS = 16
GROWING = growing(CLOCK, 0.02, 14 * DAY_S)


def clocked() -> Floats:
    """Two requests a step and noise; at a quarter past each hour, and only if the last half hour was quiet, six more."""
    at = np.arange(DAYS * 288)
    load = np.random.default_rng(5).gamma(8.0, 0.25, len(at))
    quiet = np.array([load[max(0, t - 6) : t].max(initial=0.0) < 3.0 for t in at])
    return np.asarray(load + np.where((at % 12 == 3) & quiet, 6.0, 0.0))


def features(load: Floats, start: Floats) -> NDArray[np.float64]:
    return tree_features(load, [start], CLOCK)


def test_trees_see_spikes_that_depend_on_the_clock_and_the_last_minutes_together() -> None:
    load, start = clocked(), np.full(DAYS * 288, 4.0)
    target = tree_tail(load, features(load, start), start, GROWING)
    lead, late = CLOCK.lead, slice(10 * 288, -CLOCK.lead)
    came = np.roll(load, -lead)[late]
    spikes = came > 6.0
    assert np.median(target[late][spikes]) > 6.0
    assert np.median(target[late][~spikes]) < 4.5
    assert np.mean(came > target[late]) < 0.05


def test_where_too_few_loads_lie_beyond_the_tail_the_start_stands() -> None:
    load, start = clocked()[: 4 * 288], np.full(4 * 288, 4.0)
    assert np.array_equal(tree_tail(load, features(load, start), start, GROWING), start)


def test_trees_do_not_change_when_the_future_does() -> None:
    load, start = clocked(), np.full(DAYS * 288, 4.0)
    upto = 12 * 288 + 100
    altered = load.copy()
    altered[upto:] *= 7.0
    one, other = (tree_tail(values, features(values, start), start, GROWING) for values in (load, altered))
    assert np.array_equal(one[:upto], other[:upto])
    assert not np.array_equal(one[upto:], other[upto:])


def test_gaps_teach_the_trees_nothing() -> None:
    load, start = clocked(), np.full(DAYS * 288, 4.0)
    load[9 * 288 : 11 * 288] = np.nan
    assert np.isfinite(tree_tail(load, features(load, start), start, GROWING)).all()
    nothing = np.full(len(load), np.nan)
    assert np.array_equal(tree_tail(nothing, features(nothing, start), start, GROWING), start)
