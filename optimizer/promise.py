"""Which attainment can be promised for a load, and at what cost: said before any plan.

Two things bound what a causal policy can reach. The first is the load's own: requests beyond three
times the last hour's maximum and beyond ten replicas, a start-up time ahead, which keep to no phase of
the hour or day. Nobody orders replicas for those in time without keeping them always; where they
alone exceed the error budget, it is not to be promised. The second is what was tried: where even
the dearest price of a miss on the replayed curve missed more than the budget, no money of that order
buys it; and where the policy missed it and only prices beyond three times the budget's own would have
kept it, it is to be had but not at a sane cost. What the policy did hold on that history is within
reach, at what it cost there; whether to promise it for the time ahead is another question, and where the load
gave no warning the answer is no. `benchmarks/promises.py` shows how often the advice is right.
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
    """What may be promised. `advised` is the wanted attainment where that may be promised, None where nothing may.

    `unforeseeable` is the share of all requests that came without warning, `missed` that which the policy
    missed in the scored window, `least_missed` the least that it or any price of the curve did, `over_limit` that which came
    beyond the `most` replicas that may run. Dollars are a month's (730 h) at the
    window's load: None where nothing that was replayed reaches that attainment; `live` is what the policy itself cost.
    """

    wanted: float
    advised: float | None
    unforeseeable: float
    missed: float
    least_missed: float
    over_limit: float
    most: int | None
    usd_per_month_live: float
    usd_per_month_wanted: float | None
    usd_per_month_advised: float | None
    usd_per_month_dearest: float

    @property
    def held(self) -> bool:
        """Whether the policy itself held the wanted attainment in the scored window."""
        return self.missed <= 1.0 - self.wanted

    @property
    def to_be_promised(self) -> bool:
        """Whether the wanted attainment may be promised for the time ahead."""
        return self.advised == self.wanted

    @property
    def reachable(self) -> bool:
        """Whether the wanted attainment was within reach on the recent past: held there, or to be promised."""
        return self.held or self.to_be_promised

    def reason(self) -> Reason:
        """`slo_reachable` with its cost; else what to promise instead: `slo_uncertain` where it was held, or `slo_unreachable`."""
        wanted = _percent(self.wanted)
        if self.to_be_promised:
            cost = _month(self.usd_per_month_wanted)
            return Reason(
                code="slo_reachable",
                detail=f"{wanted} of requests are within reach: on the recent past at {cost}, read off the curve",
                after=f"{self.wanted:.10g}",
            )
        held = f"{wanted} was held on the recent past at {_month(self.usd_per_month_live)}, but " if self.held else ""
        return Reason(
            code="slo_uncertain" if self.held else "slo_unreachable",
            detail=f"{held}do not promise {'it' if self.held else wanted}: {self._why()}; {self._instead()}",
            before=f"{self.wanted:.10g}",
            after="none" if self.advised is None else f"{self.advised:.10g}",
        )

    def _why(self) -> str:
        budget = 1.0 - self.wanted
        if self.over_limit > budget:
            return (
                f"on the recent past {self.over_limit:.3%} of requests came over what the most replicas that may run, {self.most}, carry; "
                f"the budget is {budget:.3%}"
            )
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
            if self.held or self.usd_per_month_wanted is None
            else f", {_percent(self.wanted)} {_month(self.usd_per_month_wanted)}"
        )
        return f"{_percent(self.advised)} would cost {_month(self.usd_per_month_advised)}{cost}"


def promise(history: LoadHistory, problem: ScalingProblem, curve: Frontier, /) -> Promise:
    """What can be promised of the load of `history` (requests/s; gaps count for nothing), given its curve."""
    sudden = unforeseeable(history, problem)
    asked = [each for each in (problem.attainment, *ATTAINMENTS) if each <= problem.attainment]
    within = [each for each in asked if sudden <= 1.0 - each and _to_be_had(curve, 1.0 - each)]
    advised = max(within, default=None)

    months = curve.hours / HOURS_PER_MONTH  # not 0: a curve has load in it

    def monthly_at(attainment: float | None) -> float | None:
        usd = None if attainment is None else curve.usd_at(attainment)
        return None if usd is None else usd / months

    return Promise(
        wanted=problem.attainment,
        advised=advised,
        unforeseeable=sudden,
        missed=curve.live.missed_share,
        least_missed=min(point.missed_share for point in curve.reached),
        over_limit=curve.over_limit,
        most=problem.max_replicas,
        usd_per_month_live=curve.live.usd / months,
        usd_per_month_wanted=monthly_at(problem.attainment),
        usd_per_month_advised=monthly_at(advised),
        usd_per_month_dearest=max(point.usd for point in curve.reached) / months,
    )


def _to_be_had(curve: Frontier, budget: float) -> bool:
    """Whether the policy, or a price of a miss that is in proportion to the budget, kept it on the scored window."""
    sane = (point.missed_share for point in curve.points if point.price * budget <= SANE)
    return min(curve.live.missed_share, *sane) <= budget


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
    return f"{100.0 * share:.10g} %"


def _month(usd: float | None) -> str:
    return "no price that was replayed" if usd is None else f"{usd:,.2f} USD a month"
