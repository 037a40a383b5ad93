"""What the page shows, in words: made from records, so that the template only places it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboards.report.words import rounded_money
from domain.ledger import LedgerNight
from domain.plan import Act, Configuration
from domain.unknown import Unknown
from domain.workload import PurchaseMix
from trimtab.present import most_telling, placed
from trimtab.priceages import age_text
from trimtab.records import Record, Status
from trimtab.store.events import NEWS
from trimtab.store.journal import Alert
from trimtab.totals import Totals, totals_of
from trimtab.web.outcomes import Outcome, outcomes_of

REASONS_SHOWN = 3
ALERTS_SHOWN = 3
TIMES = "\N{MULTIPLICATION SIGN}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An alert on the workload, as a line; `trouble` while it fires and is more than news."""

    text: str
    trouble: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One workload; texts are ready to print, None where there is nothing to say."""

    id: str
    workload: str
    tag: str
    tag_class: str
    decided: str | None
    now: str
    now_unknown: bool
    proposed: str | None
    mode: str | None
    saving: str | None
    saving_range: str | None
    saving_unknown: str | None
    price_age: str | None
    why: tuple[str, ...]
    needs: str | None
    held: str | None
    alerts: tuple[Told, ...]
    age: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The whole page."""

    lines: tuple[Line, ...]
    acts: int
    holds: int
    cost: str
    cost_note: str
    saving: str
    saving_note: str
    last_cycle: str
    failure: str | None
    outcomes: tuple[Outcome, ...]


def page_of(
    records: Sequence[Record],
    *,
    last_cycle: datetime | None,
    failure: str | None,
    now: datetime,
    alerts: Mapping[str, Sequence[Alert]] | None = None,
    nights: Sequence[LedgerNight] = (),
) -> Page:
    """The page at `now`: the largest saving first, holds last. What has expired or was dismissed is in no sum.

    `alerts` are those that Alertmanager told of each workload, the latest first; `nights` are those of the ledger
    that are shown, by night.
    """
    told = alerts or {}
    ordered = sorted(records, key=lambda record: (-_saving(record), record.recommendation.workload))
    totals = totals_of(records, now)
    return Page(
        lines=tuple(_line(record, told.get(record.recommendation.workload, ()), now) for record in ordered),
        acts=totals.acts,
        holds=totals.workloads - totals.acts,
        cost=usd(totals.bill) if totals.billed else "not known",
        cost_note=_cost_note(totals),
        saving=usd(totals.saving) if totals.saving_known else "none yet",
        saving_note=_saving_note(totals),
        last_cycle="no cycle has been run yet" if last_cycle is None else f"last cycle {span(now - last_cycle)} ago",
        failure=failure,
        outcomes=outcomes_of(nights, now),
    )


def _cost_note(totals: Totals) -> str:
    note = f"a month as it runs; known for {totals.billed} of {_workloads(totals.workloads)}"
    return note if totals.prices is None else f"{note}; {totals.prices}"


def _saving_note(totals: Totals) -> str:
    """The range, what the plan costs then, and the hosts that are shared in it."""
    if not totals.saving_known:
        return "nothing to act on"
    note = f"{usd(totals.low)} to {usd(totals.high)} a month, over {_workloads(totals.saving_known)}"
    if totals.hosts:
        count = len(totals.hosts)
        note += f"; {count} shared host{'s' * (count != 1)} at {usd(totals.hosts_usd)} together"
    return f"{note}; {usd(totals.plan)} would be left to pay"


def _workloads(count: int) -> str:
    return f"{count} workload{'s' * (count != 1)}"


def _saving(record: Record) -> float:
    recommendation = record.recommendation
    if isinstance(recommendation, Act):
        return -1e299 if isinstance(recommendation.saving, Unknown) else recommendation.saving.usd_per_month
    return -1e300


