"""Reports to render: one small night with every kind of gap in it, and fleets of any size."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np

from dashboards.report import DayCost, NightlyReport, PriceSource, Shortfall, WorkloadRow
from dashboards.report.aims import AlertLine, MonthLine, Range, Realised, Share, UnusualCost
from domain.load import LoadHistory
from domain.plan import Reason, Saving
from domain.unknown import Unknown
from domain.workload import ServingMode

DAY = date(2026, 3, 17)
MIDNIGHT = datetime(2026, 3, 17, tzinfo=UTC)
NASTY = 'chat:<b onload="x">"quoted" & é世界'


def day_load(peak_rps: float, *, hole: slice | None = None, shift: float = 0.0) -> LoadHistory:
    """A day at 5-minute steps: quiet at night, busy in the afternoon, missing in `hole` (in steps)."""
    hours = np.arange(288) / 12
    values = peak_rps * (0.25 + 0.75 * np.maximum(0.0, np.sin(math.pi * (hours - 6 - shift) / 14)))
    if hole is not None:
        values[hole] = np.nan
    return LoadHistory(start=MIDNIGHT, step=timedelta(minutes=5), values=values)


def scheduled() -> WorkloadRow:
    """Known all through, with a proposal."""
    return WorkloadRow(
        workload="vision:digits",
        team="perception",
        model="digits",
        recommendation_id="0a1b2c3d4e5f6071",
        kind="act",
        mode=ServingMode.DEDICATED,
        proposed_mode=ServingMode.DEDICATED,
        replicas=12.0,
        proposed_replicas=6.4,
        cost=151.49,
        previous_cost=148.2,
        proposed_cost=80.79,
        saving=Saving(usd_per_month=2150.4, low=1720.0, high=2390.25),
        requests=4_812_330.0,
        missed_share=0.00042,
        failed_share=0.0002,
        error_budget=0.001,
        idle_share=0.61,
        price_age=timedelta(days=3),
        load=day_load(92.0),
        reasons=(
            Reason(
                code="schedule",
                detail="Load rises and falls by the clock; replicas follow it",
                before="12 all day",
                after="3 to 11",
            ),
            Reason(code="proof", detail="Over the last 21 days this would have missed 0.06 % of requests"),
        ),
    )


def to_serverless() -> WorkloadRow:
    """A team-less one that missed more than it may, moves mode, and has a hole in its day."""
    return replace(
        scheduled(),
        workload="search:rerank",
        team=None,
        model="rerank",
        recommendation_id="1b2c3d4e5f607182",
        proposed_mode=ServingMode.SERVERLESS,
        replicas=2.0,
        proposed_replicas=0.3,
        cost=25.248,
        previous_cost=25.248,
        proposed_cost=0.0731,
        saving=Saving(usd_per_month=765.7, low=760.1, high=767.0),
        requests=1_204.0,
        missed_share=0.0141,
        failed_share=0.0,
        idle_share=0.9962,
        price_age=Unknown("the tariff table states no date"),
        load=day_load(0.04, hole=slice(36, 85), shift=2.0),
        reasons=(
            Reason(
                code="mode",
                detail="At 1,204 requests a day pay-per-use is cheaper up to 61,000",
                before="dedicated",
                after="serverless",
            ),
        ),
    )


def held() -> WorkloadRow:
    """Held for want of history; what runs is known, what it costs is not."""
    nothing = Unknown("held: nothing is proposed")
    return replace(
        scheduled(),
        workload=NASTY,
        team="assistants",
        model="llama-8b",
        recommendation_id="2c3d4e5f60718293",
        kind="hold",
        proposed_mode=nothing,
        proposed_replicas=nothing,
        replicas=3.0,
        cost=Unknown("no price for p9x.large in eu-north-1"),
        previous_cost=Unknown("no price for p9x.large in eu-north-1"),
        proposed_cost=nothing,
        saving=nothing,
        requests=88_020.0,
        tokens=41_204_000.0,
        missed_share=Unknown("the runtime exports no latency"),
        failed_share=0.0003,
        idle_share=Unknown("its capacity is not known"),
        price_age=Unknown("no price for p9x.large in eu-north-1"),
        load=day_load(1.9, hole=slice(0, 200)),
        reasons=(Reason(code="thin_history", detail="9 of the 14 days needed have been seen"),),
        needs="5 more days of history",
    )


def unseen() -> WorkloadRow:
    """Held because nothing answered."""
    silent = Unknown("Prometheus did not answer between 00:00 and 24:00")
    return replace(
        held(),
        workload="asr:whisper",
        team="assistants",
        recommendation_id="3d4e5f6071829304",
        mode=silent,
        replicas=silent,
        requests=silent,
        tokens=silent,
        missed_share=silent,
        failed_share=silent,
        idle_share=silent,
        load=silent,
        cost=0.0,
        previous_cost=12.5,
        reasons=(
            Reason(code="source_unavailable", detail="Prometheus did not answer between 00:00 and 24:00"),
            Reason(code="last_good", detail="The plan of 16 March is kept until it expires"),
        ),
        needs="Prometheus answering again",
    )


def aims() -> tuple[MonthLine, ...]:
    """A budget that will be exceeded with a target that is missed, one on pace, and a team of which nothing is known."""
    return (
        MonthLine(
            whose="team perception",
            spent=2_480.5,
            spent_whole=True,
            forecast=Range(amount=4_561.0, low=4_320.0, high=4_799.0),
            budget=4_000.0,
            attained=Share(share=0.99871, known=15, of=17),
            target=0.999,
            goal="Half of last year's cost per 1,000 requests",
            owner="jo",
            stakeholders=("finance", "sre"),
            review_on=date(2026, 3, 15),
            review_due=True,
        ),
        MonthLine(
            whose="search:rerank",
            spent=402.1,
            spent_whole=False,
            forecast=Range(amount=782.0, low=760.0, high=805.0),
            budget=1_000.0,
            review_on=date(2026, 6, 1),
        ),
        MonthLine(
            whose="team assistants",
            spent=Unknown("the cost of no day since 2026-03-01 is known"),
            spent_whole=False,
            forecast=Unknown("only 2 of the last 14 days were watched, 3 are needed"),
            budget=900.0,
            attained=Unknown("the runtime exports no latency"),
            target=0.99,
        ),
    )


def alerts() -> tuple[AlertLine, ...]:
    """One that is over and one that still fires."""
    return (
        AlertLine(
            name="TrimtabErrorBudgetBurnFast",
            severity="critical",
            workload="search:rerank",
            team="search",
            starts_at=MIDNIGHT + timedelta(hours=14, minutes=5),
            ends_at=MIDNIGHT + timedelta(hours=14, minutes=40),
            summary="search:rerank spends its error budget of 30 days 14.4 times too fast.",
        ),
        AlertLine(
            name="TrimtabCostOverBudget",
            severity="warning",
            workload=None,
            team="perception",
            starts_at=MIDNIGHT - timedelta(hours=30),
            ends_at=None,
            summary="perception: 2480 USD were spent this month.",
        ),
    )


def small_night() -> NightlyReport:
    """Four workloads: two to act on, two held, and a part of the night missing."""
    trend = tuple(
        DayCost(
            day=DAY - timedelta(days=13 - i),
            cost=Unknown("the store has no costs of this day") if i == 4 else 160.0 + 24 * math.sin(i / 2) + i,
        )
        for i in range(13)
    )
    return NightlyReport(
        date=DAY,
        generated_at=datetime(2026, 3, 18, 2, 0, 5, tzinfo=UTC),
        rows=(scheduled(), to_serverless(), held(), unseen()),
        price_sources=(
            PriceSource(name="AWS on-demand, us-east-1", as_of=date(2026, 3, 14)),
            PriceSource(name="AWS Lambda tariff", as_of=None),
        ),
        trend=(*trend, DayCost(day=DAY, cost=176.738)),
        month=MonthLine(
            whose="all workloads",
            spent=2_882.6,
            spent_whole=False,
            forecast=Range(amount=5_343.0, low=5_080.0, high=5_604.0),
        ),
        objectives=aims(),
        realised_day=Realised(promised=70.7, realised=64.2, known=1, of=1),
        realised_month=Realised(promised=1_131.2, realised=1_004.9, known=16, of=17),
        unusual=(UnusualCost(workload="search:rerank", cost=25.248, usual=12.1, low=11.8, high=12.9, days=13),),
        alerts=alerts(),
        shortfalls=(Shortfall(section="Requests of asr:whisper", reason="Prometheus did not answer"),),
        base_url="http://127.0.0.1:8000/",
    )


def fleet_night(workloads: int) -> NightlyReport:
    """`workloads` rows like those of the small night, under other names and amounts."""
    shapes = (scheduled(), to_serverless(), held(), unseen())
    rows = tuple(
        replace(
            shapes[i % len(shapes)],
            workload=f"service-{i % 37:02d}:model-{i:04d}-instruct-v{i % 5}",
            recommendation_id=f"{i:016x}",
            team=f"team-{i % 9}",
            load=shapes[i % len(shapes)].load
            if isinstance(shapes[i % len(shapes)].load, Unknown)
            else day_load(3.0 + i * 0.37, shift=i % 11),
        )
        for i in range(workloads)
    )
    return replace(small_night(), rows=rows)
