"""Recommendations for the tests of manifests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from domain.plan import Act, CalendarStep, Configuration, Evidence, Hold, Plan, Reason, Saving
from domain.unknown import Unknown
from domain.workload import Bounds, PurchaseMix, Resources, ScaleTarget, ServingMode, Workload

MONDAY = datetime(2026, 1, 5, 8, tzinfo=UTC)
ODD_NAME = 'q"uo\\te:ünï☃\nkind: Secret # |'
DIGITS = Workload(
    id="vision:digits",
    runtime="trimtab-serving",
    bounds=Bounds(min_replicas=2, max_replicas=40),
    resources=Resources(cpu_cores=1.8, memory_gib=3, accelerator="T4", accelerator_count=1),
    target=ScaleTarget(name="digits", namespace="vision", container="server"),
)
ECS = Workload(
    id="vision:ecs",
    runtime="trimtab-serving",
    bounds=Bounds(min_replicas=2, max_replicas=40),
    target=ScaleTarget(
        kind="EcsService",
        name="digits",
        cluster="inference",
        on_demand_provider="FARGATE",
        spot_provider="FARGATE_SPOT",
    ),
)
ODD = Workload(id=ODD_NAME, runtime="trimtab-serving")
# Office hours: 9 replicas at night, 16 from 7 to 19 on five days.
OFFICE = tuple(
    CalendarStep(at=MONDAY.replace(hour=hour) + timedelta(days=day), replicas=replicas)
    for day in range(5)
    for hour, replicas in ((7, 16), (19, 9))
)

# From Monday 08:00 for a week: busy days, quiet nights, and a weekend of its own.
WEEK = tuple(
    CalendarStep(at=MONDAY + timedelta(days=day, hours=hour), replicas=replicas)
    for day in range(7)
    for hour, replicas in (((0, 16), (11.75, 9)) if day < 5 else ((0, 6),))
)


def configuration(replicas: int, mode: ServingMode = ServingMode.DEDICATED) -> Configuration:
    """`replicas` of some machine."""
    return Configuration(
        replicas=replicas,
        mean_replicas=float(replicas),
        mode=mode,
        purchase=PurchaseMix(on_demand=float(replicas)),
        offer="m6i.large",
        usd_per_month=70.0 * replicas,
    )


def act(
    workload: str,
    replicas: int,
    *,
    mode: ServingMode = ServingMode.DEDICATED,
    calendar: tuple[CalendarStep, ...] = (),
    current: Configuration | Unknown | None = None,
) -> Act:
    """A recommendation to run `replicas`, made on a Monday at 8 and valid for six hours."""
    running = configuration(20) if current is None else current
    saving = 70.0 * (20 - replicas)
    return Act(
        id="0123456789abcdef",
        workload=workload,
        created_at=MONDAY,
        valid_until=MONDAY + timedelta(hours=6),
        current=running,
        plan=Plan(
            proposed=configuration(replicas, mode), usd_per_month_low=1.0, usd_per_month_high=2.0, calendar=calendar
        ),
        saving=Saving(usd_per_month=saving, low=saving - 50, high=saving + 50),
        confidence=0.9,
        reasons=(Reason(code="forecast_peak", detail="The week's peak needs 16 replicas.\nNot a new line."),),
        evidence=Evidence(inputs_sha256="0" * 64),
    )


def planned(advice: Act, schedule: tuple[CalendarStep, ...] = WEEK) -> Act:
    """The same with a schedule that serves alone."""
    return replace(advice, plan=replace(advice.plan, schedule=schedule))


def bought(advice: Act, *, reserved: float = 0.0, on_demand: float = 0.0, spot: float = 0.0) -> Act:
    """The same with its replicas bought so."""
    mix = PurchaseMix(reserved=reserved, on_demand=on_demand, spot=spot)
    return replace(advice, plan=replace(advice.plan, proposed=replace(advice.plan.proposed, purchase=mix)))


def hold(workload: str) -> Hold:
    """A hold that never had a number."""
    return Hold(
        id="fedcba9876543210",
        workload=workload,
        created_at=MONDAY,
        valid_until=MONDAY + timedelta(hours=6),
        current=Unknown("nothing is scraped"),
        last_good=Unknown("never had one"),
        needs="14 days of history | there are 3",
        reasons=(),
        evidence=Evidence(inputs_sha256="0" * 64),
    )
