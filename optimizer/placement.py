"""Where a workload lives, as the fleet decided and as it goes into the workload's own decision.

It is all that the fleet hands to one workload: hashed with its other inputs, and stored as JSON beside the
recommendation, so that the decision can be made again from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from domain.plan import Hold, Json, Recommendation
from optimizer.modes import PriceUsed


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A place on a host of type `offer`: with whom, which share of it at its own peak, and what is paid for it."""

    host: str
    offer: str
    companions: tuple[str, ...]
    share: float
    usd_per_month: float
    host_usd_per_month: float
    reserved: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Seats on shared hosts, each on another one; without any it stays by itself, and `why` says why.

    `missed` is the share of its recent requests over what those hosts could do, with the companions' load beside it;
    None where that is not known. `gap_to_bound` is how far the whole pool's packing is above a proved lower bound.
    `declined_until` is set where a person refused a place for it: it has none before then.
    """

    why: str
    seats: tuple[Seat, ...] = ()
    missed: float | None = None
    gap_to_bound: float | None = None
    prices: tuple[PriceUsed, ...] = ()
    declined_until: datetime | None = None

    @classmethod
    def declined(cls, until: datetime) -> Placement:
        """By itself, because a person said so."""
        why = f"a place was dismissed; none is proposed before {until:%Y-%m-%d %H:%M} UTC"
        return cls(why=why, declined_until=until)

    @property
    def usd_per_month(self) -> float:
        return sum(seat.usd_per_month for seat in self.seats)

    @property
    def offer(self) -> str:
        """The machine types of its hosts."""
        return " + ".join(sorted({seat.offer for seat in self.seats}))

    @property
    def companions(self) -> tuple[str, ...]:
        """Everybody that it shares a host with, by name."""
        return tuple(sorted({name for seat in self.seats for name in seat.companions}))


def as_json(placement: Placement) -> dict[str, Json]:
    """The placement as JSON; `placement_of` reads it."""
    return {
        "why": placement.why,
        "seats": [_seat_json(seat) for seat in placement.seats],
        "missed": placement.missed,
        "gap_to_bound": placement.gap_to_bound,
        "prices": [asdict(price) for price in placement.prices],
        "declined_until": None if placement.declined_until is None else placement.declined_until.isoformat(),
    }


def placement_of(body: Any) -> Placement | None:
    """The placement that `as_json` wrote; None where there is none."""
    if not isinstance(body, Mapping):
        return None
    return Placement(
        why=body["why"],
        seats=tuple(_seat(each) for each in body["seats"]),
        missed=body["missed"],
        gap_to_bound=body["gap_to_bound"],
        prices=tuple(PriceUsed(**each) for each in body["prices"]),
        declined_until=None if body["declined_until"] is None else datetime.fromisoformat(body["declined_until"]),
    )


def placement_in(recommendation: Recommendation) -> Placement | None:
    """The placement that a decision was given, from its evidence; None where it was given none."""
    return placement_of(recommendation.evidence.sharing.get("placement"))


def standing_seats(previous: Recommendation | None, at: datetime) -> tuple[Seat, ...]:
    """The seats that a workload has as far as is known: those last proposed, or handed on by a hold that still stands."""
    return () if previous is None or previous.valid_until <= at else seats_in(previous)


def seats_in(recommendation: Recommendation) -> tuple[Seat, ...]:
    """The seats that a recommendation proposes, or that a hold leaves."""
    sharing = recommendation.evidence.sharing
    if isinstance(recommendation, Hold):
        left = sharing.get("standing")
        return tuple(map(_seat, left)) if isinstance(left, list | tuple) else ()
    placement = placement_in(recommendation)
    return () if placement is None else placement.seats


def declined_until(recommendation: Recommendation) -> datetime | None:
    """Until when no place is to be proposed for it, as its own decision was told; None where one may be."""
    placement = placement_in(recommendation)
    return None if placement is None else placement.declined_until


def stays_json(seats: tuple[Seat, ...]) -> dict[str, Json]:
    """What the evidence of a hold says of them; nothing where there are none."""
    return {"standing": [_seat_json(seat) for seat in seats]} if seats else {}


def _seat_json(seat: Seat) -> dict[str, Json]:
    return {**asdict(seat), "companions": list(seat.companions)}


def _seat(body: Mapping[str, Any]) -> Seat:
    return Seat(**{**body, "companions": tuple(body["companions"])})
