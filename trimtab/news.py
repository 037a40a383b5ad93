"""News worth telling, as events that go on while they are news: what is proposed, and the newest cost report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

from domain.plan import Act, Configuration, Saving
from domain.ports import Event
from domain.unknown import Unknown
from trimtab.present import most_telling
from trimtab.records import Record, Status
from trimtab.store.journal import DayCosts, Journal
from trimtab.web.view import runs, usd

REPORT_IS_NEWS = timedelta(hours=24)  # from when it was written


def proposals(records: Iterable[Record], at: datetime) -> Iterator[Event]:
    """Every change that is proposed and on which nobody has decided yet; one that is held for now still stands."""
    for record in records:
        act = record.recommendation
        undecided = record.decision is Status.OPEN and record.status(at) in (Status.OPEN, Status.HELD)
        if isinstance(act, Act) and undecided:
            yield Event(
                key=f"recommendation:{act.workload}",
                severity="info",
                summary=_headline(act.saving),
                detail=f"{act.workload}: {_saved(act.saving)}: {runs(act.plan.proposed)}{_instead(act.current)}.{_because(act)}",
                at=at,
            )


def report_written(journal: Journal, at: datetime) -> Iterator[Event]:
    """The report of the newest day that is over, for a day after it was written."""
    for day, written in journal.report_days(None, 2):
        if written.astimezone(UTC).date() > day:
            if at - written < REPORT_IS_NEWS:
                yield Event(
                    key=f"report:{day}",
                    severity="info",
                    summary=f"The cost report of {day} is written.",
                    detail=_cost(journal.costs(day, day), day),
                    at=written,
                    until=written + REPORT_IS_NEWS,
                )
            return


def _headline(saving: Saving | Unknown) -> str:
    if isinstance(saving, Unknown):
        return "A change is proposed."
    return "A change would save money." if saving.usd_per_month > 0 else "A change would cost more, and hold the SLO."


def _saved(saving: Saving | Unknown) -> str:
    if isinstance(saving, Unknown):
        return f"the saving is not known ({saving.reason})"
    more = "less" if saving.usd_per_month > 0 else "more"
    return f"{usd(abs(saving.usd_per_month))} a month {more} ({usd(saving.low)} to {usd(saving.high)} saved)"


def _instead(current: Configuration | Unknown) -> str:
    return "" if isinstance(current, Unknown) else f", in place of {runs(current)}"


def _because(act: Act) -> str:
    reasons = most_telling(act.reasons)
    return f" Why: {reasons[0].detail.rstrip('.')}." if reasons else ""


def _cost(costs: Sequence[DayCosts], day: date) -> str:
    """What the day cost, over the workloads of which that is known; of how many it is not."""
    known = [cost.usd for cost in costs if not isinstance(cost.usd, Unknown)]
    if not known:
        return f"What {day} cost is not known of any workload."
    unknown = len(costs) - len(known)
    rest = f"; of {unknown} more it is not known" if unknown else ""
    return f"{len(known)} workload{'s' * (len(known) != 1)} cost {usd(sum(known))} on {day}{rest}."
