"""A shared host on the recent past of its tenants: which share of their requests came when it was full."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from domain.load import Floats
from domain.unknown import Unknown
from optimizer.sharing.tenant import Tenant

ENOUGH = 0.5  # share of the common steps in which everybody's load has to be known


def missed(tenants: Sequence[Tenant], cores: float, accelerators: float) -> Floats | Unknown:
    """Of each tenant, the share of its recent requests over what the whole host can do (its fill aside).

    Each brings one part's load; what is over in a step is missed by all in proportion to what they ask for. Pasts are
    laid side by side from their ends. Unknown where too little is known of all at the same time.
    """
    step = max(each.past.step for each in tenants)
    if any(step % each.past.step for each in tenants):
        return Unknown("the histories of those that would share have steps that do not fit into each other")
    pasts = [each.past.coarser(step).values for each in tenants]
    steps = min(len(past) for past in pasts)
    busy = np.stack([past[len(past) - steps :] / each.parts for past, each in zip(pasts, tenants, strict=True)])
    known = np.isfinite(busy).all(axis=0)
    if not steps or known.mean() < ENOUGH:
        return Unknown("there is too little recent history in which the load of all that would share is known")
    busy = busy[:, known]
    lost = np.zeros(busy.shape[1])
    for each, room in (([t.cores for t in tenants], cores), ([t.accelerators for t in tenants], accelerators)):
        asked = np.array(each) @ busy
        lost = np.maximum(lost, np.divide(asked - room, asked, out=np.zeros_like(asked), where=asked > room))
    came = busy.sum(axis=1)
    over = busy @ lost
    shares: Floats = np.divide(over, came, out=np.zeros_like(came), where=came > 0)
    return shares
