"""A quote as a plan: costed on the measured past, with the range that the week ahead leaves it."""

from __future__ import annotations

import math

import numpy as np

from domain.plan import CalendarStep, Configuration, Plan, Reason
from domain.unknown import Unknown
from domain.workload import ServingMode
from optimizer.calendar import calendar
from optimizer.cost import without_spot
from optimizer.modes import Market, Quote, repriced
from optimizer.modes.shared import copies_of
from optimizer.options import Options
from optimizer.outlook import Outlook


def plan_of(market: Market, outlook: Outlook, chosen: Quote, options: Options) -> Plan:
    """`chosen`, costed on the measured past; the range from what the week ahead may turn out to be.

    The upper end counts spot at the on-demand price.
    """
    measured = repriced(market, chosen, outlook.measured())
    usd = measured.usd_per_month if isinstance(measured, Quote) else chosen.usd_per_month
    shown = measured if isinstance(measured, Quote) else chosen
    ends = [repriced(market, chosen, demand) for demand in (outlook.least(), outlook.most())]
    low, high = (end.usd_per_month if isinstance(end, Quote) else usd for end in ends)
    dear = max(high, without_spot(market, chosen, outlook.most()))
    proposed = Configuration(
        replicas=_replicas_now(market, outlook, chosen),
        mean_replicas=shown.mean_replicas,
        mode=chosen.mode,
        purchase=shown.purchase,
        offer=chosen.offer,
        usd_per_month=usd,
        replicas_per_machine=market.machines.replicas_on(chosen.mode, chosen.offer),
    )
    schedule = _calendar(outlook, options) if chosen.mode is ServingMode.DEDICATED else ()
    return Plan(
        proposed=proposed, usd_per_month_low=min(low, usd), usd_per_month_high=max(dear, usd), calendar=schedule
    )


def schedule_reason(steps: tuple[CalendarStep, ...]) -> tuple[Reason, ...]:
    """That replicas follow a schedule, where they do."""
    if len(steps) < 2:
        return ()
    counts = [step.replicas for step in steps]
    detail = f"scaled on a schedule: {len(steps) - 1} changes in the coming week, between {min(counts)} and {max(counts)} replicas"
    return (Reason(code="scheduled", detail=detail),)


def _replicas_now(market: Market, outlook: Outlook, chosen: Quote) -> int:
    """What the scaling policy wants now; for serverless what runs at once at the newest known load."""
    if chosen.mode is ServingMode.DEDICATED:
        return int(outlook.decisions.desired[-1])
    if chosen.mode is ServingMode.SHARED:
        return copies_of(market, outlook.demand())
    known = outlook.recent.values[np.isfinite(outlook.recent.values)]
    service = market.service_time_s
    return 0 if isinstance(service, Unknown) or not len(known) else math.ceil(float(known[-1]) * service)


def _calendar(outlook: Outlook, options: Options) -> tuple[CalendarStep, ...]:
    ahead = outlook.forecasting.forecast
    wanted = outlook.sizing.replicas(ahead.at(options.calendar.level), ahead.step)
    return calendar(wanted, ahead.origin, ahead.step, startup=outlook.sizing.startup, options=options.calendar)
