"""What follows from the rows: sums that say how much of the fleet they cover, changes, unit cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dashboards.report.model import WorkloadRow
from domain.plan import Saving
from domain.unknown import Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """A sum over the `known` ones `of` so many workloads; it is a lower bound unless all are known."""

    amount: float
    known: int
    of: int

    @property
    def whole(self) -> bool:
        return self.known == self.of


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Cost of the day less that of the day before; `share` is None where the day before cost nothing."""

    amount: float
    share: float | None


def total(values: Sequence[float | Unknown], what: str) -> Total | Unknown:
    """The sum of what is known; Unknown where nothing is (a fleet of none costs a known 0)."""
    known = [value for value in values if not isinstance(value, Unknown)]
    if values and not known:
        return Unknown(f"the {what} of none of the {len(values)} workloads is known")
    return Total(amount=sum(known), known=len(known), of=len(values))


def change(row: WorkloadRow) -> Change | Unknown:
    """Against the day before; Unknown unless both days are known."""
    if isinstance(row.cost, Unknown):
        return row.cost
    if isinstance(row.previous_cost, Unknown):
        return row.previous_cost
    return between(row.previous_cost, row.cost)


def between(before: float, after: float) -> Change:
    """The step from one amount to another."""
    return Change(amount=after - before, share=(after - before) / before if before > 0 else None)


def fleet_change(rows: Iterable[WorkloadRow]) -> tuple[Change, int] | Unknown:
    """The change over the workloads of which both days are known, and how many those are."""
    pairs = [
        (row.previous_cost, row.cost)
        for row in rows
        if not isinstance(row.cost, Unknown) and not isinstance(row.previous_cost, Unknown)
    ]
    if not pairs:
        return Unknown("no workload has a known cost on both days")
    return between(sum(before for before, _ in pairs), sum(after for _, after in pairs)), len(pairs)


def cost_per_1k_requests(row: WorkloadRow) -> float | Unknown:
    """1000 x cost / requests answered without error; without any of those it is undefined, not 0."""
    if isinstance(row.cost, Unknown):
        return row.cost
    if isinstance(row.requests, Unknown):
        return row.requests
    if row.requests == 0:
        return Unknown("no request arrived")
    if isinstance(row.failed_share, Unknown):
        return row.failed_share
    answered = row.requests * (1.0 - row.failed_share)
    return 1000.0 * row.cost / answered if answered > 0 else Unknown("every request failed")


def cost_per_1m_tokens(row: WorkloadRow) -> float | Unknown | None:
    """1e6 x cost / tokens read and generated; None where the runtime tells of none."""
    if row.tokens is None or isinstance(row.tokens, Unknown):
        return row.tokens
    if isinstance(row.cost, Unknown):
        return row.cost
    return 1e6 * row.cost / row.tokens if row.tokens > 0 else Unknown("no token was read or generated")


def unit_cost(rows: Iterable[WorkloadRow]) -> tuple[float, int] | Unknown:
    """Cost per 1,000 requests answered, of the workloads of which it is known together, and how many those are."""
    usd, answered, known = 0.0, 0.0, 0
    for row in rows:
        each = cost_per_1k_requests(row)
        if not isinstance(each, Unknown) and not isinstance(row.cost, Unknown) and each > 0:
            usd, answered, known = usd + row.cost, answered + 1000.0 * row.cost / each, known + 1
    return (1000.0 * usd / answered, known) if answered > 0 else Unknown("it is known of no workload")


def token_cost(rows: Iterable[WorkloadRow]) -> tuple[float, int] | None:
    """Cost per million tokens of the workloads of which it is known together, and how many those are; None without any."""
    usd, tokens, known = 0.0, 0.0, 0
    for row in rows:
        each = cost_per_1m_tokens(row)
        if isinstance(each, float) and isinstance(row.cost, float) and isinstance(row.tokens, float):
            usd, tokens, known = usd + row.cost, tokens + row.tokens, known + 1
    return (1e6 * usd / tokens, known) if tokens > 0 else None


def idle_share(rows: Iterable[WorkloadRow]) -> tuple[float, int] | Unknown:
    """The part of the cost that paid for idle capacity, of the workloads of which both are known, and how many those are."""
    usd, idle, known = 0.0, 0.0, 0
    for row in rows:
        if not isinstance(row.cost, Unknown) and not isinstance(row.idle_share, Unknown):
            usd, idle, known = usd + row.cost, idle + row.cost * row.idle_share, known + 1
    return (idle / usd, known) if usd > 0 else Unknown("it is known of no workload that costs something")


def open_saving(rows: Sequence[WorkloadRow]) -> tuple[Saving, Total] | Unknown:
    """Sum of the savings proposed a month (lows and highs added: all forecasts erring the same way).

    Holds propose none. Unknown where there are proposals and the saving of none is known.
    """
    acts = [row.saving for row in rows if row.kind == "act"]
    known = [saving for saving in acts if not isinstance(saving, Unknown)]
    if acts and not known:
        return Unknown(f"the saving of none of the {len(acts)} proposals is known")
    summed = Saving(
        usd_per_month=sum(saving.usd_per_month for saving in known),
        low=sum(saving.low for saving in known),
        high=sum(saving.high for saving in known),
    )
    return summed, Total(amount=summed.usd_per_month, known=len(known), of=len(acts))


def over_budget(row: WorkloadRow) -> bool | Unknown:
    """Whether more requests were missed than the SLO allows; the failed ones alone may be too many."""
    if isinstance(row.error_budget, Unknown):
        return row.error_budget
    if not isinstance(row.missed_share, Unknown):
        return row.missed_share > row.error_budget
    if not isinstance(row.failed_share, Unknown) and row.failed_share > row.error_budget:
        return True
    return row.missed_share


def by_cost(rows: Iterable[WorkloadRow]) -> list[WorkloadRow]:
    """Dearest first; what has no known cost comes last, by name."""

    def key(row: WorkloadRow) -> tuple[bool, float, str]:
        unknown = isinstance(row.cost, Unknown)
        return unknown, 0.0 if isinstance(row.cost, Unknown) else -row.cost, row.workload

    return sorted(rows, key=key)


def movers(rows: Iterable[WorkloadRow], most: int) -> list[tuple[WorkloadRow, Change]]:
    """The `most` workloads whose cost changed most, either way; unchanged ones are not listed."""
    changed = [(row, step) for row in rows if not isinstance(step := change(row), Unknown) and step.amount]
    return sorted(changed, key=lambda pair: (-abs(pair[1].amount), pair[0].workload))[:most]
