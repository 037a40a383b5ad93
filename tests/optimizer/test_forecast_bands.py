"""Bands rest on enough errors, follow the level where past errors did, and are trusted by their pinball loss."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.load import Floats
from optimizer.band_ideas import LEAST_FOLDS, LEAST_OWN, past_error_bands
from optimizer.bands import LEVELS, Band, error_quantiles
from optimizer.blending import RIPE, blend, bound, trust

HOURS = 24
UPPER = LEVELS.index(0.95)


def random_errors(series: int, days: int, seed: int = 0) -> Floats:
    return np.asarray(np.random.default_rng(seed).standard_normal((series, days, HOURS)))


@settings(max_examples=30, deadline=None)
@given(
    days=st.integers(1, 28), missing=st.floats(0, 1), near_h=st.sampled_from([None, 0.3, 2.0]), seed=st.integers(0, 99)
)
def test_quantiles_of_errors_are_among_them_rising_and_zero_where_there_are_none(
    days: int, missing: float, near_h: float | None, seed: int
) -> None:
    errors = random_errors(3, days, seed)
    errors[np.random.default_rng(seed).random(errors.shape) < missing] = np.nan
    rows = error_quantiles(errors, Band(near_h=near_h))
    assert (np.diff(rows, axis=1) >= 0).all()
    for row, own in zip(rows, errors, strict=True):
        known = own[np.isfinite(own)]
        assert row.min() >= known.min(initial=0.0 if not len(known) else np.inf) - 1e-12
        assert row.max() <= known.max(initial=0.0 if not len(known) else -np.inf) + 1e-12


def test_pooled_quantiles_are_the_weighted_ones_of_all_errors() -> None:
    errors = random_errors(2, 10)
    rows = error_quantiles(errors, Band(near_h=None, fade=0.8))
    for row, own in zip(rows, errors, strict=True):
        order = np.argsort(own, axis=None)
        weight = np.repeat(0.8 ** np.arange(10), HOURS)[order]
        middles = (np.cumsum(weight) - 0.5 * weight) / weight.sum()
        assert row[:, 0] == pytest.approx(np.interp(LEVELS, middles, own.ravel()[order]))


def test_errors_of_hours_nearby_count_more() -> None:
    errors = random_errors(1, 28)
    errors[:, :, 12:] *= 10
    upper = error_quantiles(errors, Band(near_h=2.0))[0, UPPER]
    assert upper[16:20].min() > 5 * upper[4:8].max()


def bands_of_past_errors(folds: int, candidate_silent: int = 0) -> tuple[Floats, Floats]:
    """Bands of paths at 100 after `folds` days that came in ten above the path, and the stand-in of -1."""
    paths = np.full((2, 1, HOURS), 100.0)
    given_then = np.full((folds, 2, HOURS), 100.0)
    given_then[folds - candidate_silent :, 1] = np.nan
    stand_in = np.full((len(LEVELS), 1, HOURS), -1.0)
    return past_error_bands(paths, given_then, np.full((folds, HOURS), 110.0), 1e-9, stand_in), stand_in


@pytest.mark.parametrize("folds", [0, LEAST_FOLDS - 1, LEAST_FOLDS, LEAST_OWN])
def test_past_errors_speak_only_after_enough_folds(folds: int) -> None:
    made, stand_in = bands_of_past_errors(folds)
    assert (made[0] != stand_in).all() == (folds >= LEAST_FOLDS)
    assert (made[-1] != stand_in).all() == (folds >= LEAST_OWN)


def test_a_candidate_that_was_silent_on_past_folds_has_no_band_of_its_own_yet() -> None:
    made, stand_in = bands_of_past_errors(LEAST_OWN, candidate_silent=1)
    assert np.array_equal(made[-1], stand_in)


def test_what_was_always_missed_is_added_to_the_path() -> None:
    made, _ = bands_of_past_errors(LEAST_OWN)
    assert made[-1, :, 0] == pytest.approx(110.0)


def test_the_bands_of_past_errors_follow_the_level_of_the_path() -> None:
    given_then = np.full((28, 2, HOURS), 100.0)
    came = 100 + 10 * random_errors(1, 28)[0]
    margins = []
    for level in (100.0, 400.0):
        paths = np.full((2, 1, HOURS), level)
        made = past_error_bands(paths, given_then, came, 1e-9, np.zeros((len(LEVELS), 1, HOURS)))
        margins.append((made[-1] - level)[UPPER].mean())
    assert margins[1] == pytest.approx(2 * margins[0], rel=0.05)  # the root of four


def test_bands_are_trusted_by_their_loss() -> None:
    loss = np.array([[1.0, 1.0, np.nan], [2.0, 2.0, np.nan]])
    assert trust(loss, left_out=2)[0] > 0.9
    assert np.allclose(trust(np.empty((4, 0)), left_out=4), 0.25)


def test_bands_of_past_errors_ripen_with_the_folds() -> None:
    for folds in (1, 7, 28):
        weight = trust(np.ones((2, folds)), left_out=1)
        assert weight[1] / weight[0] == pytest.approx(folds / (folds + RIPE))


def test_one_level_alone_is_what_all_levels_together_give_for_it() -> None:
    band = np.sort(100 + random_errors(9, len(LEVELS)), axis=1)[:, :, None]
    weight, path = np.full(9, 1 / 9), np.full((1, HOURS), 100.0)
    alone = bound(band[:, UPPER, 0], weight, path[0], LEVELS[UPPER])
    assert np.allclose(alone, blend(band, weight, path)[UPPER, 0])
