"""Turns recorded arrivals into the metrics a server would have exported while serving them.

Requests (and tokens, where the trace has them) are those of the trace; **latency is modelled** (a
service time plus waiting that grows as the replicas fill up) and the replicas are those the example
configuration says run today. No failures are invented: the failure series stay at 0.
A step that the trace lacks gets no samples, as if nothing had been scraped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.load import LoadHistory
from domain.signals import quote

Floats = NDArray[np.float64]
SCRAPE_S = 60.0
CEILING = 1.25  # times the load within the SLO, at which a modelled replica is saturated


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """How the recorded load is taken to have been served: `capacity_rps` and `service_s` per replica.

    At `capacity_rps` a replica just holds its SLO: 95 % of requests within `slo_s`.
    """

    replicas: int
    capacity_rps: float
    service_s: float
    slo_s: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scrapes:
    """Unix times of the scrapes (s), and the requests that had arrived by each since the first."""

    times_s: Floats
    arrived: Floats
    rate_rps: Floats


def scrapes(load: LoadHistory, end_s: float) -> Scrapes:
    """The history as seen by a scrape every minute, moved so that its last step ends at `end_s`.

    Within a recorded step arrivals are spread evenly. Scrapes inside a missing step are left out.
    """
    count = int(len(load) * load.step_s // SCRAPE_S)
    ages = np.arange(count, -1, -1) * SCRAPE_S
    inside = len(load) * load.step_s - ages
    step = np.minimum((inside / load.step_s).astype(int), len(load) - 1)
    arrivals = np.nan_to_num(load.values) * load.step_s
    before = np.concatenate([[0.0], np.cumsum(arrivals)])
    part = inside / load.step_s - step
    known = np.isfinite(load.values[step])
    return Scrapes(
        times_s=(end_s - ages)[known],
        arrived=np.floor(before[step] + part * arrivals[step])[known],
        rate_rps=load.values[step][known],
    )


def latency_buckets(
    seen: Scrapes, served: Served, edges_s: Sequence[float], *, share: float = 1.0
) -> tuple[Floats, Floats]:
    """Cumulative counts per bucket edge, shape (edges, scrapes), and the cumulative sum of seconds.

    Latency is taken as the service time plus an exponential wait (M/M/1) that puts the 95th percentile at the SLO
    where the load is what the replicas carry, and grows beyond all bounds at `CEILING` times that. With `share` only
    that part of the service time is counted, as for the first token of an answer.
    """
    busy = np.clip(seen.rate_rps / (served.replicas * served.capacity_rps), 0.0, CEILING - 0.02)
    at_capacity = max(served.slo_s - served.service_s, 0.0) / np.log(20.0)
    wait = np.maximum(at_capacity * busy * (CEILING - 1.0) / (CEILING - busy), 1e-4)
    new = np.diff(seen.arrived, prepend=0.0)
    work_s = share * served.service_s
    slack = np.maximum(np.asarray(edges_s)[:, None] - work_s, 0.0)
    within = np.where(slack > 0, 1.0 - np.exp(-slack / wait), 0.0)
    return np.floor(np.cumsum(within * new, axis=1)), np.cumsum((work_s + wait) * new)


def labels_text(labels: Mapping[str, str]) -> str:
    """Labels as the exposition format writes them, sorted."""
    return ",".join(f"{name}={quote(value)}" for name, value in sorted(labels.items()))


def series(name: str, labels: Mapping[str, str], times_s: Floats, values: Floats) -> Iterator[str]:
    """The lines of one series in time order."""
    head = f"{name}{{{labels_text(labels)}}} "
    return (f"{head}{value:.10g} {moment:.0f}" for value, moment in zip(values.tolist(), times_s.tolist(), strict=True))


def histogram(
    name: str, labels: Mapping[str, str], seen: Scrapes, served: Served, edges_s: Sequence[float], *, share: float = 1.0
) -> Iterator[str]:
    """All series of one latency histogram; `share` as for `latency_buckets`."""
    counts, seconds = latency_buckets(seen, served, edges_s, share=share)
    for edge, row in zip(edges_s, counts, strict=True):
        yield from series(f"{name}_bucket", {**labels, "le": f"{edge:g}"}, seen.times_s, row)
    yield from series(f"{name}_bucket", {**labels, "le": "+Inf"}, seen.times_s, seen.arrived)
    yield from series(f"{name}_count", labels, seen.times_s, seen.arrived)
    yield from series(f"{name}_sum", labels, seen.times_s, seconds)
