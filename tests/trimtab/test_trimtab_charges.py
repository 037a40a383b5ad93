"""A day's cost as charges: hours and prices that add up to it, or why it has none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dashboards.report.charges import LeftOut
from domain.plan import Configuration
from domain.prices import PriceBook
from domain.unknown import Unknown
from domain.workload import PurchaseMix, ServingMode, Workload
from tests.dashboards.nights import held, scheduled, to_serverless
from trimtab.charges import charges_of
from trimtab.prices import bundled

WORKLOAD = Workload(id="vision:digits", runtime="trimtab-serving", labels={"model": "digits"}, team="perception")


def running(offer: str, mode: ServingMode = ServingMode.DEDICATED, **held: float) -> Configuration:
    """What runs, bought so."""
    mix = PurchaseMix(**held)
    return Configuration(
        replicas=round(mix.replicas),
        mean_replicas=mix.replicas,
        mode=mode,
        purchase=mix,
        offer=offer,
        usd_per_month=1.0,
    )


def test_hours_and_prices_add_up_to_the_cost_of_the_day() -> None:
    made = charges_of(scheduled(), running("m5.large", on_demand=4, spot=2, reserved=6), WORKLOAD, bundled(), 1.0)
    assert not isinstance(made, LeftOut)
    assert sum(each.quantity * each.unit_price for each in made) == pytest.approx(151.49, rel=1e-12)
    by_way = {each.purchase: each for each in made}
    assert by_way["reserved"].quantity == pytest.approx(1.5 * by_way["on_demand"].quantity)
    assert by_way["spot"].unit_price < by_way["spot"].on_demand_price
    assert by_way["reserved"].commitment is not None
    assert by_way["on_demand"].model == "digits"


def test_serverless_is_charged_by_its_requests_and_by_the_hour_where_they_are_not_known() -> None:
    current = running("lambda", ServingMode.SERVERLESS, on_demand=0.3)
    by_request = charges_of(to_serverless(), current, WORKLOAD, bundled(), 1.0)
    silent = replace(to_serverless(), requests=Unknown("nothing counts them"))
    by_hour = charges_of(silent, current, WORKLOAD, bundled(), 1.0)
    assert not isinstance(by_request, LeftOut)
    assert not isinstance(by_hour, LeftOut)
    assert (by_request[0].unit, by_request[0].quantity) == ("1000 Requests", 1.204)
    assert (by_hour[0].unit, by_hour[0].quantity) == ("Hours", 24.0)
    for each in (*by_request, *by_hour):
        assert each.quantity * each.unit_price == pytest.approx(25.248)


@pytest.mark.parametrize(
    "row, current, workload, book, reason",
    [
        (held(), running("m5.large", on_demand=1), WORKLOAD, bundled(), "no price for p9x.large in eu-north-1"),
        (scheduled(), Unknown("nobody declared it"), WORKLOAD, bundled(), "nobody declared it"),
        (scheduled(), running("m5.large", on_demand=1), None, bundled(), "the workload is gone: what it ran on is not known"),
        (scheduled(), running("m5.large", on_demand=1), WORKLOAD, PriceBook(), "m5.large is not in the price book of aws us-east-1"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_left_out_with_its_reason(row: object, current: object, workload: object, book: object, reason: str) -> None:  # fmt: skip
    made = charges_of(row, current, workload, book, 1.0)  # type: ignore[arg-type]
    assert made == LeftOut(workload=row.workload, reason=reason)  # type: ignore[attr-defined]
