"""Hand-made rows of the ledger."""

from __future__ import annotations

from datetime import UTC, date, datetime

from domain.ledger import Gap, LedgerNight
from domain.plan import recommendation_id

NIGHT = date(2026, 3, 2)
TAKEN_UP = datetime(2026, 2, 28, 12, tzinfo=UTC)


def a_night(night: date = NIGHT, workload: str = "shop:ranker", recommendation: str | None = None) -> LedgerNight:
    """Six dollars promised, five realised: half a dollar more load, a quarter each of price and of what was not applied."""
    return LedgerNight(
        night=night,
        workload=workload,
        recommendation_id=recommendation or recommendation_id(workload, TAKEN_UP),
        taken_up_at=TAKEN_UP,
        taken_up="accepted",
        promised_usd=6.0,
        baseline_usd=18.0,
        ran_usd=13.0,
        realised_usd=5.0,
        gap=Gap(load=-0.5, price=-0.25, capacity=0.0, not_applied=-0.25, other=0.0),
        followed_share=0.96875,
        requests=864_000.0,
        missed_share=0.0002,
        missed_before=0.0004,
        would_have_missed=0.0,
        budget=0.001,
    )
