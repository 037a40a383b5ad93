"""Where the ordinary ends: a bound on a sign, from how large it was at most in each of the hours before.

The bound is what an hour's largest value exceeds with a given probability. The largest tenth of the hours says how the
tail falls off, as a power: above the least of them the logarithm's excess is exponential, and the rest of the way to the
probability is extrapolated. Source: I. Weissman, Estimation of parameters and large quantiles based on the k largest
observations (JASA 73, 1978). The scale of the excess is read from its median and not its mean, so that hours that were
out of the ordinary themselves, up to one in twenty, hardly lift the bound that the next one is judged by. Of k excesses
the scale is not known exactly: the next one exceeds k (p**(-1/k) - 1) scales with probability p, and not -log p (the
predictive distribution of the exponential; Geisser, Predictive Inference, 1993).
"""

from __future__ import annotations

import math

import numpy as np

from domain.load import Floats

TAIL = 0.1  # share of the hours
LEAST_SCALE = 0.25  # of the logarithm: hours that are much alike do not make the bound a hair's breadth
LEAST_HOURS = 60


def bound(hour_maxima: Floats, probability: float) -> float:
    """What the largest value of an hour exceeds with `probability`; infinite where no hour has anything to go by.

    `hour_maxima` has NaN where an hour is not known; NaN for fewer than 60 known. Hours at or below zero count as
    nearly nothing.
    """
    known = hour_maxima[np.isfinite(hour_maxima)]
    if len(known) < LEAST_HOURS:
        return math.nan
    if not (known > 0).any():
        return math.inf
    least = 0.1 * float(np.median(known[known > 0]))
    logs = np.sort(np.log(np.maximum(known, least)))[::-1]
    count = round(TAIL * len(logs))
    begin = float(logs[count])
    scale = max(LEAST_SCALE, float(np.median(logs[:count] - begin)) / math.log(2))
    share = (count + 1) / (len(logs) + 1)
    return math.exp(begin + scale * count * math.expm1(math.log(share / probability) / count))
