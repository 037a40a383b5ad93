"""What the scaling policy is asked and what it answers."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from domain.load import LoadHistory
from domain.plan import Reason
from domain.workload import MOST_REPLICAS
from optimizer.physics import Counts, Floats


def past_reckoning(history: LoadHistory, capacity_rps: float) -> str | None:
    """Why no replicas are reckoned for `history` (requests/s), None where they are: its peak asks for over a million.

    A load or a capacity is then in the wrong unit, and no memory would hold what every number of replicas costs.
    """
    peak_rps = float(np.nanmax(history.values, initial=0.0))
    if peak_rps / capacity_rps <= MOST_REPLICAS:
        return None
    return (
        f"the load's peak of {peak_rps:.3g} requests/s is that of {peak_rps / capacity_rps:.3g} replicas which carry "
        f"{capacity_rps:g} requests/s each; at most {MOST_REPLICAS:,} are reckoned with"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalingProblem:
    """Everything the policy is told; there is no setting per trace.

    `startup` runs from asking for a replica to its being ready. `attainment` is the share of requests
    that must meet the SLO. `decision_interval`: never decides more often than this. `learning`: misses
    count against the error budget from this far into the history on; before, the policy only learns.
    `replica_hours_per_miss`: what one missed request may cost, in replica-hours (dollars per missed
    request over dollars per replica-hour); where given, it replaces the attainment as the aim.
    """

    capacity_rps: float
    startup: timedelta = timedelta(seconds=300)
    attainment: float = 0.999
    min_replicas: int = 1
    max_replicas: int | None = None
    decision_interval: timedelta = timedelta(seconds=60)
    learning: timedelta = timedelta(days=7)
    replica_hours_per_miss: float | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.capacity_rps) and self.capacity_rps > 0):
            raise ValueError(f"capacity_rps must be a positive number of requests/s, not {self.capacity_rps}")
        if not 0.0 < self.attainment < 1.0:
            raise ValueError(f"attainment must lie strictly between 0 and 1, not {self.attainment}")
        if not 0 <= self.min_replicas <= MOST_REPLICAS:
            raise ValueError(f"min_replicas must lie between 0 and {MOST_REPLICAS:,}, not {self.min_replicas}")
        if self.max_replicas is not None and self.max_replicas < max(1, self.min_replicas):
            raise ValueError(f"max_replicas {self.max_replicas} is below min_replicas {self.min_replicas} or 1")
        if self.decision_interval <= timedelta(0):
            raise ValueError(f"decision_interval must be positive, not {self.decision_interval}")
        if self.startup < timedelta(0):
            raise ValueError(f"startup cannot be negative: {self.startup}")

    @property
    def budget(self) -> float:
        """Share of requests that may be missed."""
        return 1.0 - self.attainment

    @property
    def most(self) -> int:
        """The most replicas that are reckoned with: `max_replicas`, or a number that nothing asks for."""
        return sys.maxsize if self.max_replicas is None else self.max_replicas

    def load_of(self, history: LoadHistory) -> Floats:
        """`history` (requests/s) in replicas' worth; ValueError where its peak asks for more than can be reckoned with."""
        why = past_reckoning(history, self.capacity_rps)
        if why is not None:
            raise ValueError(why)
        load: Floats = history.values / self.capacity_rps
        return load

    @property
    def price_of_miss(self) -> float | None:
        """Replica-steps per replica-step of missed load, of any step; None where the budget sets the price."""
        if self.replica_hours_per_miss is None:
            return None
        return self.replica_hours_per_miss * self.capacity_rps * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What one kind of predictor wanted at the last step: its share in the decision and its replicas."""

    predictor: str
    detail: str
    weight: float
    replicas: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why the last number is what it is: who said what, then each constraint in order."""

    opinions: tuple[Opinion, ...]
    reasons: tuple[Reason, ...]
    replicas: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PriceRow:
    """One causal policy for each price of a miss: between two of them each decision was made.

    `prices` rise, in replica-steps per replica-step of missed load. `wanted` is (decisions, prices),
    before the floor and the bounds on replicas; a decision stands for `ratio` steps of the history. `needed` is that floor, what the
    load of the moment alone needs (0 where it is not known). `positions` says for each
    decision where on the row it lies: 2.5 is half way between the prices 2 and 3.
    """

    prices: Floats
    wanted: NDArray[np.int64]
    needed: Counts
    positions: Floats
    ratio: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decisions:
    """`desired[i]`: whole replicas wanted at the END of step i, having seen the load up to and including it."""

    desired: Counts
    explanation: Explanation
    row: PriceRow | None = None
