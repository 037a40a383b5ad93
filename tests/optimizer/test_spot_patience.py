"""What is learned from stretches of availability: counted as one would by hand, and the wait of the highest worth."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.spot.patience import HOUR, SpotPrior, Stretches, stretches, wait_for, watch

STEP = timedelta(minutes=5)
NOTHING = SpotPrior(runs=0.0)
lengths = st.lists(st.tuples(st.integers(1, 300), st.integers(1, 20)), min_size=1, max_size=12)


def seen_after(pairs: list[tuple[int, int]], prior: SpotPrior = NOTHING) -> Stretches:
    """One unit, (steps there, steps gone) one after the other."""
    learned = stretches(prior, STEP, 1)
    age, passed = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    for there, gone in pairs:
        for available in [1] * there + [0] * gone:
            watch(learned, age, passed, available, 1)
    return learned


def beyond(counts: np.ndarray[tuple[int], np.dtype[np.float64]], q: int) -> float:
    """What was counted with more than the first q waits reached."""
    return float(counts[q + 1 :].sum())


@settings(deadline=None)
@given(lengths)
def test_stretches_are_counted_as_by_hand(pairs: list[tuple[int, int]]) -> None:
    learned = seen_after(pairs)
    for q, serving in enumerate(learned.serving):
        long = [there for there, _ in pairs if there >= serving]
        assert learned.reached[q] == len(long)
        assert beyond(learned.closed, q) == len(long)
        assert beyond(learned.within, q) == sum(there - serving + 1 for there in long)


def test_a_stretch_that_goes_on_counts_for_no_loss() -> None:
    learned = seen_after([(100, 0)])
    assert learned.reached[0] == 1
    assert learned.closed.sum() == 0
    assert learned.within.sum() == 100


def test_the_prior_is_log_uniform() -> None:
    """Half of the stretches outlast the geometric middle of the shortest and the longest."""
    prior = SpotPrior(runs=8.0, shortest=timedelta(minutes=5), longest=timedelta(minutes=5) * 10_000)
    learned = stretches(prior, STEP, 1)
    middle = int(np.abs(learned.serving - 100).argmin())
    expected = 8.0 * (1 - math.log(learned.serving[middle]) / math.log(10_000))
    assert learned.reached[middle] == pytest.approx(expected)
    age = np.arange(1, 10_001)
    surviving = 8.0 * (1 - np.log(age) / math.log(10_000))
    lasted = surviving[age >= learned.serving[middle]].sum()
    assert beyond(learned.within, middle) == pytest.approx(lasted, rel=0.02)


def worth(learned: Stretches, q: int, price: float, affordable: float) -> float:
    ended = beyond(learned.closed, q)
    usable = 1.0 if ended == 0 else min(1.0, affordable / ended)
    return float((beyond(learned.within, q) * (1 - price) - learned.reached[q] * price) * usable)


@settings(deadline=None)
@given(lengths, st.floats(0.05, 1.5), st.floats(0.0, 20.0))
def test_the_wait_is_that_of_the_highest_worth(pairs: list[tuple[int, int]], price: float, affordable: float) -> None:
    learned = seen_after(pairs)
    every = [worth(learned, q, price, affordable) for q in range(len(learned.waits))]
    wait = wait_for(learned, price, 1, affordable)
    if max(every) <= 0:
        assert math.isinf(wait)
    else:
        assert every[int(np.flatnonzero(learned.waits == wait)[0])] == pytest.approx(max(every))


def test_a_small_budget_waits_longer() -> None:
    """Many short stretches and a few long ones: with few losses to spend only the long ones are worth them."""
    learned = seen_after([(24, 4)] * 40 + [(300, 4)] * 4)
    rich, poor = (wait_for(learned, 0.3, 1, affordable) * STEP for affordable in (1000.0, 4.0))
    assert rich < HOUR < 1.9 * HOUR < poor
