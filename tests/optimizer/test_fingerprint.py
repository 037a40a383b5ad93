"""The hash of a decision's inputs: equal for equal facts, another for any change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from domain.workload import Slo
from optimizer.fingerprint import canonical, fingerprint
from optimizer.options import Options
from tests.optimizer.cases import BOOK, WORKLOAD, daily, history, machine, observation


def test_the_same_facts_give_the_same_hash() -> None:
    assert fingerprint(observation(daily()), BOOK, Options(), None) == fingerprint(
        observation(daily()), BOOK, Options(), None
    )


def test_it_is_the_same_in_every_version() -> None:
    """A known value: stored recommendations must stay recomputable."""
    facts = fingerprint(history([1.0, np.nan, 0.5]), timedelta(seconds=90), frozenset({"b", "a"}))
    assert facts == "5a2a8765bcd59d395984feb0f99bb8c515decaca3405d42bdb8648ec543aa46c"


@pytest.mark.parametrize(
    "changed",
    [
        observation(daily(seed=4)),
        observation(daily(), declared_capacity_rps=1.0000000001),
        observation(daily(), workload=replace(WORKLOAD, slo=Slo(attainment=0.98))),
    ],
)
def test_any_change_of_the_facts_changes_it(changed: object) -> None:
    assert fingerprint(changed, BOOK) != fingerprint(observation(daily()), BOOK)


def test_a_price_counts_too() -> None:
    dearer = replace(BOOK, offers=(machine("box", 0.1000001), *BOOK.offers[1:]))
    assert fingerprint(dearer) != fingerprint(BOOK)


def test_every_nan_is_the_same_gap() -> None:
    odd = np.array([1.0, np.nan])
    odd.view(np.uint64)[1] |= 1
    assert fingerprint(history(odd)) == fingerprint(history([1.0, np.nan]))


def test_what_has_no_canonical_form_is_refused() -> None:
    with pytest.raises(TypeError, match="object has no canonical form"):
        canonical(object())
