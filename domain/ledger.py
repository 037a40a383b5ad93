"""What was promised and what came of it: one row for each recommendation that was taken up and each night (UTC).

Amounts are USD of that night. They are kept to the nearest 2^-20 of a dollar (a millionth, as a binary
fraction), so that adding and subtracting them is exact up to 8 billion dollars: parts add up to their
gap, and rows to their totals, to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from domain.plan import Reason
from domain.unknown import Unknown

GRAIN = 2.0**-20
TakenUp = Literal["accepted", "applied"]


def exact(usd: float) -> float:
    """The amount to the nearest grain."""
    return round(usd / GRAIN) * GRAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Why what was realised is not what was promised; negative parts are dollars that were promised and did not come.

    A part that cannot be told is Unknown, and its dollars are in `other`: what is known and `other` are the whole gap.
    """

    load: float | Unknown
    price: float | Unknown
    capacity: float | Unknown
    not_applied: float | Unknown
    other: float

    @property
    def usd(self) -> float:
        """The whole gap: realised less promised."""
        return sum(part for part in self.parts().values() if not isinstance(part, Unknown))

    def parts(self) -> dict[str, float | Unknown]:
        """Each reason with its dollars."""
        return {name: getattr(self, name) for name in PARTS}


PARTS = ("load", "price", "capacity", "not_applied", "other")


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerNight:
    """One night of one recommendation that was taken up.

    `promised_usd` is its saving a month x 24/730. `baseline_usd` is what would have been paid that night had what
    ran when it was taken up gone on, `ran_usd` what was paid, both at the night's load and the newest prices;
    `realised_usd` is the difference. `followed_share` (0..1) is the part of the night in which it ran as proposed.

    `missed_share` of the `requests` failed or came late at least; `missed_before` is the same of the stretch that the
    recommendation was decided on, `would_have_missed` what the baseline would have missed of this night's load.
    `worse` says in what it made things worse, over the last nights up to this one; empty where nothing shows that.
    """

    night: date
    workload: str
    recommendation_id: str
    taken_up_at: datetime
    taken_up: TakenUp
    promised_usd: float | Unknown
    baseline_usd: float | Unknown
    ran_usd: float | Unknown
    realised_usd: float | Unknown
    gap: Gap | Unknown
    followed_share: float | Unknown
    requests: float | Unknown
    missed_share: float | Unknown
    missed_before: float | Unknown
    would_have_missed: float | Unknown
    budget: float
    worse: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerTotals:
    """Sums over the nights of which promise and outcome are both known; the others are counted and not summed.

    `gap` has the sum of each part where it was known (the rest is in `other`).
    """

    nights: int
    known_nights: int
    promised_usd: float
    realised_usd: float
    gap: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The rows of a stretch of nights, by night, workload and moment of being taken up, and their sums."""

    nights: tuple[LedgerNight, ...]
    totals: LedgerTotals


def ledger_of(nights: Sequence[LedgerNight]) -> Ledger:
    """These rows in order, with their sums."""
    ordered = sorted(nights, key=lambda row: (row.night, row.workload, row.taken_up_at, row.recommendation_id))
    return Ledger(nights=tuple(ordered), totals=totals_of(ordered))


def totals_of(nights: Sequence[LedgerNight]) -> LedgerTotals:
    """The sums of these rows, in any order."""
    promised, realised, known = 0.0, 0.0, 0
    gap = dict.fromkeys(PARTS, 0.0)
    for row in nights:
        if (
            isinstance(row.promised_usd, Unknown)
            or isinstance(row.realised_usd, Unknown)
            or isinstance(row.gap, Unknown)
        ):
            continue
        promised, realised, known = promised + row.promised_usd, realised + row.realised_usd, known + 1
        for name, part in row.gap.parts().items():
            gap[name] += 0.0 if isinstance(part, Unknown) else part
    return LedgerTotals(nights=len(nights), known_nights=known, promised_usd=promised, realised_usd=realised, gap=gap)