def _line(record: Record, alerts: Sequence[Alert], now: datetime) -> Line:
    recommendation = record.recommendation
    status = record.status(now)
    current = recommendation.current
    act = recommendation if isinstance(recommendation, Act) else None
    saving = None if act is None or isinstance(act.saving, Unknown) else act.saving
    return Line(
        id=recommendation.id,
        workload=recommendation.workload,
        tag=_tag(record, status),
        tag_class="act" if act is not None and status in (Status.OPEN, Status.ACCEPTED, Status.APPLIED) else "hold",
        decided=_decided(record, status, now),
        now=current.reason if isinstance(current, Unknown) else runs(current),
        now_unknown=isinstance(current, Unknown),
        proposed=None if act is None else runs(act.plan.proposed),
        mode=None if act is None else act.plan.proposed.mode.value,
        saving=None if saving is None else usd(saving.usd_per_month),
        saving_range=None if saving is None else f"{usd(saving.low)} to {usd(saving.high)}",
        saving_unknown=act.saving.reason if act is not None and isinstance(act.saving, Unknown) else None,
        price_age=age_text(recommendation.evidence, now.date()),
        why=tuple(reason.detail for reason in most_telling(recommendation.reasons)[:REASONS_SHOWN]),
        needs=None if isinstance(recommendation, Act) else recommendation.needs,
        held=None if record.held is None else f"held for {span(now - record.held.since)}: {record.held.reason}",
        alerts=tuple(_told(alert, now) for alert in sorted(alerts, key=_ended)[:ALERTS_SHOWN]),
        age=span(record.age(now)),
    )


def _ended(alert: Alert) -> bool:
    return alert.status != "firing"


def _told(alert: Alert, now: datetime) -> Told:
    what = alert.annotations.get("summary") or alert.labels.get("alertname", "An alert without a name.")
    if _ended(alert):
        over = alert.ends_at or alert.received_at
        return Told(text=f"{what} Over for {span(now - over)}, after {span(over - alert.starts_at)}.", trouble=False)
    severity = alert.labels.get("severity", "alert")
    return Told(text=f"{severity.capitalize()} for {span(now - alert.starts_at)}: {what}", trouble=severity != NEWS)


def _tag(record: Record, status: Status) -> str:
    if status is Status.OPEN:
        return record.recommendation.kind
    return status.value


def _decided(record: Record, status: Status, now: datetime) -> str | None:
    """By whom it was decided and when, and what where the tag says something else; None where no name was given."""
    if record.decided_at is None or record.decided_by is None:
        return None
    what = "" if status is record.decision else f"{record.decision} "
    return f"{what}by {record.decided_by} {span(now - record.decided_at)} ago"


def runs(configuration: Configuration) -> str:
    """How many replicas on how many machines (where there are any of its own), what they are, and the bill."""
    machines, each = configuration.machines, configuration.replicas_per_machine
    ways = [configuration.mode.value, *bought(configuration.purchase), f"{usd(configuration.usd_per_month)} a month"]
    on = placed(
        configuration.offer,
        replicas=configuration.replicas,
        mean_replicas=configuration.mean_replicas,
        machines=None if isinstance(machines, Unknown) else machines,
        each=None if isinstance(each, Unknown) else each,
        times=TIMES,
    )
    return f"{on}, {', '.join(ways)}"


def bought(purchase: PurchaseMix) -> list[str]:
    """Shares of what is reserved and what is spot, where there is any; the rest is on demand."""
    shares = {"reserved": purchase.reserved, "spot": purchase.spot}
    return [f"{share / purchase.replicas:.0%} {way}" for way, share in shares.items() if share > 0]


def usd(amount: float) -> str:
    """A rounded sum of dollars."""
    return rounded_money(amount, "USD")


def span(duration: timedelta) -> str:
    """A duration in its largest fitting unit: `40 s`, `12 min`, `5 h`, `3 d`."""
    seconds = max(0.0, duration.total_seconds())
    for size, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
