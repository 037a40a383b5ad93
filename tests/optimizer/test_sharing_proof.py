"""A shared host on its tenants' own past: what came when it was full is missed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from domain.unknown import Unknown
from optimizer.sharing.proof import missed
from tests.optimizer.cases import history
from tests.optimizer.sharing_cases import tenant


def test_what_is_over_the_host_is_missed_by_all_in_proportion() -> None:
    """Together 3 cores on a host of 2 in one of two steps: a third of that step, which is 2/3 of the requests."""
    a, b = tenant("a", past=history([2.0, 1.0])), tenant("b", past=history([1.0, 0.5]))
    answer = missed([a, b], 2.0, 0.0)
    assert not isinstance(answer, Unknown)
    assert answer.tolist() == pytest.approx([2 / 3 / 3, 2 / 3 / 3])


def test_peaks_at_other_times_are_no_harm() -> None:
    a, b = tenant("a", past=history([2.0, 0.0])), tenant("b", past=history([0.0, 2.0]))
    answer = missed([a, b], 2.0, 0.0)
    assert not isinstance(answer, Unknown)
    assert answer.tolist() == [0.0, 0.0]


def test_a_part_brings_its_part_and_the_idle_miss_nothing() -> None:
    halved, idle = tenant("a", past=history([4.0, 4.0]), parts=2), tenant("b", past=history([0.0, 0.0]))
    answer = missed([halved, idle], 2.0, 0.0)
    assert not isinstance(answer, Unknown)
    assert answer.tolist() == [0.0, 0.0]


def test_accelerators_are_counted_as_well_as_cores() -> None:
    both = [tenant(name, past=history([0.8]), accelerators=1.0) for name in "ab"]
    answer = missed(both, 4.0, 1.0)
    assert not isinstance(answer, Unknown)
    assert answer.tolist() == pytest.approx([0.375, 0.375])


def test_a_gap_in_anybodys_past_proves_nothing_for_that_step() -> None:
    """The step in which it would have been full is one of which nothing is known of one of them."""
    a, b = tenant("a", past=history([3.0, 1.0, 1.0])), tenant("b", past=history([np.nan, 0.5, 0.5]))
    answer = missed([a, b], 2.0, 0.0)
    assert not isinstance(answer, Unknown)
    assert answer.tolist() == [0.0, 0.0]
    blind = tenant("b", past=history([np.nan, np.nan, 0.5]))
    assert isinstance(missed([a, blind], 2.0, 0.0), Unknown)


def test_pasts_of_other_steps_are_laid_side_by_side_from_their_ends() -> None:
    coarse = tenant("a", past=history([1.0, 1.0], timedelta(minutes=10)))
    fine = tenant("b", past=history([0.0, 0.0, 2.0, 2.0]))
    answer = missed([coarse, fine], 2.0, 0.0)
    assert not isinstance(answer, Unknown)
    assert answer[0] == pytest.approx(0.5 / 3)
    odd = replace(fine, past=history([1.0, 1.0], timedelta(minutes=7)))
    assert isinstance(missed([coarse, odd], 2.0, 0.0), Unknown)
