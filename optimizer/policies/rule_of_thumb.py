"""The thresholds of the original design, kept to be beaten and to explain against.

Under 5 requests an hour serverless; else, with a model over 1,000 MB, dedicated on 2 replicas of a
memory-optimised machine; else shared.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from domain.workload import ServingMode
from optimizer.demand import Demand, Spread
from optimizer.machines import Machines
from optimizer.modes import Infeasible, Market, Quote, quote
from optimizer.modes.market import short_of
from optimizer.policies.least_cost import Answers

SPARSE_PER_HOUR = 5.0
LARGE_MB = 1000.0
MB_PER_GIB = 1024.0**3 / 1e6
REPLICAS = 2
MEMORY_OPTIMISED_GIB_PER_VCPU = 7.0  # the families sold as such have 7.6 to 8 GiB and more


def rule_of_thumb(market: Market, demand: Demand, _known: Answers | None = None, /) -> Quote | Infeasible:
    """What the thresholds choose, priced like everything else (and refused where it cannot hold the SLO)."""
    if demand.rate_rps * 3600.0 < SPARSE_PER_HOUR:
        return quote(market, demand, ServingMode.SERVERLESS)
    if market.workload.resources.model_gib * MB_PER_GIB > LARGE_MB:
        two = Spread.of(np.array([REPLICAS]))
        found = quote(_memory_optimised(market), replace(demand, replicas=two, base=two), ServingMode.DEDICATED)
        short = short_of(market, demand, REPLICAS)
        return replace(found, short_of=short) if isinstance(found, Quote) and short else found
    return quote(market, demand, ServingMode.SHARED)


def _memory_optimised(market: Market) -> Market:
    """The market with memory-optimised machines alone, or as it is where none fits."""
    offers = tuple(
        fit.offer
        for fit in market.machines.by_name.values()
        if fit.offer.memory_gib >= MEMORY_OPTIMISED_GIB_PER_VCPU * fit.offer.vcpus
    )
    machines = Machines.of(market.workload, replace(market.book, offers=offers), market.options.machines)
    return replace(market, machines=machines) if machines.shortlist else market
