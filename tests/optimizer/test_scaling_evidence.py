"""Few events say little: what a price would miss rests on the law of prices until enough is seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.physics import Floats
from optimizer.scaling.evidence import CAUTION, careful_shares

STEP = float(np.log(2.0))
SEEN = 1e6


def shares_of(misses: list[float], events: list[float]) -> Floats:
    """Shares told for sums of misses that came in so many events."""
    missed, number = np.array(misses), np.array(events)
    squares = np.divide(missed**2, number, out=np.zeros(len(missed)), where=number > 0.0)
    shares = np.zeros(len(missed))
    careful_shares(missed, squares, SEEN, STEP, shares)
    return shares


def test_with_thousands_of_events_the_shares_are_those_seen() -> None:
    shares = shares_of([4000.0, 1000.0, 800.0], [1e6, 1e6, 1e6])
    assert shares == pytest.approx([4e-3, 1e-3, 8e-4], rel=0.01)


def test_where_nothing_was_missed_misses_still_fall_only_with_the_price() -> None:
    shares = shares_of([1000.0, 0.0, 0.0, 0.0], [1e6, 0.0, 0.0, 0.0])
    assert shares[1] >= 5e-4
    assert shares[3] >= 1.25e-4


def test_one_lucky_gap_between_two_events_is_not_believed() -> None:
    """At the dearer price a tenth is seen to be missed, in two events against three: told is nearer to a half."""
    shares = shares_of([1000.0, 100.0], [3.0, 2.0])
    assert shares[1] / shares[0] > 0.35


def test_the_fewer_events_the_higher_the_share_is_told() -> None:
    told = [float(shares_of([1000.0], [events])[0]) for events in (1e6, 100.0, 8.0, 1.0)]
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1e-3 * (1 + CAUTION / np.sqrt(2)))


@given(st.lists(st.tuples(st.floats(0.0, 1e4), st.floats(0.5, 1e4)), min_size=2, max_size=20))
def test_shares_are_positive_whatever_was_seen(rows: list[tuple[float, float]]) -> None:
    shares = shares_of([missed for missed, _ in rows], [events if missed > 0 else 0.0 for missed, events in rows])
    assert np.isfinite(shares).all()
    assert (shares > 0.0).all()
