"""Hand-made recommendations and workloads, where a test needs some and not how they were made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from domain.plan import (
    Act,
    CalendarStep,
    Configuration,
    Evidence,
    Hold,
    Plan,
    Reason,
    Saving,
    recommendation_id,
)
from domain.unknown import Unknown
from domain.workload import PurchaseMix, ServingMode, Workload
from optimizer.machines import NO_MACHINES
from trimtab.records import Record
from trimtab.store.journal import Alert

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOURS = 24


def a_workload(name: str = "shop:ranker") -> Workload:
    """A workload of our own server."""
    service, model = (name.split(":") * 2)[:2]
    return Workload(id=name, runtime="trimtab-serving", labels={"service": service, "model": model}, team="shop")


def a_configuration(replicas: int = 8, usd: float = 560.64, mode: ServingMode = ServingMode.DEDICATED) -> Configuration:
    """So many machines, all on demand."""
    return Configuration(
        replicas=replicas,
        mean_replicas=float(replicas),
        mode=mode,
        purchase=PurchaseMix(on_demand=float(replicas)),
        offer="m5.large",
        usd_per_month=usd,
        replicas_per_machine=NO_MACHINES.get(mode, 1),
    )


def an_evidence() -> Evidence:
    """A forecast that rises by 1 request/s an hour, at two levels, and a price that is 60 days old at NOON."""
    rising = [float(hour) for hour in range(HOURS)]
    return Evidence(
        inputs_sha256="ab" * 32,
        forecast={
            "origin": "2026-03-02T12:00:00Z",
            "model": "combined",
            "step_s": 3600.0,
            "plan_quantile": 0.75,
            "mean_rps": rising,
            "quantiles_rps": {"p50": rising, "p99": [2 * load for load in rising]},
        },
        backtest={"scoreboard": [{"model": "combined", "mae": 1.5}]},
        replay={"rows": [{"policy": "trimtab", "usd": 3.5}]},
        capacity={"rate_rps": 4.0, "time_to_ready_s": 300.0},
        prices={"used": [{"what": "m5.large on demand", "usd": 0.096, "source": "list", "as_of": "2026-01-01"}]},
    )


def an_act(
    name: str = "shop:ranker",
    at: datetime = NOON,
    *,
    saving: float | None = 210.24,
    mode: ServingMode = ServingMode.DEDICATED,
) -> Act:
    """Five machines in the place of eight; `saving` None is not known."""
    known = None if saving is None else Saving(usd_per_month=saving, low=saving / 2, high=saving * 1.1)
    proposed = a_configuration(0 if mode is ServingMode.SERVERLESS else 5, 350.4, mode)
    return Act(
        id=recommendation_id(name, at),
        workload=name,
        created_at=at,
        valid_until=at + timedelta(hours=6),
        current=a_configuration() if known else Unknown("what it runs on is not declared"),
        plan=Plan(
            proposed=proposed,
            usd_per_month_low=300.0,
            usd_per_month_high=420.0,
            calendar=(CalendarStep(at=at, replicas=5), CalendarStep(at=at + timedelta(hours=8), replicas=2)),
            reasons=(Reason(code="mode_chosen", detail="dedicated on m5.large costs least"),),
        ),
        saving=known or Unknown("what runs today is not known"),
        confidence=0.9,
        reasons=(
            Reason(code="forecast", detail="23 requests/s at most"),
            Reason(code="mode_chosen", detail="dedicated on m5.large costs least"),
            Reason(code="step_down", detail="at most half at once", before="3", after="5"),
        ),
        evidence=an_evidence(),
    )


def a_hold(name: str = "shop:young", at: datetime = NOON, *, last_good: int | None = None) -> Hold:
    """Held for want of history."""
    return Hold(
        id=recommendation_id(name, at),
        workload=name,
        created_at=at,
        valid_until=at + timedelta(hours=6),
        current=Unknown("what it runs on is not declared"),
        last_good=Unknown("there was no recommendation before") if last_good is None else last_good,
        needs="more history of the load",
        reasons=(Reason(code="thin_history", detail="1 d of load history; needed: 2 d"),),
        evidence=Evidence(inputs_sha256="cd" * 32),
    )


def a_record(recommendation: Act | Hold | None = None) -> Record:
    """The recommendation as just decided, its load last seen a minute before."""
    it = recommendation or an_act()
    return Record(
        recommendation=it, observed_at=it.created_at, last_seen={"request_rate": it.created_at - timedelta(minutes=1)}
    )


def an_alert(fingerprint: str = "f", at: datetime = NOON, ends_at: datetime | None = None, **labels: str) -> Alert:
    """An alert as Alertmanager told of it when it began, or when it ended."""
    return Alert(
        fingerprint=fingerprint,
        status="firing" if ends_at is None else "resolved",
        starts_at=at,
        ends_at=ends_at,
        received_at=ends_at or at,
        labels=labels,
        annotations={"summary": "Requests are failing."},
    )
