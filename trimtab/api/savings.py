"""`/savings`: the ledger, what was promised against what came of it."""

from __future__ import annotations

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
from trimtab.present import moment
from trimtab.store.codec import reason_body

MICRO = 6  # decimals of a dollar; the ledger itself is exact
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
        page = rest[:limit]
        return {
            "items": [night_body(row) for row in page],
            "totals": totals_body(ledger.totals),
            "next": write_cursor(_place(page[-1]) if len(rest) > limit else None, *question),
        }

    return routes


def _place(row: LedgerNight) -> tuple[str, str, str]:
    return row.night.isoformat(), row.workload, row.recommendation_id


def night_body(row: LedgerNight) -> dict[str, Any]:
    """One night; what is not known is null, and `unknown` says why."""
    gap = row.gap
    parts = {} if isinstance(gap, Unknown) else {f"gap.{name}": part for name, part in gap.parts().items()}
    figures = {name: getattr(row, name) for name in (*AMOUNTS, *FACTS, "gap")} | parts
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
        "worse": [reason_body(reason) for reason in row.worse],
        "unknown": {name: value.reason for name, value in figures.items() if isinstance(value, Unknown)},
    }


def totals_body(totals: LedgerTotals) -> dict[str, Any]:
    """The sums over the nights of which both sides are known."""
    return {
        "nights": totals.nights,
        "known_nights": totals.known_nights,
        "promised_usd": round(totals.promised_usd, MICRO),
        "realised_usd": round(totals.realised_usd, MICRO),
        "gap_usd": round(totals.realised_usd - totals.promised_usd, MICRO),
        "gap": {name: round(part, MICRO) for name, part in totals.gap.items()},
    }


def _known(value: float | Unknown, amount: bool) -> float | None:
    if isinstance(value, Unknown):
        return None
    return round(value, MICRO) if amount else value
