"""What a whole fleet costs, would cost and would save: one sum for the table, the page, `/costs` and our metrics.

A shared host is in these sums once: its tenants pay shares that add up to its bill.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from domain.plan import Act, Recommendation
from domain.unknown import Unknown
from optimizer.placement import seats_in
from trimtab.priceages import price_age
from trimtab.records import Record, Status

NOT_FOLLOWED = (Status.EXPIRED, Status.DISMISSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """USD a month over the workloads of which the figure is known; `bill` is `plan` and `saving` together.

    `bill` is what runs today, of `billed` out of `workloads`; `saving` that of `saving_known` of the `acts` that
    stand, with its range. `hosts` are the shared hosts proposed, by name, with the whole bill of each. `price_age` is that
    of the oldest price in the sums, which is not known of `unaged` of their workloads.
    """

    workloads: int
    billed: int
    acts: int
    saving_known: int
    bill: float
    saving: float
    low: float
    high: float
    price_age: timedelta | Unknown
    unaged: int = 0
    hosts: dict[str, float] = field(default_factory=dict)

    @property
    def plan(self) -> float:
        """What would run if every proposal were followed, and all else stayed."""
        return self.bill - self.saving

    @property
    def prices(self) -> str | None:
        """How old the prices are, in words; None where nothing is summed."""
        if isinstance(self.price_age, Unknown):
            return "the age of the prices is not known" if self.unaged else None
        rest = f" (not known for {self.unaged} workload{'s' * (self.unaged != 1)})" if self.unaged else ""
        return f"prices up to {self.price_age.days} d old{rest}"

    @property
    def hosts_usd(self) -> float:
        return math.fsum(self.hosts.values())


def totals_of(records: Iterable[Record], now: datetime) -> Totals:
    """The sums at `now`. What has expired counts nowhere, what was dismissed counts as it runs."""
    stands = [(record.recommendation, record.status(now)) for record in records]
    bills = [each.current for each, status in stands if status is not Status.EXPIRED]
    known = [bill.usd_per_month for bill in bills if not isinstance(bill, Unknown)]
    acts = [each for each, status in stands if isinstance(each, Act) and status not in NOT_FOLLOWED]
    savings = [each.saving for each in acts if not isinstance(each.saving, Unknown)]
    summed = [each for each, status in stands if status is not Status.EXPIRED and _has_dollars(each)]
    ages = [price_age(each.evidence, now.astimezone(UTC).date()) for each in summed]
    aged = [age for age in ages if not isinstance(age, Unknown)]
    return Totals(
        workloads=len(stands),
        billed=len(known),
        acts=len(acts),
        saving_known=len(savings),
        bill=math.fsum(known),
        saving=math.fsum(saving.usd_per_month for saving in savings),
        low=math.fsum(saving.low for saving in savings),
        high=math.fsum(saving.high for saving in savings),
        price_age=max(aged) if aged else Unknown("no price of a known age is in the sums"),
        unaged=len(ages) - len(aged),
        hosts={seat.host: seat.host_usd_per_month for each in acts for seat in seats_in(each)},
    )


def _has_dollars(recommendation: Recommendation) -> bool:
    return isinstance(recommendation, Act) or not isinstance(recommendation.current, Unknown)
