"""Ways of running a workload, priced on a stretch of load: what ran before, what was proposed, what ran.

All of them are priced by the function that prices today's bill (`optimizer.cost.today`): mode, offer and replicas at each
step, at the prices of a market. What ran before and what was proposed are scaled, each by one factor, to cost on
the load of the decision what the recommendation said they cost there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from domain.load import Floats, LoadHistory
from domain.observation import RunningState
from domain.plan import Configuration
from domain.prices import HOURS_PER_MONTH
from domain.unknown import Unknown
from domain.workload import ServingMode
from optimizer.cost import today
from optimizer.modes import Market
from optimizer.options import Options
from optimizer.outlook import problem_of, recent_of
from optimizer.physics import Counts
from optimizer.scaling import decide

HOURS_A_NIGHT = 24.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stretch:
    """Load to be priced, the end of `history`; by the last week of that a share of a host is sized."""

    load: LoadHistory
    history: LoadHistory
    window: LoadHistory

    @classmethod
    def of(cls, load: LoadHistory, history: LoadHistory, options: Options) -> Stretch:
        """The stretch with the window that the options name."""
        return cls(load=load, history=history, window=recent_of(history, options.replay.window))

    def wanted(self, market: Market) -> Counts:
        """The numbers that the scaling policy wants at the steps of the load, seeing nothing later than each."""
        asked = problem_of(self.history, self.window, market)
        return decide(self.history, asked).desired[-len(self.load) :]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What a workload runs on, and the factor to what that was said to cost."""

    running: RunningState
    factor: float = 1.0

    def usd(self, market: Market, replicas: Floats, stretch: Stretch) -> float | Unknown:
        """USD of 24 hours of this load with these replicas."""
        arrivals = stretch.window if self.running.mode is ServingMode.SHARED else stretch.load
        found = today(market, self.running, replicas, arrivals)
        if isinstance(found, Unknown):
            return found
        return found.usd_per_month * self.factor * HOURS_A_NIGHT / HOURS_PER_MONTH

    def scaled_to(self, usd_per_month: float, market: Market, replicas: Floats, stretch: Stretch) -> Way | Unknown:
        """The same, costing so much there; as it is where either amount is nothing."""
        said, cost = usd_per_month * HOURS_A_NIGHT / HOURS_PER_MONTH, self.usd(market, replicas, stretch)
        if isinstance(cost, Unknown):
            return cost
        return replace(self, factor=said / cost) if said > 0 and cost > 0 else self


def way_of(configuration: Configuration) -> Way:
    """A proposal as if it ran."""
    return Way(
        running=RunningState(
            replicas=configuration.replicas,
            mode=configuration.mode,
            offer=configuration.offer,
            purchase=configuration.purchase,
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Replicas as a straight line over the load (requests/s), never under `least`."""

    level: float
    slope: float
    least: float

    def at(self, load_rps: Floats) -> Floats:
        """Whole replicas at each load; NaN where it is not known."""
        found: Floats = np.maximum(self.least, np.round(self.level + self.slope * load_rps))
        return found


def line_of(load_rps: Floats, replicas: Floats, otherwise: float) -> Line:
    """The least-squares line through what ran, neither falling nor below zero; level at `otherwise` where nothing is known.

    It goes through both means, so that on its own load it has the mean of what ran. What did not follow the load
    is level: twenty-four replicas at any load stay twenty-four.
    """
    both = np.isfinite(load_rps) & np.isfinite(replicas)
    if not both.any():
        return Line(level=otherwise, slope=0.0, least=otherwise)
    x, y = load_rps[both], replicas[both]
    spread = float(np.mean((x - x.mean()) ** 2))
    slope = max(0.0, float(np.mean((x - x.mean()) * (y - y.mean()))) / spread) if spread > 0 else 0.0
    level = float(y.mean() - slope * x.mean())
    if level < 0:
        level, slope = 0.0, float(y.mean() / x.mean())
    return Line(level=level, slope=slope, least=float(y.min()))
