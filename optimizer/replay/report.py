"""What a replay hands back: one row a policy, and the series of a chart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from optimizer.physics import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRow:
    """One policy after the warm-up. None: cannot be had (the reason is in `detail`).

    `cost_x` is cost over that of perfect foresight. `at_budget` is cost over the cheapest baseline
    (HPA, last week's peak, a fixed number) tuned in hindsight to miss exactly the budget, and means
    something only where `slo_met`. `vs_hpa`, `vs_week`, `vs_best` compare with the baseline tuned
    to this policy's own missed share, so they flatter one that leaves budget unspent.
    """

    policy: str
    replica_hours: float | None
    usd: float | None
    mean_replicas: float | None
    missed_requests: float | None
    missed_share: float | None
    slo_met: bool | None
    cost_x: float | None
    at_budget: float | None
    vs_hpa: float | None = None
    vs_week: float | None = None
    vs_best: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReplaySeries:
    """One policy over time, per step of the history from the end of the warm-up.

    `ready` are replicas serving (a start-up in part counts in part), `missed_rps` requests/s over capacity.
    """

    policy: str
    ready: Floats
    missed_rps: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReplayReport:
    """Policies side by side on one history, with the same physics for all.

    `load_rps` is the load (NaN in gaps) from `start` on, in steps of `step`; `requests` their number.
    """

    start: datetime
    step: timedelta
    load_rps: Floats
    requests: float
    budget: float
    capacity_rps: float
    startup: timedelta
    usd_per_replica_hour: float
    rows: tuple[ReplayRow, ...]
    series: tuple[ReplaySeries, ...]

    def row(self, policy: str) -> ReplayRow:
        """The row of one policy; KeyError if it was not replayed."""
        for row in self.rows:
            if row.policy == policy:
                return row
        raise KeyError(policy)
