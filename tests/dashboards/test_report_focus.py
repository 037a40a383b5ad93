"""The FOCUS file: its shape, its arithmetic, and what the Foundation's own validator does not look at."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from dashboards.report.charges import Charge
from dashboards.report.focus import focus_csv, focus_metadata
from dashboards.report.focus.amounts import decimal, written
from dashboards.report.focus.columns import COLUMNS, TYPES
from domain.unknown import Unknown
from tests.dashboards.focus_cases import charged_night, dedicated, every_kind
from tests.golden_files import assert_golden

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
NUMBER = re.compile(r"-?\d+(\.\d+)?")
COSTS = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")
OURS = [name for name in COLUMNS if name.startswith("x_")]


def rows_of(charges: tuple[Charge, ...]) -> list[dict[str, str]]:
    """The file's lines."""
    return list(csv.DictReader(io.StringIO(focus_csv(replace(charged_night(), charges=charges)))))


def test_the_file_is_exactly_this() -> None:
    assert_golden("dashboards/report.focus.csv", focus_csv(charged_night()))


def test_it_has_every_column_of_the_standard_then_ours() -> None:
    standard = COLUMNS[: -len(OURS)]
    assert len(standard) == 57
    assert list(standard) == sorted(standard)
    assert all(re.fullmatch(r"[A-Z][A-Za-z]+", name) for name in standard)
    assert all(re.fullmatch(r"x_[A-Z][A-Za-z]+", name) for name in COLUMNS[-len(OURS) :])


def test_numbers_moments_and_objects_are_written_as_focus_wants() -> None:
    for row in rows_of(every_kind()):
        for name, value in row.items():
            if value and TYPES[name] == "Decimal":
                assert NUMBER.fullmatch(value), (name, value)
            if TYPES[name] == "Date/Time":
                assert MOMENT.fullmatch(value), (name, value)
            if value and TYPES[name] == "JSON":
                assert all(isinstance(each, str | int | float) for each in json.loads(value).values())
        assert row["x_CostBasis"] == "estimated"
        assert (row["ChargePeriodStart"], row["ChargePeriodEnd"]) == ("2026-03-17T00:00:00Z", "2026-03-18T00:00:00Z")
        assert (row["BillingPeriodStart"], row["BillingPeriodEnd"]) == ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z")


def test_spot_has_the_spot_price_in_all_four_costs_and_on_demand_beside_it() -> None:
    spot = next(row for row in rows_of(every_kind()) if row["x_PurchaseOption"] == "spot")
    assert len({spot[name] for name in COSTS}) == 1
    assert spot["PricingCategory"] == "Dynamic"
    assert Decimal(spot["x_OnDemandEquivalentCost"]) == Decimal(spot["PricingQuantity"]) * Decimal("0.096")


def test_a_commitment_is_billed_once_for_what_was_used_of_it() -> None:
    mine = [row for row in rows_of(every_kind()) if row["CommitmentDiscountId"]]
    (bought,) = (row for row in mine if row["ChargeCategory"] == "Purchase")
    used = [row for row in mine if row["ChargeCategory"] == "Usage"]
    assert {row["BilledCost"] for row in used} == {"0"}
    assert bought["EffectiveCost"] == "0"
    assert sum(Decimal(row["EffectiveCost"]) for row in used) == Decimal(bought["BilledCost"]) > 0


def test_a_workload_whose_charges_are_not_known_is_named_beside_the_file() -> None:
    body = json.loads(focus_metadata(charged_night()))
    assert body["x_LeftOut"] == [{"Workload": "asr:whisper", "Reason": "Prometheus did not answer"}]
    assert [each["ColumnName"] for each in body["Schema"]["ColumnDefinition"]] == list(COLUMNS)


quantities = st.floats(min_value=1e-6, max_value=1e7)
charges = st.builds(
    lambda way, quantity, price, idle: replace(
        dedicated(),
        workload=f"w{quantity}",
        purchase=way,
        quantity=quantity,
        unit_price=price,
        on_demand_price=price * 2,
        idle_share=idle,
        commitment="1yr" if way == "reserved" else None,
    ),
    st.sampled_from(["on_demand", "spot", "reserved"]),
    quantities,
    st.just(0.0321),
    st.one_of(st.floats(min_value=0, max_value=1), st.just(Unknown("not known"))),
)


@given(st.lists(charges, min_size=1, max_size=8).map(tuple))
def test_costs_are_prices_times_quantities_and_add_up_to_the_charges(made: tuple[Charge, ...]) -> None:
    """Exactly: idle parts moved to their own rows lose no dollar, and neither do commitments billed at once."""
    rows = rows_of(made)
    for row in rows:
        quantity = Decimal(row["PricingQuantity"])
        assert Decimal(row["ListCost"]) == Decimal(row["ListUnitPrice"]) * quantity
        assert Decimal(row["ContractedCost"]) == Decimal(row["ContractedUnitPrice"]) * quantity
    paid = sum(decimal(each.quantity) * decimal(each.unit_price) for each in made)
    assert sum(Decimal(row["EffectiveCost"]) for row in rows) == paid
    assert sum(Decimal(row["BilledCost"]) for row in rows) == paid
    whole: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        if row["ChargeCategory"] == "Usage" and row["x_Workload"] != "__idle__":
            whole[row["x_Workload"]] += Decimal(row["EffectiveCost"]) + Decimal(row["x_IdleCost"] or 0)
    assert sum(whole.values()) == paid


@given(st.floats(min_value=0, max_value=1e16))
def test_no_number_has_an_exponent(value: float) -> None:
    assert NUMBER.fullmatch(written(decimal(value)))


def test_every_column_is_explained_in_the_docs() -> None:
    text = (Path(__file__).parents[2] / "docs" / "report.md").read_text(encoding="utf-8")
    missing = [name for name in COLUMNS if f"`{name}`" not in text]
    assert missing == []
