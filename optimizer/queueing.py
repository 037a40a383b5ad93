"""How many requests replicas with one queue answer too late."""

from __future__ import annotations

import numpy as np

from domain.load import Floats


def late_share(busy: Floats, replicas: Floats, waits: float) -> Floats:
    """Share of requests that wait for longer than `waits` service times, or are turned away because they would.

    `busy` is the offered load in replicas (requests/s times service time), `replicas` those that are ready. With use
    u = busy/replicas the chance of waiting at all is about u^(sqrt(2(c + 1)) - 1) (H. Sakasegawa, "An approximation
    formula", Ann. Inst. Statist. Math. 29, 1977) and, service taking always the same time, of waiting for longer
    than t services about exp(-2 c (1 - u) t) times that; those who would are turned away, which leaves the
    others (1 - u)P/(1 - uP) late (as for M/M/c with impatience; F. Baccelli, G. Hebuterne, 1981). From u = 1 on,
    1 - 1/u are too many, and at least as large a share as just below.
    """
    use = np.where(replicas > 0, busy / np.maximum(replicas, 1e-12), np.inf)
    below = np.minimum(use, 1.0 - 1e-6)
    waiting = below ** (np.sqrt(2.0 * (replicas + 1.0)) - 1.0)
    longer = waiting * np.exp(-2.0 * np.maximum(replicas, 0.0) * (1.0 - below) * waits)
    late = (1.0 - below) * longer / (1.0 - below * longer)
    too_many = 1.0 - 1.0 / np.maximum(use, 1.0)
    return np.asarray(np.where(busy > 0, np.maximum(late, too_many), 0.0))
