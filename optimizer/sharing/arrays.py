"""A pool as plain arrays, as the compiled loops and the linear programs read it.

An item is one part of a tenant. Resource-hours become rows: an hour in which no item needs more than in another one
binds nothing and is left out (exactly), so that memory held all week is one row and not 168.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.load import Floats
from optimizer.sharing.hosts import HostType
from optimizer.sharing.options import SharingOptions
from optimizer.sharing.tenant import RESOURCES, Tenant

Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]
NO_TEAM = -1
UNLIMITED = np.inf


class Arrays(NamedTuple):
    """n items, R rows, D resources, J host types (the cheapest first).

    `need` (n, R) has the rows of resource d at `starts[d]:starts[d + 1]`; `peak` (n, D) is the most over all of them,
    `worth` (n) the most that an item pays, `settled` (n) whether its history is long enough to commit on. `apart`
    (n, n) marks who must not meet; `team` and the shares of its and the fleet's requests bound the blast radius.
    `usd` (2, J) is the month's bill, in row 1 where all tenants are settled.
    """

    need: Floats
    starts: Counts
    peak: Floats
    worth: Floats
    settled: Flags
    apart: Flags
    team: Counts
    team_share: Floats
    fleet_share: Floats
    room: Floats
    devices: Counts
    device_room: Floats
    usd: Floats
    largest_share: float
    most: int
    max_team_share: float
    max_fleet_share: float


class Requests(NamedTuple):
    """Requests/s of whole teams and of the fleet, whether their workloads are shared or not."""

    teams: Mapping[str, float]
    fleet: float


def arrays_of(
    tenants: Sequence[Tenant], types: Sequence[HostType], sharing: SharingOptions, requests: Requests, enough: Flags
) -> tuple[Arrays, Counts]:
    """The pool of `tenants` (at least one), and each item's tenant; `enough` marks histories to commit on."""
    owner = np.repeat(np.arange(len(tenants)), [each.parts for each in tenants])
    items = [tenants[i] for i in owner.tolist()]
    need, starts, peak = _rows(np.stack([each.need for each in items]))
    teams = sorted({each.team for each in items if each.team is not None})
    number = {team: i for i, team in enumerate(teams)}
    parts_rps = np.array([each.rate_rps / each.parts for each in items])
    of_team = np.array([requests.teams.get(each.team, 0.0) if each.team else 0.0 for each in items])
    arrays = Arrays(
        need=need,
        starts=starts,
        peak=peak,
        worth=np.array([each.worth for each in items]),
        settled=enough[owner],
        apart=_apart(tenants)[np.ix_(owner, owner)],
        team=np.array([NO_TEAM if each.team is None else number[each.team] for each in items], dtype=np.int64),
        team_share=_shares(parts_rps, of_team),
        fleet_share=_shares(parts_rps, np.full(len(items), requests.fleet)),
        room=np.array([each.room for each in types]).reshape(len(types), len(RESOURCES)),
        devices=np.array([each.offer.accelerator_count for each in types], dtype=np.int64),
        device_room=np.array([each.device_room for each in types]).reshape(len(types), 2),
        usd=np.array(
            [[each.young.usd_per_month for each in types], [each.settled.usd_per_month for each in types]]
        ).reshape(2, len(types)),
        largest_share=sharing.largest_share,
        most=sharing.max_workloads,
        max_team_share=UNLIMITED if sharing.max_team_share is None else sharing.max_team_share,
        max_fleet_share=UNLIMITED if sharing.max_fleet_share is None else sharing.max_fleet_share,
    )
    return arrays, owner


def _rows(need: Floats) -> tuple[Floats, Counts, Floats]:
    """From (n, D, hours) to rows that can bind: an hour that another one covers for every item is dropped."""
    kept = [_uncovered(need[:, d, :]) for d in range(need.shape[1])]
    starts = np.concatenate([[0], np.cumsum([rows.shape[1] for rows in kept])]).astype(np.int64)
    return np.ascontiguousarray(np.concatenate(kept, axis=1)), starts, need.max(axis=2)


def _uncovered(hours: Floats) -> Floats:
    """Of the columns of (n, hours) those that no other one equals or passes in every row; one is always left."""
    unique = np.unique(hours, axis=1)
    order = np.argsort(-unique.sum(axis=0), kind="stable")
    kept: list[int] = []
    for column in order.tolist():
        if not any((unique[:, column] <= unique[:, other]).all() for other in kept):
            kept.append(column)
    return unique[:, kept]


def _apart(tenants: Sequence[Tenant]) -> Flags:
    """Who must not be on one host with whom: as either of the two says, and no two parts of one workload."""
    names = [each.workload for each in tenants]
    apart = np.array([[other in each.apart_from for other in names] for each in tenants], dtype=np.bool_)
    return apart | apart.T | np.eye(len(tenants), dtype=np.bool_)


def _shares(rps: Floats, total: Floats) -> Floats:
    """Each item's share of the requests of its team or fleet; all of it where that total is not more than itself."""
    return np.where(total > rps, rps / np.maximum(total, 1e-300), np.where(rps > 0, 1.0, 0.0))
