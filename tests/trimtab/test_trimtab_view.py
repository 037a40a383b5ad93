"""How what is proposed is put into words on the page."""

from __future__ import annotations

import pytest

from domain.workload import PurchaseMix
from trimtab.web.view import bought


@pytest.mark.parametrize(
    "purchase,words",
    [
        (PurchaseMix(on_demand=3.0), []),
        (PurchaseMix(on_demand=1.0, spot=3.0), ["75% spot"]),
        (PurchaseMix(reserved=2.0, on_demand=1.0, spot=1.0), ["50% reserved", "25% spot"]),
    ],
)
def test_what_is_not_on_demand_is_said(purchase: PurchaseMix, words: list[str]) -> None:
    assert bought(purchase) == words
