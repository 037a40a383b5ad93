"""Which attainment can be promised for a load, and at what cost: said before any plan.

Two things bound what a causal policy can reach. The first is the load's own: requests beyond three
times the last hour's maximum and beyond ten replicas, a start-up time ahead, which keep to no phase of
the hour or day. Nobody orders replicas for those in time without keeping them always; where they
alone exceed the error budget, it is not to be promised. The second is what was tried: where even
the dearest price of a miss on the replayed curve missed more than the budget, no money of that order
buys it; and where the policy missed it and only prices beyond three times the budget's own would have
kept it, it is to be had but not at a sane cost. `benchmarks/promises.py` shows how often the advice is right.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from domain.load import LoadHistory
from domain.plan import Reason
from domain.prices import HOURS_PER_MONTH
from optimizer.frontier import Frontier
from optimizer.physics import Floats, StartUp
from optimizer.scaling import ScalingProblem
from optimizer.scaling.features import DAY_S, HOUR_S, centred_max, shifted, trailing_max

ATTAINMENTS = (0.9999, 0.9995, 0.999, 0.998, 0.997, 0.995, 0.99, 0.98, 0.97, 0.95, 0.9, 0.8, 0.5)
JUMP = 3.0  # times the last hour's maximum
FEW = 10.0  # replicas under which a jump is carried by any plan's rounding and floor
DAYS, DAYS_ALIKE = 7, 2  # foreseen where it came at this time on two of the last seven days
HOURS, HOURS_ALIKE = 24, 6  # or in this phase of the hour in six of the last twenty-four
NEAR = 2  # steps either side that are the same time of day
SANE = 3.0  # times 1/budget replica-hours for a replica-hour of missed load: as far as a budget is chased
LEARNT = timedelta(days=2)  # of history before jumps are counted; half of a shorter one


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What may be promised. `advised` is the wanted attainment where that is within reach, None where nothing is.

    `unforeseeable` is the share of all requests that came without warning, `missed` that which the policy
    missed in the scored window, `least_missed` the least that any price of the curve did. Dollars are a month's (730 h) at the
    window's load: None where the curve does not reach that attainment.
    """

    wanted: float
    advised: float | None
    unforeseeable: float
    missed: float
    least_missed: float
    usd_per_month_wanted: float | None
    usd_per_month_advised: float | None
    usd_per_month_dearest: float

    @property
    def reachable(self) -> bool:
        """Whether the wanted attainment may be promised."""
        return self.advised == self.wanted

    def reason(self) -> Reason:
        """`slo_reachable` with its cost, or `slo_unreachable` with what to promise instead."""
        if self.reachable:
            return Reason(
                code="slo_reachable",
                detail=f"{_percent(self.wanted)} of requests are within reach: on the recent past at {_month(self.usd_per_month_wanted)}",
                after=f"{self.wanted:.6g}",
            )
        return Reason(
            code="slo_unreachable",
            detail=f"do not promise {_percent(self.wanted)}: {self._why()}; {self._instead()}",
            before=f"{self.wanted:.6g}",
            after="none" if self.advised is None else f"{self.advised:.6g}",
        )

    def _why(self) -> str:
        budget = 1.0 - self.wanted
        if self.unforeseeable > budget:
            return (
                f"{self.unforeseeable:.3%} of requests came without warning (over {JUMP:g} times the last hour's peak, in no phase of "
                f"the hour or day), the budget is {budget:.3%}"
            )
        if self.least_missed > budget:
            return (
                f"on the recent past even the dearest policy, {_month(self.usd_per_month_dearest)}, missed "
                f"{self.least_missed:.3%}, the budget is {budget:.3%}"
            )
        return f"on the recent past {self.missed:.3%} was missed, the budget is {budget:.3%}, and only prices out of proportion would have kept it"

    def _instead(self) -> str:
        if self.advised is None:
            return "nothing from 50 % on can be promised"
        cost = (
            ""
            if self.usd_per_month_wanted is None
            else f", {_percent(self.wanted)} {_month(self.usd_per_month_wanted)}"
        )
        return f"{_percent(self.advised)} would cost {_month(self.usd_per_month_advised)}{cost}"


def promise(history: LoadHistory, problem: ScalingProblem, curve: Frontier, /) -> Promise:
    """What can be promised of the load of `history` (requests/s; gaps count for nothing), given its curve."""
    sudden = unforeseeable(history, problem)
    least = min(point.missed_share for point in curve.points)
    dearest = max(point.usd for point in curve.points)
    asked = [each for each in (problem.attainment, *ATTAINMENTS) if each <= problem.attainment]
    within = [each for each in asked if sudden <= 1.0 - each and _to_be_had(curve, 1.0 - each)]
    advised = max(within, default=None)

    def monthly(usd: float | None) -> float | None:
        return None if usd is None or curve.hours <= 0 else usd / curve.hours * HOURS_PER_MONTH

    return Promise(
        wanted=problem.attainment,
        advised=advised,
        unforeseeable=sudden,
        missed=curve.live.missed_share,
        least_missed=least,
        usd_per_month_wanted=monthly(curve.usd_at(problem.attainment)),
        usd_per_month_advised=None if advised is None else monthly(curve.usd_at(advised)),
        usd_per_month_dearest=monthly(dearest) or 0.0,
    )


def _to_be_had(curve: Frontier, budget: float) -> bool:
    """Whether the policy, or a price of a miss that is in proportion to the budget, kept it on the scored window."""
    sane = [point.missed_share for point in curve.points if point.price * budget <= SANE] or [1.0]
    least = min(point.missed_share for point in curve.points)
    return least <= budget and min(curve.live.missed_share, *sane) <= budget


def unforeseeable(history: LoadHistory, problem: ScalingProblem) -> float:
    """Share of the requests that came over three times the last hour's maximum, over ten replicas and out of phase.

    What was known is what had ended when a replica had to be asked for to serve the step. The first
    two days (or half of a shorter history) only teach. 0 where no load is known.
    """
    load = history.values / problem.capacity_rps
    first = min(LEARNT // history.step, len(load) // 2)
    total = float(np.nansum(load[first:]))
    if total <= 0.0:
        return 0.0
    lead = StartUp.of(problem.startup, history.step).lead
    per_hour, per_day = (max(1, round(length / history.step_s)) for length in (HOUR_S, DAY_S))
    recent = shifted(trailing_max(load, per_hour), lead)
    foreseen = np.maximum(JUMP * np.nan_to_num(recent), FEW)
    days = _often(centred_max(load, NEAR), per_day, DAYS, DAYS_ALIKE, least=lead + NEAR)
    foreseen = np.maximum(foreseen, days)
    if per_hour > 1:
        foreseen = np.maximum(foreseen, _often(load, per_hour, HOURS, HOURS_ALIKE, least=lead))
    return float(np.nansum(np.maximum(0.0, load - foreseen)[first:])) / total


def _often(load: Floats, period: int, count: int, alike: int, *, least: int) -> Floats:
    """The load that was reached in this phase in at least `alike` of the last `count` periods, as known `least` steps ahead."""
    rows = [np.nan_to_num(shifted(load, j * period)) for j in range(1, count + 1) if j * period >= least]
    if len(rows) < alike:
        return np.zeros(len(load))
    ranked: Floats = np.partition(np.array(rows), len(rows) - alike, axis=0)[len(rows) - alike]
    return ranked


def _percent(share: float) -> str:
    return f"{100.0 * share:.6g} %"


def _month(usd: float | None) -> str:
    return "no price that was replayed" if usd is None else f"{usd:,.2f} USD a month"
