"""Spend that is out of the ordinary: USD an hour for what load was expected, judged as load itself is.

What an hour costs rises with the load that was expected of it, and that is no anomaly: the signal is the spend divided by
the hour's expected load as a share of the mean. Replicas that stay up, or come without load, raise it.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from domain.load import Floats, LoadHistory
from domain.observation import Observation
from domain.plan import Configuration
from domain.prices import HOURS_PER_MONTH
from domain.unknown import Unknown
from domain.workload import ServingMode
from optimizer.anomalies.expected import HOURS, expected
from optimizer.anomalies.reading import Reading, Strange, reading
from optimizer.anomalies.watch import LOOKBACK, midnight, seen_in_steps
from optimizer.grid import HOUR
from optimizer.pairing import on_grid_of

LEAST_SHARE = 0.25  # of the mean load: what runs where hardly anything is expected does not count for more


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
    """The reading of the spend at the end of the load's history, in USD an hour; only more than expected counts."""
    spend, load = spend_of(observation, current), observation.load
    if isinstance(spend, Unknown):
        return spend
    if isinstance(load, Unknown):
        return Unknown(f"what load was expected is not known: {load.reason}")
    seen = seen_in_steps(load)
    if isinstance(seen, Unknown):
        return seen
    share = expected_share(seen)
    spent = seen_in_steps(LoadHistory(start=load.start, step=load.step, values=on_grid_of(load, spend)))
    assert isinstance(spent, LoadHistory)  # noqa: S101  on the grid of the load
    found = reading(LoadHistory(start=seen.start, step=seen.step, values=spent.values / share), less=False)
    if isinstance(found, Unknown):
        return found

    def in_usd(strange: Strange) -> Strange:
        last = (strange.at - seen.start) // seen.step
        first = last - strange.window // seen.step
        return strange.times(float(np.nanmean(share[max(0, first) : last])))

    now = found.now if isinstance(found.now, Unknown) else in_usd(found.now)
    return Reading(now=now, episode=in_usd(found.episode))


def expected_share(load: LoadHistory) -> Floats:
    """The load that was expected of each step, as a share of its mean; NaN before anything was expected."""
    day = midnight(load.end - timedelta(microseconds=1))
    past = load.until(day).since(day - LOOKBACK)
    share = np.full(len(load), np.nan)
    if not np.isfinite(past.values).any():
        return share
    rows, per_hour = expected(past), HOUR // load.step
    path = rows.within_hours(per_hour)[1]
    first = (past.end - load.start) // load.step - rows.past_days * HOURS * per_hour
    path = path[: len(load) - first]
    mean = float(np.nanmean(path)) if np.isfinite(path).any() else 0.0
    share[first:] = np.maximum(path / mean, LEAST_SHARE) if mean > 0 else 1.0
    return share
