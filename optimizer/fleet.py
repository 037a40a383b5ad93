"""One plan for a whole fleet: every workload's own plan, and who lives with whom where that costs less.

The use case above `optimizer.recommend`: drafts in, recommendations out. A place on shared hosts is proposed to each
workload's own decision before its guardrails. Where one refuses, or keeps what runs today, that workload falls out of
the pack, and the hosts that it would have lived on are packed and billed again without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from domain.plan import Act, Recommendation
from domain.prices import PriceBook
from domain.unknown import Unknown
from domain.workload import ServingMode
from optimizer.draft import Draft, Ready
from optimizer.left_alone import Seats
from optimizer.options import Options
from optimizer.placement import Placement, Seat
from optimizer.places import Terms, places
from optimizer.settle import took_its_place
from optimizer.sharing.arrays import Requests
from optimizer.sharing.tenant import Tenant

Answer = Recommendation | None
Settle = Callable[[str, Placement | None], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A workload of the fleet with its draft; None where making that failed."""

    workload: str
    team: str | None
    draft: Draft | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """The seats that were last proposed and not refused, and until when those who refused theirs are left by themselves."""

    seats: Seats = field(default_factory=dict)
    declined: Mapping[str, datetime] = field(default_factory=dict)


def together(
    members: Sequence[Member], before: Before, book: PriceBook, options: Options, settle: Settle
) -> dict[str, Answer]:
    """A recommendation for each member, None where `settle` (or the draft before it) failed.

    Workloads that had seats and are no members, because they could not be looked at, stay where they are. `settle` makes one workload's recommendation with a placement, and is asked again where the
    placement changes. The same input gives the same answer.
    """
    terms = Terms(book=book, options=options, requests=_requests(members))
    drafts = {each.workload: each.draft for each in members}
    seats = before.seats
    tenants = {each.workload: each for each in _tenants(members, before)}
    placed = {name: Placement.declined(until) for name, until in before.declined.items()}
    alone = [name for name in drafts if name not in tenants]
    answers = {name: None if drafts[name] is None else settle(name, placed.get(name)) for name in alone}
    absent = {name for name in seats if name not in tenants and not _leaves(answers.get(name))}
    standing, afresh = seats, True
    while tenants:
        found = places(list(tenants.values()), standing, absent, terms, afresh=afresh)
        for name, placement in found.items():
            if placed.get(name) != placement:
                placed[name], answers[name] = placement, settle(name, placement)
        fallen = [name for name in sorted(found) if not _done(answers[name], found[name], name in seats)]
        if not fallen:
            break
        for name in fallen:
            del tenants[name]
            if found[name].seats:
                placed[name] = Placement(why=_why(answers[name]))
                answers[name] = settle(name, placed[name])
        absent = {name for name in seats if name not in tenants and not _leaves(answers.get(name))}
        standing, afresh = _stand(seats, absent, {name: found[name].seats for name in tenants}), False
    return {name: answers[name] for name in drafts}


def _requests(members: Iterable[Member]) -> Requests:
    """Requests/s of each team and of all, as far as they are known; what is not makes a limit by share the tighter."""
    teams: dict[str, float] = {}
    fleet = 0.0
    for each in members:
        if each.draft is not None and isinstance(each.draft.found, Ready):
            fleet += each.draft.found.rate_rps
            if each.team is not None:
                teams[each.team] = teams.get(each.team, 0.0) + each.draft.found.rate_rps
    return Requests(teams, fleet)


def _tenants(members: Iterable[Member], before: Before) -> Iterable[Tenant]:
    """Who may live with others; who does already need not save by it what a change has to."""
    for each in members:
        if each.draft is None or not isinstance(each.draft.found, Ready) or each.workload in before.declined:
            continue
        tenancy = each.draft.found.tenancy
        if not isinstance(tenancy, Unknown):
            tenant = tenancy.tenant
            yield replace(tenant, most_usd=tenant.stays_usd) if each.workload in before.seats else tenant


def _leaves(answer: Answer) -> bool:
    """Whether its newest recommendation takes it off the hosts where it was; a hold or a failure leaves it there."""
    return isinstance(answer, Act) and answer.plan.proposed.mode is not ServingMode.SHARED


def _done(answer: Answer, placement: Placement, lives_there: bool) -> bool:
    """Whether it took its seats; or, without any, is not still on a host that it was to leave."""
    if placement.seats:
        return answer is not None and took_its_place(answer, placement)
    return _leaves(answer) or not lives_there


def _stand(before: Seats, absent: set[str], found: Seats) -> Seats:
    """The seats as the last packing has them; but on hosts where somebody absent lives, those that stood before."""
    stuck = {seat.host for name in absent for seat in before[name]}

    def standing(name: str) -> tuple[Seat, ...]:
        if any(seat.host in stuck for seat in before.get(name, ())):
            return before[name]
        return () if any(seat.host in stuck for seat in found[name]) else found[name]

    return {name: standing(name) for name in found} | {name: before[name] for name in absent}


def _why(answer: Answer) -> str:
    """What spoke against its place: the last reason of the decision that did not take it."""
    if answer is None:
        return "the decision with a place on a shared host failed"
    said = answer.reasons[-1] if answer.reasons else None
    return f"a place was found, but {said.detail}" if said else "a place was found, but not taken"
