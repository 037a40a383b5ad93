"""Recommendations for the tests of manifests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from domain.plan import Act, CalendarStep, Configuration, Evidence, Hold, Plan, Reason, Saving
from domain.unknown import Unknown
from domain.workload import Bounds, PurchaseMix, ScaleTarget, ServingMode, Workload

MONDAY = datetime(2026, 1, 5, 8, tzinfo=UTC)
ODD_NAME = 'q"uo\\te:ünï☃\nkind: Secret # |'
DIGITS = Workload(
    id="vision:digits",
    runtime="trimtab-serving",
    bounds=Bounds(min_replicas=2, max_replicas=40),
    target=ScaleTarget(name="digits", namespace="vision"),
)
ODD = Workload(id=ODD_NAME, runtime="trimtab-serving")
# Office hours: 9 replicas at night, 16 from 7 to 19 on five days.
OFFICE = tuple(
    CalendarStep(at=MONDAY.replace(hour=hour) + timedelta(days=day), replicas=replicas)
    for day in range(5)
    for hour, replicas in ((7, 16), (19, 9))
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
