"""What is expected of a workload's load, and what scaling makes of it: the numbers a plan is priced on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from domain.load import LoadHistory
from domain.unknown import Unknown
from optimizer.demand import Demand, Sizing, expected, measured, within_budget
from optimizer.forecast import Forecasting, forecast
from optimizer.modes import Market
from optimizer.options import Options
from optimizer.physics import StartUp, run
from optimizer.scaling import Decisions, ScalingProblem, decide


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outlook:
    """The load seen, the week ahead at quantile `level`, and the scaling policy's numbers for the past.

    `recent` is the stretch of `load` on which costs are measured. `error` is the back-test's mean
    absolute error as a share of the mean load, at most 0.9.
    """

    load: LoadHistory
    recent: LoadHistory
    sizing: Sizing
    problem: ScalingProblem
    forecasting: Forecasting
    decisions: Decisions
    level: float
    base: float
    error: float

    def demand(self, scale: float = 1.0) -> Demand:
        """The week ahead at the plan's quantile, all load times `scale`."""
        return self._ahead(self.level, scale)

    def _ahead(self, level: float, scale: float) -> Demand:
        """Replicas as the forecast's path asks for, or as the policy asked for lately where that is more.

        On bursts the policy keeps more than any path of quantiles says; what it kept is taken along
        with the growth of the load from the recent past to the week ahead.
        """
        ahead = self.forecasting.forecast
        found = expected(ahead, self.sizing, self.recent, level=level, base=self.base, scale=scale)
        before, mean = self.measured(), float(np.mean(ahead.mean))
        growth = scale * mean / before.rate_rps if before.rate_rps > 0 else scale
        kept = np.ceil(before.replicas.values * growth - 1e-9)
        held = replace(before.replicas, values=np.clip(kept, self.sizing.min_replicas, self.sizing.max_replicas))
        return replace(found, replicas=held) if held.mean > found.replicas.mean else found

    def least(self) -> Demand:
        """The week ahead as it may well turn out lower: the median, less the back-test's error."""
        ahead = self.forecasting.forecast
        return expected(ahead, self.sizing, self.recent, level=0.5, base=self.base, scale=1.0 - self.error)

    def most(self) -> Demand:
        """The week ahead as it may well turn out higher: the highest quantile, plus the back-test's error."""
        return self._ahead(self.forecasting.forecast.levels[-1], 1.0 + self.error)

    @property
    def missed(self) -> float:
        """Share of the recent requests that came over the capacity that the policy's replicas had ready."""
        startup = StartUp.of(self.sizing.startup, self.load.step)
        done = run(self.load.values / self.sizing.capacity_rps, self.decisions.desired, startup)
        came = float(np.nansum(self.recent.values)) / self.sizing.capacity_rps
        return float(done.missed[-len(self.recent) :].sum()) / came if came > 0 else 0.0

    def measured(self) -> Demand:
        """The recent past with the replicas that the policy asked for, step by step, seeing nothing later."""
        return measured(self.recent, self.decisions.desired[-len(self.recent) :])


def outlook_of(load: LoadHistory, market: Market, options: Options) -> Outlook | Unknown:
    """The outlook on `load`, which must end by the time of the decision; Unknown where nothing can be forecast."""
    ahead = options.forecast
    steps = max(1, ahead.horizon // load.step)
    forecasting = forecast(load, steps=steps, levels=ahead.levels, quantile=ahead.quantile)
    if isinstance(forecasting, Unknown):
        return forecasting
    sizing = market.sizing
    recent = recent_of(load, options.replay.window)
    problem = problem_of(load, recent, market)
    return Outlook(
        load=load,
        recent=recent,
        sizing=sizing,
        problem=problem,
        forecasting=forecasting,
        decisions=decide(load, problem),
        level=_level(forecasting, problem),
        base=ahead.base,
        error=_relative_error(forecasting, load),
    )


def problem_of(load: LoadHistory, recent: LoadHistory, market: Market) -> ScalingProblem:
    """What the scaling policy is asked on `load`; before `recent` it only learns, for at most a week."""
    sizing = market.sizing
    return ScalingProblem(
        capacity_rps=sizing.capacity_rps,
        startup=sizing.startup,
        attainment=market.workload.slo.attainment,
        min_replicas=sizing.min_replicas,
        max_replicas=sizing.max_replicas,
        learning=min(timedelta(days=7), len(load) * load.step - len(recent) * recent.step),
        replica_hours_per_miss=_worth_of_a_miss(market),
    )


def _worth_of_a_miss(market: Market) -> float | None:
    """Replica-hours that a missed request is worth, at the cheapest replica on demand; None where it has no price."""
    usd = market.workload.slo.usd_per_missed_request
    each = [fit.offer.on_demand.amount / fit.replicas for fit in market.machines.shortlist]
    return None if usd is None or not each else usd / min(each)


def _level(forecasting: Forecasting, problem: ScalingProblem) -> float:
    """The quantile to plan at: within the budget, or the newsvendor's 1 - 1/price where a miss has a price."""
    levels, price = forecasting.forecast.levels, problem.price_of_miss
    if price is None:
        return within_budget(forecasting.forecast, problem.budget)
    wanted = max(0.5, 1.0 - 1.0 / max(price, 1.0))
    return min((level for level in levels if level >= wanted - 1e-9), default=levels[-1])


def recent_of(load: LoadHistory, window: timedelta) -> LoadHistory:
    """The last `window`, and never more than the last half: the first half is there to learn from."""
    steps = max(1, min(window // load.step, len(load) // 2))
    return LoadHistory(start=load.end - steps * load.step, step=load.step, values=load.values[-steps:])


def _relative_error(forecasting: Forecasting, load: LoadHistory) -> float:
    score, mean = forecasting.forecast.score, float(np.nanmean(load.values))
    if score is None or mean <= 0:
        return 0.5  # no back-test: half of the load in doubt
    return min(0.9, score.mae / mean)
