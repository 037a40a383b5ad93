"""Numbers for readers: none is rounded into a false zero, all or sign."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.report import words
from dashboards.report.curves import HEIGHT, WIDTH, curve
from domain.load import LoadHistory
from tests.dashboards.nights import day_load

T = words.THIN
M = words.MINUS


@pytest.mark.parametrize("amount, text", [
    (1234.5, "$1,234.50"), (0.0, "$0.00"), (0.0042, "$0.0042"), (-12.5, f"{M}$12.50"), (0.009999, "$0.01"), (1e-9, "$0.000000001"),
])  # fmt: skip
def test_money(amount: float, text: str) -> None:
    assert words.money(amount, "USD") == text


def test_money_of_another_currency() -> None:
    assert words.money(3.0, "EUR") == "€3.00"
    assert words.money(-3.0, "CHF") == f"{M}3.00{T}CHF"


@pytest.mark.parametrize("amount, text", [(99.994, "$99.99"), (1234.5, "$1,234"), (-2500.6, f"{M}$2,501")])
def test_rounded_money(amount: float, text: str) -> None:
    assert words.rounded_money(amount, "USD") == text


@pytest.mark.parametrize(
    "amount, text", [(0.031479, "$0.0315"), (21.269, "$21.27"), (0.0, "$0.00"), (0.5, "$0.50"), (0.0999, "$0.0999")]
)
def test_unit_money(amount: float, text: str) -> None:
    assert words.unit_money(amount, "USD") == text


@pytest.mark.parametrize("share, text", [
    (0.0, "0"), (0.00042, "0.042"), (0.001, "0.1"), (0.0141, "1.4"), (0.61, "61"), (0.9962, "99.6"), (0.99999, "99.9"), (1.0, "100"),
    (-0.05, f"{M}5.0"), (1.5, "150"), (-0.0004, f"{M}0.04"),
])  # fmt: skip
def test_percent(share: float, text: str) -> None:
    assert words.percent(share) == f"{text}{T}%"


@pytest.mark.parametrize("value, text", [(0.0, "0"), (0.0295, "0.029"), (0.3, "0.3"), (12.0, "12"), (6.43, "6.4")])
def test_replicas(value: float, text: str) -> None:
    assert words.replicas(value) == text


@given(st.floats(min_value=1e-9, max_value=1 - 1e-9))
def test_a_share_between_none_and_all_never_reads_as_either(share: float) -> None:
    assert float(words.percent(share).removesuffix(f"{T}%")) not in (0.0, 100.0)


@given(st.floats(min_value=1e-9, max_value=1e9))
def test_an_amount_never_reads_as_nothing(amount: float) -> None:
    assert any(digit in "123456789" for digit in words.money(amount, "USD"))


@pytest.mark.parametrize("value, text", [(0, "0"), (1204, "1,204"), (88_020, "88.0k"), (999_950, "1.00M"), (4_812_330, "4.81M"), (2.5e9, "2.50G")])  # fmt: skip
def test_count(value: float, text: str) -> None:
    assert words.count(value) == text


def test_a_curve_breaks_where_hours_are_missing() -> None:
    whole, broken = curve(day_load(5.0)), curve(day_load(5.0, hole=slice(60, 120)))
    assert whole is not None
    assert broken is not None
    assert whole.path.count("M") == 1
    assert broken.path.count("M") == 2
    assert broken.caption.endswith("; 5 of 24 hours missing")


def test_a_curve_of_nothing_known_is_none_and_of_zeros_a_flat_line() -> None:
    nothing = day_load(5.0, hole=slice(0, 288))
    assert curve(nothing) is None
    flat = curve(replace(nothing, values=np.zeros(288)))
    assert flat is not None
    assert {point.split(" ")[1] for point in flat.path[1:].split("L")} == {str(HEIGHT - 1)}


def test_one_hour_between_gaps_is_seen() -> None:
    values = np.full(288, math.nan)
    values[24:36] = 3.0
    lonely = curve(LoadHistory(start=datetime(2026, 3, 17, tzinfo=UTC), step=timedelta(minutes=5), values=values))
    assert lonely is not None
    assert lonely.path == "M9 1L11 1"


@pytest.mark.parametrize("minutes", [1, 7, 60, 90, 1440])
def test_any_grid_is_drawn_within_its_box(minutes: int) -> None:
    steps = 1440 // minutes
    load = LoadHistory(
        start=datetime(2026, 3, 17, tzinfo=UTC), step=timedelta(minutes=minutes), values=np.arange(1.0, steps + 1)
    )
    drawn = curve(load)
    assert drawn is not None
    points = [point.split(" ") for piece in drawn.path.split("M")[1:] for point in piece.split("L")]
    assert all(0 <= float(x) <= WIDTH and 0 <= float(y) <= HEIGHT for x, y in points)
