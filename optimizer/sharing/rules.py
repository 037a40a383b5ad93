"""What may live on a host and what such a host costs: the one place that knows, for every way of packing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from domain.load import Floats
from optimizer.compiled import compiled
from optimizer.sharing.arrays import Arrays, Counts

NOBODY = -1
ANY_TYPE = -1
ROUNDING = 1e-9
COMPUTE, MEMORY = 2, 3  # of accelerators: rows of `tenant.RESOURCES`


class Living(NamedTuple):
    """The first `size` of `members` live on a host; one of them leaves and another item joins (NOBODY: none)."""

    members: Counts
    size: int
    leaving: int
    joining: int


def together(items: tuple[int, ...] | list[int], joining: int = NOBODY) -> Living:
    """These items on one host, and one who comes."""
    return Living(np.array(items, dtype=np.int64), len(items), NOBODY, joining)


@compiled
def _who(living: Living, place: int) -> int:
    """The item at a place (0..size) after the change; NOBODY where it is empty."""
    item = living.joining if place == living.size else living.members[place]
    return NOBODY if item == living.leaving else item


@compiled
def may_join(pool: Arrays, living: Living) -> bool:
    """Whether `joining` may live with those who stay, however large the host is."""
    item = living.joining
    number, team_size = 1, 1
    team_load, fleet_load = pool.team_share[item], pool.fleet_share[item]
    for place in range(living.size):
        other = _who(living, place)
        if other < 0:
            continue
        if pool.apart[item, other]:
            return False
        number += 1
        fleet_load += pool.fleet_share[other]
        if pool.team[item] >= 0 and pool.team[other] == pool.team[item]:
            team_size += 1
            team_load += pool.team_share[other]
    if number > pool.most or (number > 1 and fleet_load > pool.max_fleet_share + ROUNDING):
        return False
    return team_size == 1 or team_load <= pool.max_team_share + ROUNDING


@compiled
def price(pool: Arrays, use: Floats, living: Living, fixed: int) -> tuple[int, float, float]:
    """Host type, its USD a month, and a smooth version of it, for those who live there after the change.

    `use` are their rows summed. `fixed` asks for one type alone. NOBODY and infinity where no type holds them.
    The smooth price is that of the fraction of a host that is used, at the cheapest such: it tells a search which of
    two hosts of equal price is nearer to a cheaper one.
    """
    top = _highest(pool, use)
    big, number, settled = _largest(pool, living)
    best, usd, smooth = NOBODY, np.inf, np.inf
    for kind in range(pool.room.shape[0]):
        if fixed >= 0 and kind != fixed:
            continue
        filled = max(number / pool.most, _filled(pool, kind, top, big))
        smooth = min(smooth, pool.usd[settled, kind] * filled)
        if (
            filled <= 1.0 + ROUNDING
            and pool.usd[settled, kind] < usd
            and (pool.devices[kind] < 2 or _devices_hold(pool, kind, living))
        ):
            best, usd = kind, pool.usd[settled, kind]
    return best, usd, smooth


@compiled
def _highest(pool: Arrays, use: Floats) -> Floats:
    """The most that is used of each resource in any hour."""
    top = np.zeros(pool.peak.shape[1])
    for resource in range(len(top)):
        for row in range(pool.starts[resource], pool.starts[resource + 1]):
            top[resource] = max(top[resource], use[row])
    return top


@compiled
def _largest(pool: Arrays, living: Living) -> tuple[Floats, int, int]:
    """The most that any one takes of each resource, how many live there, and 1 where all may be committed on."""
    big, number, settled = np.zeros(pool.peak.shape[1]), 0, 1
    for place in range(living.size + 1):
        item = _who(living, place)
        if item < 0:
            continue
        number += 1
        if not pool.settled[item]:
            settled = 0
        for resource in range(len(big)):
            big[resource] = max(big[resource], pool.peak[item, resource])
    return big, number, settled


@compiled
def _filled(pool: Arrays, kind: int, top: Floats, big: Floats) -> float:
    """The share of the fullest resource that is used; infinity where one takes more than it may."""
    filled = 0.0
    for resource in range(len(top)):
        room = pool.room[kind, resource]
        if big[resource] > pool.largest_share * room + ROUNDING:
            return np.inf
        if top[resource] > 0:
            filled = max(filled, top[resource] / room)
    return filled


@compiled
def _devices_hold(pool: Arrays, kind: int, living: Living) -> bool:
    """Whether everybody finds a device by first fit, the largest first; some that would fit are refused."""
    size = np.empty(living.size + 1)
    for place in range(living.size + 1):
        item = _who(living, place)
        size[place] = -1.0 if item < 0 else _on_device(pool, kind, item)
    first = pool.starts[COMPUTE]
    used = np.zeros((pool.devices[kind], pool.starts[MEMORY + 1] - first))
    for place in np.argsort(-size):
        if size[place] < 0:
            return True
        item, found = _who(living, place), False
        for device in range(pool.devices[kind]):
            if not found and _device_holds(pool, kind, item, used[device]):
                used[device] += pool.need[item, first : pool.starts[MEMORY + 1]]
                found = True
        if not found:
            return False
    return True


@compiled
def _on_device(pool: Arrays, kind: int, item: int) -> float:
    compute, memory = pool.device_room[kind, 0], pool.device_room[kind, 1]
    return float(max(pool.peak[item, COMPUTE] / compute, pool.peak[item, MEMORY] / memory))


@compiled
def _device_holds(pool: Arrays, kind: int, item: int, used: Floats) -> bool:
    first = pool.starts[COMPUTE]
    for row in range(first, pool.starts[MEMORY + 1]):
        room = pool.device_room[kind, 0 if row < pool.starts[MEMORY] else 1]
        if used[row - first] + pool.need[item, row] > room + ROUNDING:
            return False
    return True
