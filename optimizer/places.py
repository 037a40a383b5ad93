"""Who lives where in a whole fleet: pools packed one by one, and hosts with someone nobody can ask left as they are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import groupby

from domain.prices import InstanceOffer, PriceBook
from domain.unknown import Unknown
from optimizer import purchase
from optimizer.left_alone import LeftHost, Seats, hosts_of, left_hosts, stay
from optimizer.modes import PriceUsed
from optimizer.modes.dedicated import prices_used
from optimizer.options import Options
from optimizer.placement import Placement, Seat
from optimizer.sharing.arrays import Requests
from optimizer.sharing.hosts import ONE, room_of
from optimizer.sharing.pool import Conditions, Host, Housing, Standing, housed
from optimizer.sharing.proof import missed
from optimizer.sharing.tenant import Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a fleet is placed with: prices, options, and the requests of teams and of all that bound a blast radius."""

    book: PriceBook
    options: Options
    requests: Requests


def places(
    tenants: Sequence[Tenant], before: Seats, absent: Collection[str], terms: Terms, *, afresh: bool
) -> dict[str, Placement]:
    """A placement for each tenant. `before` are the seats as they stand, also of those who are `absent`.

    A host with an absent workload is left as it is with all on it, as long as they fit beside it; without `afresh`
    nobody else moves either.
    """
    left = left_hosts(tenants, before, absent, terms.book, terms.options.modes)
    staying = stay(tenants, before, left)
    taken = hosts_of(absent, before)
    found = {each.workload: _stays(each, before, left, terms) for each in tenants if each.workload in staying}
    free = sorted(
        (each for each in tenants if each.workload not in staying), key=lambda each: (each.pool, each.workload)
    )
    pools = [list(pool) for _, pool in groupby(free, key=lambda each: each.pool)]

    def placed(members: Sequence[Tenant]) -> dict[str, Placement]:
        housing = housed(members, _standing(members, before, taken), _conditions(terms), afresh=afresh)
        return dict(_placements(members, replace(housing, hosts=_renamed(housing.hosts, taken)), terms))

    with ThreadPoolExecutor() as beside:  # what takes long in a pool does not hold up the interpreter
        for placements in beside.map(placed, pools):
            found |= placements
    return found


def _stays(tenant: Tenant, before: Seats, left: Mapping[str, LeftHost], terms: Terms) -> Placement:
    """The seats that it has, for as long as somebody on its hosts cannot be asked."""
    seats = before[tenant.workload]
    hosts = [left[seat.host] for seat in seats]
    away = ", ".join(sorted({name for host in hosts for name in host.absent}))
    on_demand = purchase.Terms()
    return Placement(
        why=f"its hosts stay as they are while nothing new is known of {away}",
        seats=seats,
        missed=_mean([_missed(host.tenants, host.offer, 1.0 - host.taken, terms)[tenant.workload] for host in hosts]),
        prices=tuple(
            dict.fromkeys(
                price
                for host in hosts
                for price in prices_used(host.offer, purchase.bought(ONE, host.offer, on_demand), on_demand)
            )
        ),
    )


def _standing(tenants: Sequence[Tenant], before: Seats, taken: Collection[str]) -> list[Standing]:
    """The hosts on which these tenants live as far as is known, but for those where somebody absent does."""
    offers: dict[str, str] = {}
    names: dict[str, list[str]] = {}
    for tenant in tenants:
        for seat in before.get(tenant.workload, ()):
            if seat.host not in taken:
                offers[seat.host] = seat.offer
                names.setdefault(seat.host, []).append(tenant.workload)
    return [Standing(name=host, offer=offers[host], workloads=tuple(names[host])) for host in sorted(names)]


def _conditions(terms: Terms) -> Conditions:
    options = terms.options
    return Conditions(
        book=terms.book,
        machines=options.modes.machines,
        buying=options.modes.purchase,
        sharing=options.modes.sharing,
        requests=terms.requests,
        min_saving_usd=options.guardrails.min_saving_usd,
        min_saving_share=options.guardrails.min_saving_share,
    )


def _renamed(hosts: Sequence[Host], taken: Collection[str]) -> tuple[Host, ...]:
    """The hosts, none of them with the name of one where somebody absent lives."""
    return tuple(replace(host, name=f"{host.name}-new") if host.name in taken else host for host in hosts)


def _placements(tenants: Sequence[Tenant], housing: Housing, terms: Terms) -> Iterator[tuple[str, Placement]]:
    lives: dict[str, list[tuple[Host, int]]] = {}
    for host in housing.hosts:
        for at, tenant in enumerate(host.tenants):
            lives.setdefault(tenant.workload, []).append((host, at))
    lost = {host.name: _missed(host.tenants, host.type.offer, 1.0, terms) for host in housing.hosts}
    bound = housing.bound_usd
    gap = None if bound is None else max(0.0, housing.usd / bound - 1.0) if bound > 0 else 0.0
    for tenant in tenants:
        hosts = lives.get(tenant.workload, [])
        if not hosts:
            why = f"no host with others costs it less than the {tenant.most_usd:.2f} USD a month that it would pay"
            yield tenant.workload, Placement(why=why, gap_to_bound=gap)
            continue
        shares = [lost[host.name][tenant.workload] for host, _ in hosts]
        yield (
            tenant.workload,
            Placement(
                why=_why(tenants, housing, gap),
                seats=tuple(_seat(host, at) for host, at in hosts),
                missed=_mean(shares),
                gap_to_bound=gap,
                prices=_prices(host for host, _ in hosts),
            ),
        )


def _why(tenants: Sequence[Tenant], housing: Housing, gap: float | None) -> str:
    if gap is None:
        return "packed again without those that did not take their places"
    if housing.as_before:
        return f"hosts stay as they are: to move would save less than a change is worth (within {gap:.1%} of a proved bound)"
    return f"{len(tenants)} workloads that may live together are packed within {gap:.1%} of a proved bound"


def _seat(host: Host, at: int) -> Seat:
    return Seat(
        host=host.name,
        offer=host.type.offer.instance_type,
        companions=tuple(each.workload for each in host.tenants if each is not host.tenants[at]),
        share=host.shares[at],
        usd_per_month=host.paid[at],
        host_usd_per_month=host.bill.usd_per_month,
        reserved=host.bill.held.reserved > 0,
    )


def _prices(hosts: Iterator[Host]) -> tuple[PriceUsed, ...]:
    used = (price for host in hosts for price in prices_used(host.type.offer, host.bill.held, host.bill.terms))
    return tuple(dict.fromkeys(used))


def _mean(shares: Sequence[float | None]) -> float | None:
    known = [share for share in shares if share is not None]
    return sum(known) / len(known) if known and len(known) == len(shares) else None


def _missed(tenants: Sequence[Tenant], offer: InstanceOffer, left: float, terms: Terms) -> dict[str, float | None]:
    """What each would have missed where `left` of the whole host is theirs; None where that is not known."""
    whole = room_of(offer, terms.options.modes.machines, replace(terms.options.modes.sharing, host_fill=1.0)) * left
    answer = missed(tenants, float(whole[0]), float(whole[2]))
    if isinstance(answer, Unknown):
        return {each.workload: None for each in tenants}
    return {each.workload: share for each, share in zip(tenants, answer.tolist(), strict=True)}
