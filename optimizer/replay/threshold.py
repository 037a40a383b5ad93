"""The policy of the original design, kept to be compared with: thresholds, cool-downs and a line an hour ahead.

Scale up by half above 70 % use (then rest 300 s), down by 0.7 below 30 % use (then rest 600 s). Its
predictive part draws a straight line through the last hour, looks 3,600 s ahead, and scales up when
the 0.8 quantile of that forecast is above 70 % use.
"""

from __future__ import annotations

import math
import sys

import numpy as np

from optimizer.compiled import compiled
from optimizer.physics import Counts, Floats

UP_ABOVE, UP_BY, UP_REST_S = 0.7, 1.5, 300.0
DOWN_BELOW, DOWN_BY, DOWN_REST_S = 0.3, 0.7, 600.0
HORIZON_S = 3600.0
Z_80 = 0.8416212335729143  # 0.8 quantile of the standard normal


@compiled
def _line_ahead(load: Floats, t: int, span: int, ahead: float, z: float) -> float:
    """Least-squares line through the known last `span` steps, `ahead` steps on, plus z standard errors."""
    n = 0
    sx = sy = sxx = sxy = syy = 0.0
    for j in range(max(0, t - span + 1), t + 1):
        y = load[j]
        if not np.isnan(y):
            x = float(j - t)
            n += 1
            sx += x
            sy += y
            sxx += x * x
            sxy += x * y
            syy += y * y
    spread = sxx - sx * sx / max(n, 1)
    if n < 3 or spread <= 0.0:
        return 0.0 if n == 0 else sy / n
    slope = (sxy - sx * sy / n) / spread
    left = max(0.0, (syy - sy * sy / n) - slope * (sxy - sx * sy / n)) / (n - 2)
    return float(sy / n + slope * (ahead - sx / n) + z * np.sqrt(left))


@compiled
def _follow(
    load: Floats,
    bounds: tuple[int, int],
    step_s: float,
    rests: tuple[float, float],
    line: tuple[int, float, float],
) -> Counts:
    wanted = np.empty(len(load), dtype=np.int64)
    floor, most = bounds
    current = max(1, floor)
    rest_until = -1.0
    for t in range(len(load)):
        now = (t + 1) * step_s
        if t == 0 and not np.isnan(load[0]):
            current = min(max(current, int(np.ceil(load[0]))), most)
        if not np.isnan(load[t]) and now >= rest_until:
            ahead = _line_ahead(load, t, line[0], line[1], line[2])
            use = load[t] / max(current, 1)
            if max(use, ahead / max(current, 1)) > UP_ABOVE:
                current = min(int(np.ceil(max(current, 1) * UP_BY)), most)
                rest_until = now + rests[0]
            elif use < DOWN_BELOW:
                current = max(floor, int(np.floor(current * DOWN_BY)))
                rest_until = now + rests[1]
        wanted[t] = current
    return wanted


def threshold(load: Floats, *, step_s: float, floor: int, most: int | None = None) -> Counts:
    """Wanted replicas, one a step, from `floor` to `most`; a gap changes nothing."""
    hour = max(3, math.ceil(HORIZON_S / step_s))
    bounds = (floor, sys.maxsize if most is None else most)
    return _follow(load, bounds, step_s, (UP_REST_S, DOWN_REST_S), (hour, HORIZON_S / step_s, Z_80))
