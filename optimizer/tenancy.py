"""A workload as a tenant: what it would need of a shared host hour by hour, and the most that it would pay for it.

Hour by hour it asks for the forecast at the plan's quantile, never less than the mean. Where that would have missed
more than the error budget of the recent past at the same times of the week, it is lifted to a floor that would not
have: bursts are no matter of the clock. Memory is held by whole copies as the week's calendar keeps them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from domain.load import Floats
from domain.plan import CalendarStep
from domain.prices import HOURS_PER_MONTH
from domain.unknown import Unknown
from domain.workload import ServingMode
from optimizer.calendar import calendar
from optimizer.guardrails import worth_changing
from optimizer.modes import Infeasible, Market
from optimizer.modes.shared import too_large
from optimizer.options import Options
from optimizer.outlook import Outlook
from optimizer.proposal import Proposal
from optimizer.sharing.hosts import largest_share, needed, room_of
from optimizer.sharing.tenant import Pool, Tenant

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
TICK = timedelta(microseconds=1)
HOUR_TICKS = HOUR // TICK
HALVINGS = 40


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tenancy:
    """A tenant, and what of it a plan needs: copies over the week, and how much more it may come to take.

    `growth` is the peak at the upper end of the forecast over that of the plan, at least 1.
    """

    tenant: Tenant
    calendar: tuple[CalendarStep, ...]
    copies: int
    mean_copies: float
    growth: float


def tenancy_of(market: Market, outlook: Outlook, proposal: Proposal, options: Options) -> Tenancy | Unknown:
    """The workload as a tenant; Unknown, with the reason, where it is not to live with others."""
    refused = _refused(market, proposal, options)
    if refused is not None:
        return Unknown(refused)
    workload, busy = market.workload, busy_path(outlook)
    steps, copies = _copies(outlook, busy, options)
    parts = _parts(market, copies)
    at_work = hourly(busy, outlook.forecasting.forecast.step, len(copies))
    need = needed(workload.resources, at_work / parts, np.ceil(copies / parts - 1e-9))
    large = _too_large(market, need, options)
    if large is not None:
        return Unknown(large)
    alone = _alone_usd(market, proposal, copies)
    change = worth_changing(alone, options.guardrails)
    only = proposal.quote.mode is ServingMode.SHARED
    if alone <= change and not only:
        return Unknown(f"by itself it costs {alone:.2f} USD a month; less than {change:.2f} is not worth sharing for")
    tenant = Tenant(
        workload=workload.id,
        pool=_pool(market),
        parts=parts,
        need=need,
        alone_usd=alone,
        most_usd=alone if only else alone - change,
        stays_usd=_stays_usd(proposal, alone, options),
        rate_rps=float(np.mean(outlook.forecasting.forecast.mean)),
        team=workload.team,
        apart_from=workload.anti_affinity,
        risk=market.risk,
        past=replace(outlook.recent, values=outlook.recent.values / market.sizing.capacity_rps),
        cores=workload.resources.cpu_cores,
        accelerators=1.0 if workload.resources.accelerator else 0.0,
    )
    peak = outlook.demand().peak_rps
    return Tenancy(
        tenant=tenant,
        calendar=steps,
        copies=steps[0].replicas,
        mean_copies=float(copies.mean()),
        growth=max(1.0, outlook.most().peak_rps / peak) if peak > 0 else 1.0,
    )


def _refused(market: Market, proposal: Proposal, options: Options) -> str | None:
    """Why it is not to be shared at all, whoever else there is, or None."""
    need, answer = market.workload.resources, proposal.answers[ServingMode.SHARED]
    if not options.modes.sharing.enabled:
        return "sharing is switched off"
    if isinstance(answer, Infeasible):
        return answer.reason
    if need.accelerator and need.accelerator_count > 1:
        return f"a copy spans {need.accelerator_count} accelerators, which are not shared"
    return answer.short_of


def busy_path(outlook: Outlook) -> Floats:
    """Load over capacity, in replicas, for each step of the forecast."""
    ahead, capacity = outlook.forecasting.forecast, outlook.sizing.capacity_rps
    path = np.maximum(ahead.at(outlook.level), ahead.mean) / capacity
    recent = outlook.recent.values / capacity
    return np.maximum(
        path, _floor(recent, _same_times(path, ahead.step, len(recent)), 1.0 - outlook.problem.attainment)
    )


def _same_times(path: Floats, step: timedelta, count: int) -> Floats:
    """The path at the times of the week (of the day, where it is shorter) of the `count` steps before it begins."""
    ahead = len(path) * step
    period = WEEK if ahead >= WEEK else max(ahead // DAY * DAY, min(ahead, DAY))
    steps = max(1, min(len(path), period // step))
    before: Floats = path[np.arange(-count, 0) % steps]
    return before


def _floor(recent: Floats, path: Floats, budget: float) -> float:
    """The least floor under `path` with which at most `budget` of the recent load is over it; 0 where none is needed."""
    known = np.isfinite(recent)
    came, said = recent[known], path[known]

    def over(floor: float) -> float:
        return float(np.maximum(0.0, came - np.maximum(said, floor)).sum())

    allowed = budget * float(came.sum())
    if not len(came) or over(0.0) <= allowed:
        return 0.0
    low, high = 0.0, float(came.max())
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if over(middle) <= allowed else (middle, high)
    return high


def _copies(outlook: Outlook, busy: Floats, options: Options) -> tuple[tuple[CalendarStep, ...], Floats]:
    """The week's calendar of copies, at least one, and the most of each hour."""
    ahead, sizing = outlook.forecasting.forecast, outlook.sizing
    wanted = np.maximum(1, sizing.replicas(busy * sizing.capacity_rps, ahead.step))
    steps = calendar(wanted, ahead.origin, ahead.step, startup=sizing.startup, options=options.calendar)
    return steps, _in_force(steps, ahead.origin, max(1, options.forecast.horizon // HOUR))


def _in_force(steps: Sequence[CalendarStep], start: datetime, hours: int) -> Floats:
    """The highest number that the calendar keeps in each hour."""
    kept = np.zeros(hours)
    ends = [*(step.at for step in steps[1:]), start + hours * HOUR]
    for step, end in zip(steps, ends, strict=True):
        first, last = (step.at - start) // HOUR, -((start - end) // HOUR)
        kept[first:last] = np.maximum(kept[first:last], step.replicas)
    return kept


def hourly(values: Floats, step: timedelta, hours: int) -> Floats:
    """The highest value of each hour; a step longer than an hour fills all of its hours."""
    found = np.zeros(hours)
    ends = np.arange(len(values) + 1) * (step // TICK)
    first, last = ends[:-1] // HOUR_TICKS, -(-ends[1:] // HOUR_TICKS)
    for further in range(int((last - first).max(initial=0))):
        reached = first + further
        here = (reached < last) & (reached < hours)
        np.maximum.at(found, reached[here], values[here])
    return found


def _parts(market: Market, copies: Floats) -> int:
    """As many hosts as replicas are always kept; on accelerators one for each copy."""
    kept = max(1, market.sizing.min_replicas)
    return kept if market.workload.resources.accelerator is None else max(kept, math.ceil(copies.max()))


def _too_large(market: Market, need: Floats, options: Options) -> str | None:
    """Why no host takes one part, or None: it may not be more than a share of the largest of them."""
    rooms = [room_of(host, options.modes.machines, options.modes.sharing) for host in market.machines.hosts]
    shares = [largest_share(need.max(axis=1), room) for room in rooms]
    if shares and min(shares) <= options.modes.sharing.largest_share:
        return None
    return too_large(market, shares)


def _alone_usd(market: Market, proposal: Proposal, copies: Floats) -> float:
    """What it costs by itself: on the measured load, in the week ahead or as it runs, whichever is least.

    Where it may run in no other way, that is a host of its own.
    """
    if proposal.quote.mode is ServingMode.SHARED:
        highest = float(copies.max())
        each = [math.ceil(highest / fit.replicas) * fit.offer.on_demand.amount for fit in market.machines.shortlist]
        return min(each) * HOURS_PER_MONTH
    kept = [] if proposal.kept is None else [proposal.kept.plan.proposed.usd_per_month]
    return min(proposal.quote.usd_per_month, proposal.plan.proposed.usd_per_month, *kept)


def _stays_usd(proposal: Proposal, alone: float, options: Options) -> float:
    """The most for which it stays where it was put; what runs today is only given up for what a change is worth."""
    if proposal.kept is None or proposal.kept.plan.proposed.mode is ServingMode.SHARED:
        return alone
    kept = proposal.kept.plan.proposed.usd_per_month
    return min(alone, kept - worth_changing(kept, options.guardrails))


def _pool(market: Market) -> Pool:
    workload = market.workload
    return Pool(
        cloud=workload.cloud,
        region=workload.region,
        architecture=workload.resources.architecture,
        accelerator=(workload.resources.accelerator or "").casefold(),
        isolation_group=workload.isolation_group or "",
    )
