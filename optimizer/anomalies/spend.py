"""Spend that is out of the ordinary: USD an hour beyond what the load, or the hour, explains.

More spend for more load is no anomaly, however strange the load; replicas that stay up, or come without load, are one. Only
more counts.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from domain.load import LoadHistory
from domain.observation import Observation
from domain.plan import Configuration
from domain.prices import HOURS_PER_MONTH
from domain.unknown import Unknown
from domain.workload import ServingMode
from optimizer.anomalies.deviation import Deviation, Sign, means
from optimizer.anomalies.expected import HOURS, expected
from optimizer.anomalies.explained import explained, widened
from optimizer.anomalies.judging import Watched, judged
from optimizer.anomalies.reading import Reading, reading_of
from optimizer.anomalies.watch import LOOKBACK, seen_in_steps
from optimizer.grid import HOUR
from optimizer.pairing import on_grid_of

LEAK, SLOW_LEAK = timedelta(hours=3), timedelta(hours=12)
MOST = 5.0  # widths of the band that one step counts for: a leak lasts, and minutes that are explained badly do not


def spend_of(observation: Observation, current: Configuration | Unknown) -> LoadHistory | Unknown:
    """USD an hour at each step: replicas at what one costs today, or the requests at what one is billed.

    Unknown where today's configuration, or the replicas of the past, are.
    """
    if isinstance(current, Unknown):
        return Unknown(f"what runs costs is not known: {current.reason}")
    usd_per_hour, serverless = current.usd_per_month / HOURS_PER_MONTH, current.mode is ServingMode.SERVERLESS
    drives = observation.load if serverless else observation.replicas
    if isinstance(drives, Unknown):
        return Unknown(f"what is paid for is not known: {drives.reason}")
    mean = float(np.nanmean(drives.values)) if drives.coverage else 0.0
    mean = mean if serverless else current.mean_replicas
    if mean <= 0:
        return Unknown("nothing was paid for")
    return LoadHistory(start=drives.start, step=drives.step, values=drives.values * (usd_per_hour / mean))


def spend_reading(observation: Observation, current: Configuration | Unknown) -> Reading | Unknown:
    """The reading of the spend at the end of the load's history, in USD an hour."""
    spend, load = spend_of(observation, current), observation.load
    if isinstance(spend, Unknown):
        return spend
    if isinstance(load, Unknown):
        return Unknown(f"what load it is for is not known: {load.reason}")
    seen = seen_in_steps(load)
    if isinstance(seen, Unknown):
        return seen
    spent = seen_in_steps(LoadHistory(start=load.start, step=load.step, values=on_grid_of(load, spend)))
    assert isinstance(spent, LoadHistory)  # noqa: S101  on the grid of the load
    return reading_of(load.end, lambda day: spend_watch(seen.until(load.end), spent.until(load.end), day))


def spend_watch(load: LoadHistory, spend: LoadHistory, day: datetime) -> Watched | Unknown:
    """The steps of the day from `day` on, each judged by itself and what came before it; both on one grid of `seen_in_steps`.

    What explains the day, its bands and the bounds of its signs are known before it begins. Unknown for want of hours to
    compare with.
    """
    past = spend.until(day).since(day - LOOKBACK)
    if not np.isfinite(past.values).any():
        return Unknown("nothing is known of what was paid on the days before")
    rows, per_hour = expected(past), HOUR // spend.step
    begin = (past.start - spend.start) // spend.step
    first = len(past) - rows.past_days * HOURS * per_hour  # of the past, what is compared
    came = spend.values[begin : begin + len(past) + HOURS * per_hour]
    by_hour = np.stack(rows.within_hours(per_hour))[:, : len(came) - first]
    usual = explained(load.values[begin : begin + len(came)], came, by_hour, spend.step, len(past))
    low, path, high = widened(usual, float(np.nanmean(past.values)))
    deviation = Deviation(step=spend.step, came=came[first:], low=low, path=path, high=high, least_band=1e-12)
    return judged(deviation, _signs(deviation), past.end, len(past) - first)


def _signs(deviation: Deviation) -> tuple[Sign, ...]:
    """Spend beyond its band for hours: an hour within the band is ordinary by definition."""
    beyond = np.minimum(deviation.in_bands, MOST)
    return tuple(
        Sign(name=name, measure=means(beyond, deviation.steps(window)), steps=deviation.steps(window), least=1.0)
        for name, window in (("leak", LEAK), ("slow leak", SLOW_LEAK))
    )
