"""One pool from tenants to hosts: packed, compared with how it stands, and its bills shared out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np

from domain.prices import PriceBook
from optimizer.machines import MachineOptions
from optimizer.purchase import PurchaseOptions
from optimizer.sharing.arrays import Arrays, Counts, Flags, Requests, arrays_of
from optimizer.sharing.bills import bills
from optimizer.sharing.hosts import Bill, HostType, host_types
from optimizer.sharing.keep import kept
from optimizer.sharing.options import SharingOptions
from optimizer.sharing.packing import Group, Packing, pack
from optimizer.sharing.tenant import Tenant

NAMED_BY = 6  # hexadecimal digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A host as it was said to be last time: its name, its machine type, and who lives there."""

    name: str
    offer: str
    workloads: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A machine, how it is bought, and its tenants: the share of it that each takes at most, and USD a month of each."""

    name: str
    type: HostType
    bill: Bill
    tenants: tuple[Tenant, ...]
    shares: tuple[float, ...]
    paid: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Housing:
    """The hosts of one pool. `usd` counts everybody else at the most that it would pay for sharing.

    `bound_usd` is what no packing goes below, None where it was not looked for; `as_before` where hosts stay as they
    stood because a better packing gains too little.
    """

    hosts: tuple[Host, ...]
    usd: float
    bound_usd: float | None
    as_before: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What a pool is packed with. Hosts stay as they stand while less than `min_saving` is gained by moving."""

    book: PriceBook
    machines: MachineOptions
    buying: PurchaseOptions
    sharing: SharingOptions
    requests: Requests
    min_saving_usd: float
    min_saving_share: float


def housed(tenants: Sequence[Tenant], standing: Sequence[Standing], conditions: Conditions, *, afresh: bool) -> Housing:
    """The hosts of `tenants` (of one pool, at least one); without `afresh` only what `standing` becomes without moves."""
    types = host_types(
        tenants[0].pool,
        [each.risk for each in tenants],
        conditions.book,
        machines=conditions.machines,
        sharing=conditions.sharing,
        buying=conditions.buying,
    )
    pool, owner = arrays_of(tenants, types, conditions.sharing, conditions.requests, _settled(tenants, conditions))
    stands = _groups(tenants, standing, types, owner)
    packing, as_before = _chosen(pool, owner, [group for group, _ in stands], conditions, afresh)
    names = {item: name for group, name in stands for item in group.items} if as_before else {}
    hosts = [
        _host(
            pool,
            group,
            [tenants[int(owner[item])] for item in group.items],
            types[group.kind],
            next((names[item] for item in group.items if item in names), None),
        )
        for group in packing.groups
    ]
    return Housing(
        hosts=tuple(_told_apart(hosts)),
        usd=packing.usd,
        bound_usd=packing.bound_usd if afresh else None,
        as_before=as_before,
    )


def _settled(tenants: Sequence[Tenant], conditions: Conditions) -> Flags:
    return np.array([each.risk.history >= conditions.buying.committing_history for each in tenants], dtype=np.bool_)


def _chosen(
    pool: Arrays, owner: Counts, stands: Sequence[Group], conditions: Conditions, afresh: bool
) -> tuple[Packing, bool]:
    """The cheapest packing, or the one that moves nobody where that costs little more."""
    if not afresh:
        return kept(pool, owner, stands), True
    best = pack(pool, owner)
    if not stands:
        return best, False
    still = kept(pool, owner, stands)
    worth_moving = max(conditions.min_saving_usd, conditions.min_saving_share * still.usd)
    if still.groups and still.usd - best.usd < worth_moving:
        return Packing(still.groups, still.usd, min(best.bound_usd, still.usd)), True
    return best, False


def _groups(
    tenants: Sequence[Tenant], standing: Sequence[Standing], types: Sequence[HostType], owner: Counts
) -> list[tuple[Group, str]]:
    """Standing hosts as groups of items with their names; a tenant whose number of parts has changed begins anew."""
    number = {each.workload: i for i, each in enumerate(tenants)}
    kinds = {each.offer.instance_type: i for i, each in enumerate(types)}
    seats: dict[int, list[int]] = {i: np.flatnonzero(owner == i).tolist() for i in range(len(tenants))}
    told: dict[str, int] = {}
    for host in standing:
        for name in host.workloads:
            told[name] = told.get(name, 0) + 1
    whole = {name for name, i in number.items() if told.get(name) == tenants[i].parts}
    found = []
    for host in sorted(standing, key=lambda each: each.name):
        if host.offer in kinds:
            items = tuple(seats[number[name]].pop(0) for name in sorted(host.workloads) if name in whole)
            found.append((Group(items, kinds[host.offer]), host.name))
    return found


def _host(pool: Arrays, group: Group, tenants: Sequence[Tenant], kind: HostType, name: str | None) -> Host:
    """`tenants` are those of the group's items, in their order."""
    order = sorted(range(len(tenants)), key=lambda at: tenants[at].workload)
    items, of = [group.items[at] for at in order], [tenants[at] for at in order]
    bill = kind.settled if pool.settled[items].all() else kind.young
    room = pool.room[group.kind]
    shares = (pool.peak[items][:, room > 0] / room[room > 0]).max(axis=1)
    return Host(
        name=name or _name(kind, of),
        type=kind,
        bill=bill,
        tenants=tuple(of),
        shares=tuple(shares.tolist()),
        paid=tuple(bills(bill.usd_per_month, shares, pool.worth[items]).tolist()),
    )


def _name(kind: HostType, tenants: Sequence[Tenant]) -> str:
    """Named after those who live there first, so that the same people give the same name."""
    everybody = "\n".join(each.workload for each in tenants)
    return f"{kind.offer.instance_type}-{sha256(everybody.encode()).hexdigest()[:NAMED_BY]}"


def _told_apart(hosts: Sequence[Host]) -> Iterator[Host]:
    """The hosts by name; of those with the same tenants (workloads in several parts) the later ones get a number."""
    seen: dict[str, int] = {}
    for host in sorted(hosts, key=lambda each: each.name):
        seen[host.name] = seen.get(host.name, 0) + 1
        number = seen[host.name]
        yield host if number == 1 else replace(host, name=f"{host.name}-{number}")
