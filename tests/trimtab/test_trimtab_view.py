"""How what is proposed is put into words on the page."""

from __future__ import annotations

import pytest

from domain.plan import Reason
from domain.workload import PurchaseMix
from trimtab.present import most_telling
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


def test_what_has_to_be_kept_warm_stands_before_what_then_starts_cold() -> None:
    """It is part of the plan: serverless without it would not hold the SLO."""
    told = most_telling([Reason(code=code, detail="") for code in ("load_forecast", "cold_starts", "kept_warm")])
    assert [reason.code for reason in told] == ["kept_warm", "cold_starts", "load_forecast"]
