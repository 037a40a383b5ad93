"""The nightly report as data: what one day cost, what is proposed, what was held and why.

Amounts are in `NightlyReport.currency`. Whatever could not be had is `Unknown` with its reason:
the page says "not known", the CSV leaves the cell empty and gives the reason beside it. Sums,
changes and dollars per 1,000 requests are derived in `figures`, so that a row holds facts only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from dashboards.report.aims import AlertLine, MonthLine, Realised, UnusualCost
from dashboards.report.charges import Charge, LeftOut
from domain.load import LoadHistory
from domain.plan import Reason, Saving
from domain.unknown import Unknown
from domain.workload import ServingMode

NOT_COUNTED = Unknown("how much of the day was seen was not counted")
NOT_ASKED = Unknown("the share of failed requests was not asked for")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadRow:
    """One workload on the report's day (from midnight to midnight in the report's time zone).

    `cost` is what the day cost as it ran, `previous_cost` the day before, `proposed_cost` what a
    day costs in the proposed configuration (its dollars a month x 24/730). `saving` is the
    recommendation's own, a month, with low and high. Replicas are means over the day (current) and
    of the plan (proposed). `price_age` is that of the oldest price used.

    `requests` is how many arrived; of them `failed_share` were answered with an error or not at all,
    `missed_share` failed or broke the latency SLO at least (so it is never the smaller one), and
    `error_budget` may be missed. `tokens` were read and generated, None where the runtime knows of none. `idle_share` is the part of paid capacity that did no work. All four
    are 0..1. `load` is the day's requests/s, gaps and all, drawn as a small curve. `needs` is what
    would end a hold. `covered` (0..1) is how much of the day the cost rests on: 0 where it is that of what ran on another day.
    """

    workload: str
    recommendation_id: str
    kind: Literal["act", "hold"]
    mode: ServingMode | Unknown
    proposed_mode: ServingMode | Unknown
    replicas: float | Unknown
    proposed_replicas: float | Unknown
    cost: float | Unknown
    previous_cost: float | Unknown
    proposed_cost: float | Unknown
    saving: Saving | Unknown
    requests: float | Unknown
    missed_share: float | Unknown
    error_budget: float | Unknown
    idle_share: float | Unknown
    price_age: timedelta | Unknown
    load: LoadHistory | Unknown
    failed_share: float | Unknown = NOT_ASKED
    covered: float | Unknown = NOT_COUNTED
    tokens: float | Unknown | None = None
    reasons: tuple[Reason, ...] = ()
    needs: str | None = None
    team: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSource:
    """Where prices of this report come from and the date they were true (None: not stated there)."""

    name: str
    as_of: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCost:
    """What the whole fleet cost on one day, for the chart of the last days."""

    day: date
    cost: float | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """A part of the report that could not be made whole, and why."""

    section: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NightlyReport:
    """Everything a night's report says; workload ids are unique, `generated_at` is aware.

    `timezone` (IANA) is where the day begins and ends. `trend` ends with the report's day, oldest first. `base_url` is where the API answers, so that
    a row can link to its workload; None leaves the links out. `month` is the fleet's. What was realised of savings that were
    taken up is told of the day and of the month up to it; None where no ledger is kept. `alerts_lack` says why there may have been more alerts.
    """

    date: date
    generated_at: datetime
    rows: tuple[WorkloadRow, ...]
    price_sources: tuple[PriceSource, ...] = ()
    trend: tuple[DayCost, ...] = ()
    shortfalls: tuple[Shortfall, ...] = ()
    month: MonthLine | None = None
    objectives: tuple[MonthLine, ...] = ()
    realised_day: Realised | None = None
    realised_month: Realised | None = None
    unusual: tuple[UnusualCost, ...] = ()
    alerts: tuple[AlertLine, ...]
    alerts_lack: Unknown | None = None
    charges: tuple[Charge, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    billing_account: str | None = None
    currency: str = "USD"
    timezone: str = "UTC"
    base_url: str | None = None

    def __post_init__(self) -> None:
        if self.generated_at.tzinfo is None:
            raise ValueError("a report is generated at an aware datetime")
        ids = [row.workload for row in self.rows]
        if len(set(ids)) != len(ids):
            twice = sorted({workload for workload in ids if ids.count(workload) > 1})
            raise ValueError(f"each workload has one row, unlike {', '.join(twice)}")
