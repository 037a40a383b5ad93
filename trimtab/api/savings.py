"""`/savings`: the ledger, what was promised against what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.exceptions import HTTPException

from domain.ledger import LedgerNight, LedgerTotals, ledger_of
from domain.unknown import Unknown
from trimtab.api.deps import Deps
from trimtab.api.money import Cursor, Limit, earlier
from trimtab.api.paging import read_cursor, write_cursor
from trimtab.api.problems import problem_responses
from trimtab.api.schemas import SavingsPage
from trimtab.moments import moment
from trimtab.priceages import price_age
from trimtab.store.codec import reason_body
from trimtab.store.recommendations import Recommendations

MICRO = 6  # decimals of a dollar; the ledger itself is exact
Place = tuple[str, str, str]
AMOUNTS = ("promised_usd", "baseline_usd", "ran_usd", "realised_usd")
FACTS = ("followed_share", "requests", "missed_share", "missed_before", "would_have_missed")


def router(deps: Deps) -> APIRouter:
    """The routes, over the store of `deps`."""
    routes = APIRouter(tags=["costs and reports"])

    @routes.get("/savings", response_model=SavingsPage, responses=problem_responses())
    def list_savings(
        first: Annotated[
            date | None, Query(alias="from", description="First night; 30 days before the last by default.")
        ] = None,
        last: Annotated[date | None, Query(alias="to", description="Last night; yesterday (UTC) by default.")] = None,
        workload: Annotated[str | None, Query(description="Only of this workload.")] = None,
        limit: Limit = 200,
        cursor: Cursor = None,
    ) -> dict[str, Any]:
        """Nights that were booked, and the totals of all of them on whatever page."""
        question = (first, last, workload)
        place = read_cursor(cursor, 3, *question)
        end = last or deps.clock().astimezone(UTC).date() - timedelta(days=1)
        begin = first or earlier(end)
        if begin > end:
            raise HTTPException(422, f"from: {begin} lies after {end}; give an earlier day")
        ledger = ledger_of(deps.journal.nights.between(begin, end, workload))
        rows = sorted(ledger.nights, key=_place)
        rest = [row for row in rows if place is None or _place(row) > tuple(map(str, place))]
        page, ages = rest[:limit], _price_ages(deps.recommendations, rows)
        return {
            "items": [night_body(row, ages[_place(row)]) for row in page],
            "totals": totals_body(ledger.totals, list(ages.values())),
            "next": write_cursor(_place(page[-1]) if len(rest) > limit else None, *question),
        }

    return routes


def _place(row: LedgerNight) -> Place:
    return row.night.isoformat(), row.workload, row.recommendation_id


def _price_ages(kept: Recommendations, rows: Sequence[LedgerNight]) -> Mapping[Place, timedelta | Unknown]:
    """How old in each night the oldest price was that its promise was made of."""
    records = {each: kept.find(each) for each in {row.recommendation_id for row in rows}}
    ages: dict[Place, timedelta | Unknown] = {}
    for row in rows:
        record = records[row.recommendation_id]
        gone = Unknown("the recommendation is not kept any more")
        ages[_place(row)] = gone if record is None else price_age(record.recommendation.evidence, row.night)
    return ages


def night_body(row: LedgerNight, aged: timedelta | Unknown) -> dict[str, Any]:
    """One night; what is not known is null, and `unknown` says why."""
    gap = row.gap
    parts = {} if isinstance(gap, Unknown) else {f"gap.{name}": part for name, part in gap.parts().items()}
    figures = {name: getattr(row, name) for name in (*AMOUNTS, *FACTS, "gap")} | parts | {"price_age_days": aged}
    shown = {name: _known(getattr(row, name), name in AMOUNTS) for name in (*AMOUNTS, *FACTS)}
    return shown | {
        "night": row.night,
        "workload": row.workload,
        "recommendation": row.recommendation_id,
        "taken_up": {"at": moment(row.taken_up_at), "how": row.taken_up},
        "gap_usd": None if isinstance(gap, Unknown) else round(gap.usd, MICRO),
        "gap": None if isinstance(gap, Unknown) else {name: _known(part, True) for name, part in gap.parts().items()},
        "budget": row.budget,
        "slo_held": None if isinstance(row.missed_share, Unknown) else row.missed_share <= row.budget,
        "price_age_days": None if isinstance(aged, Unknown) else aged.days,
        "worse": [reason_body(reason) for reason in row.worse],
        "unknown": {name: value.reason for name, value in figures.items() if isinstance(value, Unknown)},
    }


def totals_body(totals: LedgerTotals, ages: Sequence[timedelta | Unknown]) -> dict[str, Any]:
    """The sums over the nights of which both sides are known, and the age of the oldest price of any night."""
    aged = [age.days for age in ages if not isinstance(age, Unknown)]
    return {
        "nights": totals.nights,
        "known_nights": totals.known_nights,
        "promised_usd": round(totals.promised_usd, MICRO),
        "realised_usd": round(totals.realised_usd, MICRO),
        "gap_usd": round(totals.realised_usd - totals.promised_usd, MICRO),
        "gap": {name: round(part, MICRO) for name, part in totals.gap.items()},
        "price_age_days": max(aged, default=None),
        "price_age_unknown_nights": len(ages) - len(aged),
    }


def _known(value: float | Unknown, amount: bool) -> float | None:
    if isinstance(value, Unknown):
        return None
    return round(value, MICRO) if amount else value
