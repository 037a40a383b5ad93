"""What came of what was taken up, in words: one line for each recommendation that nights were booked for lately."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboards.report.words import percent, rounded_money, signed
from domain.ledger import LedgerNight, LedgerTotals, totals_of
from domain.unknown import Unknown
from trimtab.store.nights import NIGHTS_A_MONTH

WORDS = {
    "load": "the load differed",
    "price": "prices changed",
    "capacity": "a replica carries or needs something else",
    "not_applied": "it did not run as proposed",
    "other": "the rest",
}
WORTH_A_WORD = 0.05  # of the promise, from which a part of the gap is named


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One recommendation; texts are ready to print, None where there is nothing to say."""

    id: str
    workload: str
    since: str
    nights: str
    promised: str
    realised: str | None
    unknown: str | None
    short: bool
    why: tuple[str, ...]
    missed: str
    broken: bool
    worse: tuple[str, ...]


def outcomes_of(nights: Sequence[LedgerNight], now: datetime) -> tuple[Outcome, ...]:
    """A line for each recommendation, the largest promise first."""
    mine: dict[str, list[LedgerNight]] = {}
    for row in nights:
        mine.setdefault(row.recommendation_id, []).append(row)
    ordered = sorted(
        mine.values(), key=lambda rows: (-totals_of(rows).promised_usd, rows[0].workload, rows[0].taken_up_at)
    )
    return tuple(_outcome(rows, now) for rows in ordered)


def _outcome(rows: Sequence[LedgerNight], now: datetime) -> Outcome:
    totals, last = totals_of(rows), rows[-1]
    month = NIGHTS_A_MONTH / totals.known_nights if totals.known_nights else 0.0
    missed = _missed(rows)
    promise = last.promised_usd
    return Outcome(
        id=last.recommendation_id,
        workload=last.workload,
        since=f"{last.taken_up} {(now - last.taken_up_at).days} d ago",
        nights=f"{totals.known_nights} of {len(rows)} night{'s' * (len(rows) != 1)} known",
        promised="not known" if isinstance(promise, Unknown) else _usd(promise * NIGHTS_A_MONTH),
        realised=_usd(totals.realised_usd * month) if totals.known_nights else None,
        unknown=next(
            (row.realised_usd.reason for row in reversed(rows) if isinstance(row.realised_usd, Unknown)), None
        ),
        short=totals.realised_usd < 0,
        why=tuple(_why(totals, month)),
        missed="not known" if missed is None else f"{percent(missed)} missed; {percent(last.budget)} may be",
        broken=missed is not None and missed > last.budget,
        worse=tuple(reason.detail for reason in last.worse),
    )


def _why(totals: LedgerTotals, month: float) -> Iterator[str]:
    """The parts of the gap that are worth a word, the largest first."""
    least = WORTH_A_WORD * abs(totals.promised_usd)
    for name, usd in sorted(totals.gap.items(), key=lambda part: -abs(part[1])):
        if abs(usd) > least:
            yield f"{WORDS[name]}: {signed(usd, _usd(usd * month))} a month"


def _missed(rows: Sequence[LedgerNight]) -> float | None:
    known = [
        (row.missed_share, row.requests)
        for row in rows
        if not isinstance(row.missed_share, Unknown) and not isinstance(row.requests, Unknown)
    ]
    came = sum(requests for _, requests in known)
    return sum(share * requests for share, requests in known) / came if came > 0 else None


def _usd(amount: float) -> str:
    return rounded_money(amount, "USD")
