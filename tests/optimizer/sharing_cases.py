"""Small pools for the tests of sharing: tenants by hand, three sizes of host, and a packing by brute force."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
from hypothesis import strategies as st

from domain.load import Floats
from domain.prices import PriceBook
from optimizer.machines import MachineOptions
from optimizer.purchase import PurchaseOptions, Risk
from optimizer.sharing.arrays import Arrays, Counts, Requests, arrays_of
from optimizer.sharing.hosts import HostType, host_types
from optimizer.sharing.options import SharingOptions
from optimizer.sharing.packing import Group
from optimizer.sharing.pool import Conditions, Host
from optimizer.sharing.tenant import Pool, Tenant
from tests.optimizer.cases import history, machine

POOL = Pool("aws", "us-east-1", "amd64", "", "")
RISK = Risk(history=timedelta(days=7), startup=timedelta(minutes=5), budget=0.01)
WHOLE = SharingOptions(host_fill=1.0, largest_share=1.0)
MACHINES = MachineOptions(allocatable=1.0)
HOSTS = PriceBook(
    offers=(
        machine("small", 0.10, vcpus=2.0, memory_gib=4.0),
        machine("middle", 0.195, vcpus=4.0, memory_gib=8.0),
        machine("large", 0.36, vcpus=8.0, memory_gib=16.0),
    )
)
HOURS = 4


def tenant(name: str, cores: Sequence[float] = (1.0,), gib: float = 1.0, usd: float = 73.0, **other: Any) -> Tenant:
    """Takes these cores hour by hour (repeated to four hours) and GiB all the time; by itself it costs `usd` a month."""
    need = np.zeros((4, HOURS))
    need[0], need[1] = np.resize(np.array(cores), HOURS), gib
    facts: dict[str, Any] = {
        "workload": name,
        "pool": POOL,
        "parts": 1,
        "need": need,
        "alone_usd": usd,
        "most_usd": usd,
        "stays_usd": usd,
        "rate_rps": 1.0,
        "team": None,
        "apart_from": frozenset(),
        "risk": RISK,
        "past": history(np.resize(np.array(cores), 12)),
        "cores": 1.0,
        "accelerators": 0.0,
    }
    return Tenant(**(facts | other))


def types_of(
    tenants: Sequence[Tenant], book: PriceBook = HOSTS, sharing: SharingOptions = WHOLE
) -> tuple[HostType, ...]:
    return host_types(
        tenants[0].pool,
        [each.risk for each in tenants],
        book,
        machines=MACHINES,
        sharing=sharing,
        buying=PurchaseOptions(spot=False),
    )


def pool_of(
    tenants: Sequence[Tenant],
    sharing: SharingOptions = WHOLE,
    book: PriceBook = HOSTS,
    requests: Requests | None = None,
) -> tuple[Arrays, Counts]:
    """The arrays of these tenants, whose requests are all there are."""
    enough = np.array([each.risk.history >= PurchaseOptions().committing_history for each in tenants])
    return arrays_of(tenants, types_of(tenants, book, sharing), sharing, requests or all_requests(tenants), enough)


def all_requests(tenants: Sequence[Tenant]) -> Requests:
    teams: dict[str, float] = {}
    for each in tenants:
        if each.team is not None:
            teams[each.team] = teams.get(each.team, 0.0) + each.rate_rps
    return Requests(teams, sum(each.rate_rps for each in tenants))


def conditions(
    tenants: Sequence[Tenant], sharing: SharingOptions = WHOLE, book: PriceBook = HOSTS, **other: Any
) -> Conditions:
    facts: dict[str, Any] = {
        "book": book,
        "machines": MACHINES,
        "buying": PurchaseOptions(spot=False),
        "sharing": sharing,
        "requests": all_requests(tenants),
        "min_saving_usd": 5.0,
        "min_saving_share": 0.05,
    }
    return Conditions(**(facts | other))


@st.composite
def fleets(draw: st.DrawFn, most: int = 5) -> list[Tenant]:
    """A few tenants of one pool with peaks at different hours, teams, dislikes and parts."""
    count = draw(st.integers(1, most))
    names = [f"w{i}" for i in range(count)]
    sizes = st.sampled_from([0.0, 0.25, 0.5, 1.0, 1.5, 2.0])
    return [
        tenant(
            name,
            draw(st.lists(sizes, min_size=HOURS, max_size=HOURS)),
            draw(st.sampled_from([0.5, 1.0, 1.5, 2.0, 3.0])),
            draw(st.sampled_from([20.0, 50.0, 73.0, 110.0])),
            team=draw(st.sampled_from([None, "a", "b"])),
            rate_rps=draw(st.sampled_from([0.0, 0.5, 1.0, 4.0])),
            apart_from=frozenset(draw(st.sets(st.sampled_from([*names, "stranger"]), max_size=1))),
            parts=draw(st.sampled_from([1, 1, 1, 2])),
            risk=replace(RISK, history=timedelta(days=draw(st.sampled_from([7, 40])))),
        )
        for name in names
    ]


limits = st.builds(
    SharingOptions,
    host_fill=st.sampled_from([0.75, 1.0]),
    largest_share=st.sampled_from([0.5, 1.0]),
    max_workloads=st.sampled_from([2, 3, 20]),
    max_team_share=st.sampled_from([None, 0.4, 0.7]),
    max_fleet_share=st.sampled_from([None, 0.5, 0.8]),
)


def broken(living: Sequence[Tenant], room: Floats, requests: Requests, sharing: SharingOptions) -> str | None:
    """Which promise a host with these tenants breaks, told from its definition and not from the packer's arrays."""
    names = [each.workload for each in living]
    used = np.sum([each.need for each in living], axis=0).max(axis=1)
    largest = np.max([each.need for each in living], axis=0).max(axis=1)
    faults = {
        "two parts of one workload on one host": len(names) != len(set(names)),
        "too many workloads": len(names) > sharing.max_workloads,
        "two pools": len({each.pool for each in living}) > 1,
        "anti-affinity": any(each.apart_from & (set(names) - {each.workload}) for each in living),
        "more than there is room for": bool((used > room + 1e-6).any()),
        "one takes too large a share": bool((largest > sharing.largest_share * room + 1e-6).any()),
    }
    for fault, found in faults.items():
        if found:
            return fault
    for team, total in [(None, requests.fleet), *requests.teams.items()]:
        mine = [each for each in living if team is None or each.team == team]
        limit = sharing.max_fleet_share if team is None else sharing.max_team_share
        carried = sum(each.rate_rps / each.parts for each in mine)
        if limit is not None and len(mine) > 1 and carried > limit * total + 1e-6:
            return f"too many requests of {team or 'the fleet'}"
    return None


