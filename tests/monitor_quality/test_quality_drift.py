"""The population stability index: by hand, in theory, and on real images."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from monitor.quality.drift import Floats, class_drift, number_drift, population_stability_index

COUNTS = st.lists(st.integers(0, 1000), min_size=4, max_size=4).map(np.array)


def some(counts: Floats) -> bool:
    return bool(counts.sum() > 0)


def test_it_is_the_sum_worked_out_by_hand() -> None:
    """Half a count more each: 10.5 and 30.5 of 41 against 20.5 and 20.5 of 41."""
    p, q = np.array([10.5, 30.5]) / 41, np.array([20.5, 20.5]) / 41
    by_hand = (p[0] - q[0]) * math.log(p[0] / q[0]) + (p[1] - q[1]) * math.log(p[1] / q[1])
    assert population_stability_index(np.array([20.0, 20.0]), np.array([10.0, 30.0])) == pytest.approx(by_hand)


@settings(max_examples=50, deadline=None)
@given(COUNTS.filter(some), COUNTS.filter(some))
def test_it_is_symmetric_never_negative_and_zero_for_the_same(one: Floats, other: Floats) -> None:
    index = population_stability_index(one, other)
    assert math.isfinite(index)
    assert index >= 0
    assert index == pytest.approx(population_stability_index(other, one))
    assert population_stability_index(one, one) == 0


def test_a_class_that_was_never_seen_before_counts() -> None:
    assert class_drift(["a"] * 100, ["a"] * 100) == 0
    assert class_drift(["a"] * 100, ["a"] * 50 + ["b"] * 50) > 0.25


@pytest.mark.parametrize("size", [200, 1000])
def test_two_samples_of_the_same_give_what_theory_says(size: int) -> None:
    """(B - 1)(1/n + 1/m) on average, B = 10, over 300 pairs of samples (Yurdakul 2018)."""
    seeded = np.random.default_rng(7)
    found = [number_drift(seeded.normal(size=size), seeded.normal(size=size)) for _ in range(300)]
    assert np.mean(found) == pytest.approx(9 * 2 / size, rel=0.25)


def test_numbers_that_were_always_the_same_are_told_from_what_lies_beside() -> None:
    still = np.zeros(100)
    assert number_drift(still, still) == 0
    for elsewhere in (-1.0, 1e-9, 5.0):
        assert number_drift(still, np.full(100, elsewhere)) > 1


def test_real_images_are_quiet_and_darker_ones_are_not() -> None:
    """500 digits against 500 others: each pixel stays below the custom 0.25; with twice the ink some go far above."""
    pixels = np.asarray(load_digits().data, dtype=np.float64)
    order = np.random.default_rng(3).permutation(len(pixels))
    before, now = pixels[order[:500]], pixels[order[500:1000]]
    assert max(number_drift(before[:, i], now[:, i]) for i in range(64)) < 0.25
    darker = np.minimum(2 * now, 16)
    assert max(number_drift(before[:, i], darker[:, i]) for i in range(64)) > 1


def test_nothing_has_no_index() -> None:
    with pytest.raises(ValueError, match="a sample of nothing"):
        class_drift([], ["a"])
    with pytest.raises(ValueError, match="a sample of nothing"):
        number_drift(np.array([]), np.array([1.0]))
    with pytest.raises(ValueError, match="of the same bins"):
        population_stability_index(np.array([1.0]), np.array([1.0, 2.0]))
