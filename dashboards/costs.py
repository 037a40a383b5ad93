"""Cost and savings: where the money goes, what it buys, and what is proposed to save."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards import money, names, outcomes
from dashboards.around import links, marks
from dashboards.directory import Directory
from dashboards.options import DashboardOptions
from dashboards.spec import Board, Panel, Query, Section, present
from dashboards.spend import budgets
from dashboards.stats import MOST, SAVES, stat
from dashboards.tables import workload_table
from domain.signals import RuntimeProfile, quote


def costs(profiles: Sequence[RuntimeProfile], where: Directory, options: DashboardOptions) -> Board:
    """One dashboard about dollars, at the prices of the price book."""
    return Board(
        uid=names.COSTS_UID,
        title="Trimtab / Cost and savings",
        description="What models cost at the prices of the price book, what a thousand requests cost, and what Trimtab proposes to save.",
        sections=(
            Section(title="At a glance", panels=glance()),
            *([Section(title="Budgets", panels=budgets(options.budget_ahead))] if options.budgets else []),
            Section(title="Where the money goes", panels=spending()),
            Section(title="What it buys, and what could be saved", panels=present(buying(profiles))),
            Section(title="Months of the fleet", panels=months()),
            Section(title="What came of it", panels=outcomes.came_of_it()),
            Section(title="Workloads", panels=(table(profiles, where),)),
        ),
        links=links(names.COSTS_UID),
        annotations=marks(),
        tags=(names.TAG,),
    )


def glance() -> tuple[Panel, ...]:
    """Six numbers."""
    month = money.HOURS_PER_MONTH
    return (
        stat("Cost now, USD/month", "What runs now, over a month of 730 h: the sum over the workloads whose cost is known.",
             "currencyUSD", f"{month} * sum({money.current()})"),
        stat("As proposed, USD/month", "The same month if every proposal were taken; a workload that is held stays as it is.",
             "currencyUSD", f"{month} * sum({money.as_proposed()})"),
        stat("Saving proposed, USD/month", "Dollars a month of all savings proposed. Below zero, holding the SLOs costs more than today.",
             "currencyUSD", f"sum({names.SAVING})", thresholds=SAVES),
        stat("Share of the bill", "The savings proposed over the cost of the same workloads.", "percentunit",
             f"sum({names.SAVING}) / ({month} * sum({money.current()} and on (workload) {names.SAVING}))", thresholds=SAVES),
        stat("Spent in the time shown, USD", "Dollars over the time range of this dashboard, of the minutes and workloads whose cost is known.",
             "currencyUSD", f"sum({money.spent()})"),
        stat("Cost not known", "Workloads whose present cost is not known; they are in none of the sums.", "short",
             f"count(count by (workload) ({names.INFO})) - count({money.current()})"),
    )  # fmt: skip


def spending() -> tuple[Panel, ...]:
    """The fleet, and its dearest."""
    return (
        total(),
        Panel(
            title=f"The {MOST} dearest workloads, USD/h",
            description="Dollars an hour as they run now.",
            unit="currencyUSD",
            queries=(Query(expr=f"topk({MOST}, {money.current()})", legend="{{workload}}"),),
        ),
    )


def total() -> Panel:
    """The fleet's two lines, over the same workloads."""
    return Panel(
        title="Cost now and as proposed, USD/h",
        description="Dollars an hour of all workloads whose cost is known. What is held stays as it is, so the gap between the lines is the saving proposed.",
        unit="currencyUSD",
        queries=(
            Query(expr=f"sum({money.current()})", legend="now"),
            Query(expr=f"sum({money.as_proposed()})", legend="as proposed"),
        ),
    )


def months() -> tuple[Panel, ...]:
    """The sums that the table, the page and `GET /costs` show, a shared host in them once."""
    return (
        Panel(
            title="Bill and plan, USD/month",
            description="What a month of what runs costs, and what it would if every proposal were followed: the sums over what is known, a host that workloads share in them once.",
            unit="currencyUSD",
            queries=(_figures("bill|plan"),),
        ),
        Panel(
            title="Saving proposed and its range, USD/month",
            description="The sum of the savings proposed, and of the low and the high ends of their ranges.",
            unit="currencyUSD",
            queries=(_figures("saving.*"),),
            least=None,
        ),
    )


def _figures(which: str) -> Query:
    return Query(expr=f"max by (figure) ({names.FLEET_USD}{{figure=~{quote(which)}}})", legend="{{figure}}")


def buying(profiles: Sequence[RuntimeProfile]) -> list[Panel]:
    """Dollars for work done, and the savings that wait."""
    return [
        Panel(
            title="Cost of a thousand requests, USD",
            description=f"Dollars, of the {MOST} workloads where it is highest: cost now over the requests that came. Idle replicas make it rise; with no request it is not defined.",
            unit="currencyUSD",
            decimals=4,
            queries=tuple(
                Query(expr=f"topk({MOST}, {expr})", legend="{{workload}}")
                for expr in money.of_thousand_requests(profiles)
            ),
        ),
        Panel(
            title=f"The {MOST} largest savings proposed, USD/month",
            description="Dollars a month, as they stood at each moment.",
            unit="currencyUSD",
            queries=(Query(expr=f"topk({MOST}, max by (workload) ({names.SAVING}))", legend="{{workload}}"),),
            least=None,
        ),
    ]


def table(profiles: Sequence[RuntimeProfile], where: Directory) -> Panel:
    """A line a workload; the name leads to its dashboard."""
    month = money.HOURS_PER_MONTH
    of_requests = " or ".join(f"({expr})" for expr in money.of_thousand_requests(profiles))
    columns = (
        (f"{month} * {money.current()}", "Now, USD/month", "currencyUSD"),
        (f"{month} * {money.proposed()}", "Proposed, USD/month", "currencyUSD"),
        (f"max by (workload) ({names.SAVING})", "Saving, USD/month", "currencyUSD"),
        (money.spent(), "Spent in the time shown", "currencyUSD"),
        *(((of_requests, "USD per 1000 requests", "currencyUSD"),) if of_requests else ()),
    )
    return workload_table("What each workload costs", columns, where)
