"""Budgets, targets and reviews: what is known counts, what is not is said, and nothing is summed as 0 for want of data."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from pydantic import ValidationError

from domain.unknown import Unknown
from tests.fakes.recommendations import a_workload
from trimtab.api.objectives import ObjectiveBody, progress_body
from trimtab.budgetmetrics import BudgetCollector
from trimtab.month import Attained, Days, Outlook, Spend, attained, outlook, spent
from trimtab.objectives import Objectives
from trimtab.rendering import rule_options
from trimtab.settings import ObjectiveSettings, Settings
from trimtab.store.database import Database
from trimtab.store.days import DayFacts, DaySpend, DayStore
from trimtab.store.journal import CostSample, Journal

DAY = timedelta(days=1)
NOW = datetime(2026, 3, 11, 12, tzinfo=UTC)  # ten and a half of thirty-one days
FIRST = date(2026, 3, 1)


def rows(days: range, usd: float | None = 24.0, workload: str = "a") -> list[DaySpend]:
    """The same on these days of March."""
    return [DaySpend(day=FIRST + (n - 1) * DAY, workload=workload, usd=usd) for n in days]


def test_the_month_so_far_and_what_it_comes_to() -> None:
    days = Days.of({"a"}, rows(range(1, 12)), NOW)
    assert spent(days) == Spend(usd=10.5 * 24, known=11, of=11)
    assert outlook(days) == Outlook(usd=31 * 24, low=31 * 24, high=31 * 24, known=1, of=1)


def test_days_that_nobody_watched_are_counted_and_forecast_as_ordinary_ones() -> None:
    days = Days.of({"a"}, rows(range(6, 12)), NOW)
    assert spent(days) == Spend(usd=5.5 * 24, known=6, of=11)
    ahead = outlook(days)
    assert isinstance(ahead, Outlook)
    assert ahead.usd == pytest.approx(31 * 24)


def test_where_no_cycle_ran_it_is_said_when() -> None:
    """A store that is older than its last cycles has looked at workloads, only not lately."""
    for members in ({"a"}, set[str]()):
        ahead = outlook(Days.of(members, (), NOW))
        assert ahead == Unknown("no cycle looked at a workload between 2026-02-25 and 2026-03-11")
    assert spent(Days.of((), (), NOW)) == ahead


def test_a_workload_that_came_later_cost_nothing_before() -> None:
    """On days on which others were watched it was not there; that is known, and no gap."""
    days = Days.of({"b"}, [*rows(range(1, 12)), *rows(range(8, 12), 10.0, "b")], NOW)
    assert spent(days) == Spend(usd=35.0, known=4, of=4)
    ahead = outlook(days)
    assert isinstance(ahead, Outlook)
    assert (
        ahead.usd == 35.0 + 20.5 * 10.0
    )  # it goes on at what it costs, not at the mean of days on which it was not there


def test_a_workload_that_is_gone_costs_nothing_to_come() -> None:
    days = Days.of({"a", "b"}, [*rows(range(1, 12)), *rows(range(1, 6), 10.0, "b")], NOW)
    ahead = outlook(days)
    assert isinstance(ahead, Outlook)
    assert ahead.usd == 31 * 24 + 5 * 10.0


def test_a_month_that_nobody_watched_is_unknown_and_not_nothing() -> None:
    for days in (Days.of(set(), [], NOW), Days.of({"a"}, [], NOW)):
        assert isinstance(spent(days), Unknown)
        assert isinstance(outlook(days), Unknown)
    assert outlook(Days.of({"a"}, rows(range(10, 12)), NOW)) == Unknown(
        "only 1 of the last 14 days were watched, 3 are needed"
    )


def test_a_workload_whose_cost_is_never_known_is_counted_and_in_no_sum() -> None:
    days = Days.of({"a", "b"}, [*rows(range(1, 12)), *rows(range(1, 12), None, "b")], NOW)
    assert spent(days) == Spend(usd=10.5 * 24, known=11, of=22)
    assert outlook(days) == Outlook(usd=31 * 24, low=31 * 24, high=31 * 24, known=1, of=2)
    assert isinstance(outlook(Days.of({"b"}, rows(range(1, 12), None, "b"), NOW)), Unknown)
    assert spent(Days.of({"b"}, rows(range(1, 12), None, "b"), NOW)) == Unknown(
        "the cost of no day since 2026-03-01 is known"
    )


@given(
    st.lists(st.one_of(st.none(), st.floats(min_value=0, max_value=1e6)), min_size=11, max_size=11),
    st.integers(min_value=0, max_value=86_399),
)
def test_the_forecast_lies_in_its_range_and_over_what_is_spent(usd: list[float | None], second: int) -> None:
    now = datetime(2026, 3, 11, tzinfo=UTC) + timedelta(seconds=second)
    days = Days.of({"a"}, [row for n, each in enumerate(usd, 1) for row in rows(range(n, n + 1), each)], now)
    ahead, so_far = outlook(days), spent(days)
    if isinstance(ahead, Outlook):
        assert ahead.low <= ahead.usd <= ahead.high
        over = usd if second else usd[:-1]  # at midnight nothing of today is spent yet
        assert isinstance(so_far, Spend) is any(each is not None for each in over)
        assert isinstance(so_far, Unknown) or ahead.low >= so_far.usd - 1e-6


def facts(day: int, requests: float | Unknown, missed: float | Unknown, workload: str = "a") -> DayFacts:
    return DayFacts(day=FIRST + (day - 1) * DAY, workload=workload, team=None, requests=requests, missed_share=missed)


def test_attainment_weighs_days_by_their_requests_and_counts_those_not_known() -> None:
    known = [facts(1, 900.0, 0.0), facts(2, 100.0, 0.5), facts(3, 0.0, Unknown("nothing came"))]
    assert attained([*known, facts(4, 5.0, Unknown("no bucket"))]) == Attained(share=0.95, known=3, of=4)
    assert attained([facts(4, 5.0, Unknown("no bucket"))]) == Unknown("no bucket")
    assert attained([]) == Unknown("no day of the month has been reported yet")


def objectives(database: Database, *settings: ObjectiveSettings) -> Objectives:
    """These objectives over a store with ten days of one workload of the team `ranking`."""
    journal, days = Journal(database), DayStore(database)
    journal.keep_workloads([a_workload("shop:ranker")])
    for n in range(11):
        journal.add_costs(FIRST + n * DAY, [CostSample(workload="shop:ranker", current_usd_per_hour=1.0, proposed_usd_per_hour=0.5)])  # fmt: skip
    days.keep([facts(day, 1000.0, 0.25, "shop:ranker") for day in range(1, 11)])
    return Objectives(settings=settings, journal=journal, days=days)


def test_progress_of_a_workload(database: Database) -> None:
    mine = ObjectiveSettings(workload="shop:ranker", budget_usd_per_month=500, review_on=NOW.date())
    (progress,) = objectives(database, mine).progress(NOW)
    assert progress.spend == Spend(usd=252.0, known=11, of=11)
    assert progress.budget_left == pytest.approx(248.0)
    assert progress.attained == Attained(share=0.75, known=10, of=10)
    assert progress.target == a_workload("shop:ranker").slo.attainment
    assert progress.review_due
    body = ObjectiveBody.model_validate(progress_body(progress))
    assert (body.month, body.unknown) == ("2026-03", {})
    assert body.forecast is not None
    assert body.forecast.usd == pytest.approx(744.0)


def test_a_team_keeps_the_cost_of_a_workload_that_is_gone(database: Database) -> None:
    made = objectives(database, ObjectiveSettings(team="ranking"))
    made.days.keep([DayFacts(day=FIRST, workload="shop:ranker", team="ranking", requests=1.0, missed_share=0.0)])
    made.journal.keep_workloads([])
    (progress,) = made.progress(NOW)
    assert progress.workloads == 1
    assert isinstance(progress.spend, Spend)


def test_an_objective_of_nobody_says_so(database: Database) -> None:
    (progress,) = objectives(database, ObjectiveSettings(team="nobody", budget_usd_per_month=1)).progress(NOW)
    assert progress.spend == progress.forecast == progress.budget_left == Unknown("no workload of team nobody has been seen")  # fmt: skip
    assert progress_body(progress)["spend"] is None


def test_it_is_told_of_which_objectives_no_workload_has_been_seen(database: Database) -> None:
    """A misspelt name may be known only when the workloads are."""
    seen = objectives(
        database,
        *(ObjectiveSettings(workload=name) for name in ("shop:ranker", "zz")),
        ObjectiveSettings(team="nobody"),
    ).unseen(NOW)
    assert [line.partition(";")[0] for line in seen] == [
        "objectives: no workload zz has been seen", "objectives: no workload of team nobody has been seen",
    ]  # fmt: skip


def test_metrics_have_the_labels_of_whose_budget_it_is_and_no_zero_for_want_of_data(database: Database) -> None:
    made = objectives(
        database,
        ObjectiveSettings(workload="shop:ranker", budget_usd_per_month=500),
        ObjectiveSettings(team="nobody", budget_usd_per_month=90),
        ObjectiveSettings(team="without a budget"),
    )
    registry = CollectorRegistry()
    registry.register(BudgetCollector(made, lambda: NOW))
    samples = [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]
    assert samples == [
        'trimtab_budget_usd_per_month{workload="shop:ranker"} 500.0',
        'trimtab_budget_usd_per_month{team="nobody"} 90.0',
        'trimtab_spend_month_to_date_usd{workload="shop:ranker"} 252.0',
    ]


def test_the_rule_on_budgets_is_there_where_a_budget_is() -> None:
    assert not rule_options(Settings(objectives=(ObjectiveSettings(team="a"),))).budgets
    assert rule_options(Settings(objectives=(ObjectiveSettings(team="a", budget_usd_per_month=1),))).budgets


@pytest.mark.parametrize("wrong", [{}, {"workload": "a", "team": "b"}, {"team": "a", "budget_usd_per_month": 0}, {"team": "a", "review_on": "soon"}])  # fmt: skip
def test_an_objective_that_is_wrong_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ObjectiveSettings.model_validate(wrong)


def test_nobody_has_two_objectives() -> None:
    with pytest.raises(ValidationError, match="give each one objective"):
        Settings(objectives=(ObjectiveSettings(team="a"), ObjectiveSettings(team="a", owner="x")))


def test_the_facts_of_a_day_are_kept_once_and_may_be_written_again(database: Database) -> None:
    days = DayStore(database)
    first = [facts(1, 5.0, 0.5), facts(1, Unknown("no source"), Unknown("no source"), "b")]
    days.keep(first)
    days.keep([facts(1, 6.0, 0.25), facts(2, 7.0, 0.0)])
    assert days.between(FIRST, FIRST) == (facts(1, 6.0, 0.25), first[1])
    assert len(days.between(FIRST, FIRST + DAY)) == 3
    days.keep([])
