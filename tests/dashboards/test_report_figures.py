"""What follows from rows: sums, changes, unit costs; an unknown is never a zero."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from dashboards.report import NightlyReport, figures
from domain.plan import Saving
from domain.unknown import Unknown
from tests.dashboards.nights import held, scheduled, small_night, to_serverless, unseen

SILENT = Unknown("nobody answered")


def test_a_sum_says_how_many_it_covers() -> None:
    known = figures.total([1.5, SILENT, 2.0], "cost")
    assert known == figures.Total(amount=3.5, known=2, of=3)
    assert isinstance(known, figures.Total)
    assert not known.whole


def test_a_sum_of_nothing_known_is_unknown_and_not_zero() -> None:
    assert figures.total([SILENT, SILENT], "cost") == Unknown("the cost of none of the 2 workloads is known")


def test_a_fleet_of_none_costs_nothing() -> None:
    assert figures.total([], "cost") == figures.Total(amount=0, known=0, of=0)


def test_change_is_against_the_day_before() -> None:
    step = figures.change(replace(scheduled(), cost=110.0, previous_cost=100.0))
    assert isinstance(step, figures.Change)
    assert step.amount == pytest.approx(10)
    assert step.share == pytest.approx(0.1)


def test_change_from_nothing_has_no_share() -> None:
    step = figures.change(replace(scheduled(), cost=5.0, previous_cost=0.0))
    assert step == figures.Change(amount=5.0, share=None)


@pytest.mark.parametrize("side", ["cost", "previous_cost"])
def test_change_is_unknown_with_either_day(side: str) -> None:
    assert figures.change(replace(scheduled(), **{side: SILENT})) == SILENT  # type: ignore[arg-type]


def test_the_fleets_change_compares_the_same_workloads() -> None:
    rows = [
        replace(scheduled(), cost=10.0, previous_cost=8.0),
        replace(scheduled(), cost=SILENT, previous_cost=90.0),
        replace(scheduled(), cost=70.0, previous_cost=SILENT),
    ]
    assert figures.fleet_change(rows) == (figures.Change(amount=2.0, share=0.25), 1)
    assert figures.fleet_change(rows[1:]) == Unknown("no workload has a known cost on both days")


def test_cost_per_1k_counts_answered_requests_only() -> None:
    row = replace(scheduled(), cost=10.0, requests=2000.0, failed_share=0.5)
    assert figures.cost_per_1k_requests(row) == pytest.approx(10.0)


@pytest.mark.parametrize("change, reason", [
    ({"requests": 0.0}, "no request arrived"),
    ({"failed_share": 1.0}, "every request failed"),
    ({"cost": SILENT}, SILENT.reason),
    ({"requests": SILENT}, SILENT.reason),
    ({"failed_share": SILENT}, SILENT.reason),
])  # fmt: skip
def test_cost_per_1k_is_undefined_where_it_cannot_be_had(change: dict[str, object], reason: str) -> None:
    assert figures.cost_per_1k_requests(replace(scheduled(), **change)) == Unknown(reason)  # type: ignore[arg-type]


def test_open_savings_are_those_of_acts() -> None:
    rows = [
        replace(scheduled(), saving=Saving(usd_per_month=100, low=80, high=120)),
        replace(to_serverless(), saving=Saving(usd_per_month=-10, low=-30, high=5)),
        replace(scheduled(), saving=SILENT),
        held(),
    ]
    amount, of = unknown_is_wrong(figures.open_saving(rows))
    assert (amount.usd_per_month, amount.low, amount.high) == (90, 50, 125)
    assert (of.known, of.of) == (2, 3)


def unknown_is_wrong(value: tuple[Saving, figures.Total] | Unknown) -> tuple[Saving, figures.Total]:
    """The value, which is known."""
    assert not isinstance(value, Unknown)
    return value


def test_open_savings_of_holds_alone_are_none_and_known() -> None:
    assert unknown_is_wrong(figures.open_saving([held()]))[1].of == 0


def test_open_savings_are_unknown_where_every_one_is() -> None:
    assert isinstance(figures.open_saving([replace(scheduled(), saving=SILENT)]), Unknown)


def test_dearest_first_and_unknown_last() -> None:
    assert [row.workload for row in figures.by_cost(small_night().rows)] == [
        "vision:digits", "search:rerank", "asr:whisper", held().workload,
    ]  # fmt: skip


def test_movers_are_the_largest_changes_either_way() -> None:
    assert [row.workload for row, _ in figures.movers(small_night().rows, 9)] == ["asr:whisper", "vision:digits"]
    assert len(figures.movers(small_night().rows, 1)) == 1


def test_over_budget_is_unknown_where_misses_are() -> None:
    assert figures.over_budget(scheduled()) is False
    assert figures.over_budget(to_serverless()) is True
    assert isinstance(figures.over_budget(unseen()), Unknown)
    assert isinstance(figures.over_budget(held()), Unknown)


def test_failures_alone_may_break_the_budget() -> None:
    assert figures.over_budget(replace(held(), failed_share=0.002)) is True


def test_a_workload_stands_in_a_report_once() -> None:
    with pytest.raises(ValueError, match="one row, unlike vision:digits"):
        replace(small_night(), rows=(scheduled(), scheduled()))


def test_a_report_is_generated_at_an_aware_time() -> None:
    naive = datetime(2026, 3, 18, tzinfo=UTC).replace(tzinfo=None)
    with pytest.raises(ValueError, match="aware"):
        NightlyReport(date=date(2026, 3, 17), generated_at=naive, rows=(), alerts=())