def assert_may_live_together(hosts: Sequence[Host], tenants: Sequence[Tenant], sharing: SharingOptions) -> None:
    """Every promise about shared hosts; a workload is on as many hosts as it has parts, or on none."""
    requests = all_requests(tenants)
    for host in hosts:
        assert broken(host.tenants, np.array(host.type.room), requests, sharing) is None
        assert len(host.tenants) > 1
    living = [each.workload for host in hosts for each in host.tenants]
    assert all(living.count(each.workload) in (0, each.parts) for each in tenants)


def least_usd(tenants: Sequence[Tenant], sharing: SharingOptions) -> float:
    """The least that any way of living costs, by trying them all: every set partition of the parts."""
    types = types_of(tenants, sharing=sharing)
    parts = [i for i, each in enumerate(tenants) for _ in range(each.parts)]
    return min(_usd(partition, tenants, types, sharing) for partition in _partitions(parts))


def _usd(
    partition: list[list[int]], tenants: Sequence[Tenant], types: Sequence[HostType], sharing: SharingOptions
) -> float:
    """What a partition of the parts costs; infinite where it breaks a promise, or a host does not pay for itself."""
    requests, usd, hosted = all_requests(tenants), 0.0, [0] * len(tenants)
    for group in (each for each in partition if len(each) > 1):
        living = [tenants[i] for i in group]
        committed = all(each.risk.history >= PurchaseOptions().committing_history for each in living)
        holding = [kind for kind in types if broken(living, np.array(kind.room), requests, sharing) is None]
        prices = [(kind.settled if committed else kind.young).usd_per_month for kind in holding]
        if not prices or min(prices) >= sum(each.worth for each in living):
            return float("inf")
        usd += min(prices)
        for i in group:
            hosted[i] += 1
    if any(count not in (0, each.parts) for count, each in zip(hosted, tenants, strict=True)):
        return float("inf")
    return usd + sum(each.most_usd for count, each in zip(hosted, tenants, strict=True) if not count)


def _partitions(parts: list[int]) -> Iterator[list[list[int]]]:
    """Every way to divide the list into groups."""
    if not parts:
        yield []
        return
    first, rest = parts[0], parts[1:]
    for partition in _partitions(rest):
        yield [[first], *partition]
        for at in range(len(partition)):
            yield [*partition[:at], [first, *partition[at]], *partition[at + 1 :]]


def groups_named(groups: Sequence[Group], owner: Counts, tenants: Sequence[Tenant]) -> set[frozenset[str]]:
    """Who lives with whom."""
    return {frozenset(tenants[int(owner[item])].workload for item in group.items) for group in groups}
