"""Hosts that are left as they are, because someone who lives there cannot be asked.

A workload whose source failed, or whose decision is held, stays where it was last said to be. Nobody may be packed
into its room, and what it pays stands; so its companions stay too, while none of them has outgrown its seat. Once one
has, they stay only if they fit beside all that the absent take at their peaks, whose hours nobody knows any more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from domain.load import Floats
from domain.prices import InstanceOffer, PriceBook
from optimizer.modes import ModesOptions
from optimizer.placement import Seat
from optimizer.sharing.hosts import room_of
from optimizer.sharing.options import SharingOptions
from optimizer.sharing.tenant import Tenant

Seats = Mapping[str, tuple[Seat, ...]]
GROWN = 0.1  # share of its seat that a tenant may be over and still be said to be as it was


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftHost:
    """A host with absent workloads: they take `taken` of it at their peaks; `tenants` are those who can be asked."""

    name: str
    offer: InstanceOffer
    absent: tuple[str, ...]
    taken: float
    tenants: tuple[Tenant, ...]


def left_hosts(
    tenants: Sequence[Tenant],
    before: Seats,
    absent: Collection[str],
    book: PriceBook,
    options: ModesOptions,
) -> dict[str, LeftHost]:
    """The hosts, by name, that keep their tenants; without those whose tenants are no longer sure to fit there."""
    offers = {(each.cloud, each.region, each.instance_type): each for each in book.offers}
    stuck = _stuck(tenants, before, absent)
    found = {}
    for host in sorted(stuck):
        here = tuple(each for each in tenants if host in _hosts(before, each.workload))
        away = [name for name in sorted(absent) if host in _hosts(before, name)]
        offer = next((offers.get((*each.pool[:2], _seat(before, each.workload, host).offer)) for each in here), None)
        if offer is not None:
            taken = sum(_seat(before, name, host).share for name in away)
            left = LeftHost(name=host, offer=offer, absent=tuple(away), taken=taken, tenants=here)
            room = room_of(offer, options.machines, options.sharing)
            if _lawful(left, options.sharing) and (_as_it_was(left, before, room) or _fit(left, room)):
                found[host] = left
    return found


def hosts_of(names: Collection[str], before: Seats) -> frozenset[str]:
    """The hosts where any of these has a seat."""
    return frozenset(host for name in names for host in _hosts(before, name))


def stay(tenants: Sequence[Tenant], before: Seats, left: Mapping[str, LeftHost]) -> frozenset[str]:
    """The tenants who stay: those with a seat for each of their parts, all on hosts that are left as they are."""
    return frozenset(
        each.workload
        for each in tenants
        if len(before.get(each.workload, ())) == each.parts and _hosts(before, each.workload) <= left.keys()
    )


def _stuck(tenants: Sequence[Tenant], before: Seats, absent: Collection[str]) -> set[str]:
    """Hosts of the absent; and of those who have one part there, all the others."""
    stuck = {host for name in absent for host in _hosts(before, name)}
    while True:
        more = {
            host for each in tenants if _hosts(before, each.workload) & stuck for host in _hosts(before, each.workload)
        }
        if more <= stuck:
            return stuck
        stuck |= more


def _lawful(host: LeftHost, sharing: SharingOptions) -> bool:
    names = {each.workload for each in host.tenants} | set(host.absent)
    together = not any(each.apart_from & (names - {each.workload}) for each in host.tenants)
    return together and len(names) <= sharing.max_workloads


def _as_it_was(host: LeftHost, before: Seats, room: Floats) -> bool:
    """Whether everybody takes about what its seat says: then what was packed by the hour still fits by the hour."""
    need = np.array([each.need.max(axis=1) for each in host.tenants])
    shares = (need[:, room > 0] / room[room > 0]).max(axis=1)
    told = np.array([_seat(before, each.workload, host.name).share for each in host.tenants])
    return bool((shares <= told * (1.0 + GROWN)).all())


def _fit(host: LeftHost, room: Floats) -> bool:
    used = np.sum([each.need for each in host.tenants], axis=0).max(axis=1)
    return bool((used <= room * (1.0 - host.taken) + 1e-9).all())


def _hosts(before: Seats, name: str) -> set[str]:
    return {seat.host for seat in before.get(name, ())}


def _seat(before: Seats, name: str, host: str) -> Seat:
    return next(seat for seat in before[name] if seat.host == host)
