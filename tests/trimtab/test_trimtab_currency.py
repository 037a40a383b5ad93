"""Prices in another currency: at a declared rate, named wherever such a price is used, and never in silence."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from domain.errors import SettingsError
from domain.prices import PriceBook
from optimizer.modes.market import priced_at
from trimtab.userprices import load_user_prices

HEAD = "cloud,region,instance_type,vcpus,memory_gib,"
BOX = "own,rack-1,box,64,256,"
EUR = "currency: {code: EUR, usd_per_unit: 1.1, as_of: 2026-11-01, source: ECB}\n"
OFFER = "{cloud: own, region: r, instance_type: box, vcpus: 2, memory_gib: 4, "
TARIFF = (
    "{cloud: own, service: fn, region: r, increment_seconds: 1, minimum_seconds: 1, max_memory_gib: 8,"
    " max_duration_seconds: 60, cold_start_seconds: 1, keep_alive_seconds: 60, "
)


def loaded(tmp_path: Path, text: str, name: str = "prices.yaml") -> PriceBook:
    path = tmp_path / name
    path.write_text(text)
    return load_user_prices(path)


def test_amounts_of_a_csv_are_turned_into_usd_at_the_rate_of_their_row(tmp_path: Path) -> None:
    book = loaded(
        tmp_path,
        HEAD + "on_demand_per_hour,spot_per_hour,as_of,currency,usd_per_unit,rate_as_of,rate_source\n"
        f"{BOX}0.9,0.5,2026-10-01,EUR,1.1,2026-11-01,ECB\n",
        "prices.csv",
    )
    [offer] = book.offers
    assert offer.on_demand.amount == pytest.approx(0.99)
    assert offer.spot is not None
    assert offer.spot.amount == pytest.approx(0.55)
    assert str(offer.on_demand.exchange) == "EUR at 1.1 USD of 2026-11-01 (ECB)"


def test_a_files_currency_holds_for_all_entries_that_name_none(tmp_path: Path) -> None:
    book = loaded(
        tmp_path,
        f"{EUR}offers:\n- {OFFER}on_demand_per_hour: 1.0}}\n- {OFFER}currency: USD, on_demand_usd_per_hour: 1.0}}\n"
        f"tariffs:\n- {TARIFF}per_gib_second: 0.00001, warm: {{per_gib_second: 0.000002}}}}\n"
        "fees:\n- {cloud: own, service: k, region: r, per_hour: 0.1}\n"
        "commitments:\n- {cloud: own, name: lease, term_days: 365, discount: 0.4}\n",
    )
    assert [offer.on_demand.amount for offer in book.offers] == [pytest.approx(1.1), 1.0]
    assert book.offers[1].on_demand.exchange is None
    assert book.tariffs[0].usd_per_gib_second == pytest.approx(1.1e-5)
    assert book.tariffs[0].warm is not None
    assert book.tariffs[0].warm.usd_per_gib_second == pytest.approx(2.2e-6)
    assert book.tariffs[0].exchange is not None
    assert book.fees[0].price.amount == pytest.approx(0.11)
    assert book.commitments[0].discount == 0.4


def test_the_rate_and_its_date_are_named_where_the_price_is_used(tmp_path: Path) -> None:
    """The older of the two dates counts for its age."""
    book = loaded(tmp_path, f"{EUR}offers:\n- {OFFER}on_demand_per_hour: 1.0, as_of: 2026-11-10, source: list}}\n")
    used = priced_at("box on demand", book.offers[0].on_demand, "machine-hour")
    assert used.source == "list; paid in EUR at 1.1 USD of 2026-11-01 (ECB)"
    assert (used.as_of, used.rate_as_of) == ("2026-11-10", "2026-11-01")
    assert used.age(date(2026, 11, 24)) == timedelta(days=23)


@pytest.mark.parametrize(
    "text,field,fix",
    [
        (f"offers:\n- {OFFER}on_demand_per_hour: 1.0}}", "offers.0.on_demand_per_hour", "say in which currency"),
        (
            f"{EUR}offers:\n- {OFFER}on_demand_usd_per_hour: 1.0}}",
            "offers.0.on_demand_usd_per_hour",
            "its name says USD",
        ),
        (
            f"offers:\n- {OFFER}on_demand_per_hour: 1.0, currency: EUR}}",
            "offers.0.usd_per_unit",
            "what one EUR is worth",
        ),
        (
            f"offers:\n- {OFFER}on_demand_per_hour: 1.0, currency: EUR, usd_per_unit: 1.1}}",
            "offers.0.rate_as_of",
            "the day of that rate",
        ),
        (
            f"offers:\n- {OFFER}on_demand_per_hour: 1.0, currency: euro, usd_per_unit: 1, rate_as_of: 2026-01-01}}",
            "offers.0.currency",
            "three letters such as EUR",
        ),
        (
            f"offers:\n- {OFFER}on_demand_usd_per_hour: 1.0, usd_per_unit: 1.1}}",
            "offers.0.currency",
            "name the currency",
        ),
        (
            f"offers:\n- {OFFER}on_demand_per_hour: 1, currency: EUR, usd_per_unit: -1, rate_as_of: 2026-01-01}}",
            "offers.0.usd_per_unit",
            "not negative",
        ),
        (
            f"offers:\n- {OFFER}on_demand_per_hour: 1, currency: EUR, usd_per_unit: 1, rate_as_of: yesterday}}",
            "offers.0.rate_as_of",
            "give a day such as",
        ),
        (f"{EUR}offers:\n- {OFFER}on_demand_per_hour: cheap}}", "offers.0.on_demand_per_hour", "not negative"),
        (f"{EUR}offers:\n- {OFFER}on_demand_per_hour: 1, exchange: {{}}}}", "offers.0.exchange", "no such field"),
        ("currency: EUR\noffers: []", "currency", "give code, usd_per_unit, as_of and source"),
        (f"{EUR}tariffs:\n- {TARIFF}usd_per_gib_second: 1}}", "tariffs.0.usd_per_gib_second", "its name says USD"),
        (
            f"{EUR}tariffs:\n- {TARIFF}per_gib_second: 1, warm: {{usd_per_gib_second: 1}}}}",
            "warm.usd_per_gib_second",
            "USD",
        ),
    ],
)
def test_nothing_is_converted_that_was_not_said_to_be(tmp_path: Path, text: str, field: str, fix: str) -> None:
    with pytest.raises(SettingsError) as caught:
        loaded(tmp_path, text)
    assert field in str(caught.value)
    assert fix in str(caught.value)
    assert "\n" not in str(caught.value)
