"""What is expected of a workload's load, and what scaling makes of it: the numbers a plan is priced on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache

import numpy as np

from domain.load import Floats, LoadHistory
from domain.unknown import Unknown
from optimizer.demand import MEDIAN, Demand, Sizing, Spread, expected, measured, within_budget
from optimizer.forecast import Forecasting, forecast
from optimizer.margin import Late, late_of
from optimizer.modes import Market
from optimizer.options import Options
from optimizer.physics import Counts, StartUp, first_ready, ready, run
from optimizer.queueing import late_share
from optimizer.replay.bench import LEAST_SCORED
from optimizer.scaling import Decisions, ScalingProblem, decide
from optimizer.shares import DAY_S, Drawn, drawn

# A plan asks again and again for the week ahead and for its upper end, and for the very same histories in them.
AHEAD = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outlook:
    """The load seen, the week ahead at quantile `level`, and the scaling policy's numbers for the past.

    `recent` is the stretch of `load` on which costs are measured. `error` is the back-test's mean
    absolute error as a share of the mean load, at most 0.9. `share` is how a share of a host would have
    been drawn up. `late_scaled` and `late_on_share` are the shares of requests that may well be
    answered over the SLO's latency by the policy's replicas, and by copies on such a share. `weighed_usd_per_hour` is what
    a replica counts where a missed request is weighed in dollars; None where no machine is priced.
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
    share: Drawn
    late_scaled: Late
    late_on_share: Late
    weighed_usd_per_hour: float | None

    def demand(self, scale: float = 1.0) -> Demand:
        """The week ahead at the plan's quantile, all load times `scale`."""
        return _ahead(self, self.level, scale)

    def least(self) -> Demand:
        """The week ahead as it may well turn out lower: the median, less the back-test's error."""
        return _least(self)

    def most(self) -> Demand:
        """The week ahead as it may well turn out higher: the highest quantile, plus the back-test's error."""
        return _ahead(self, self.forecasting.forecast.levels[-1], 1.0 + self.error)

    def measured(self) -> Demand:
        """The recent past with the replicas that the policy asked for, step by step, seeing nothing later."""
        return _measured(self)

    @property
    def missed(self) -> float:
        """Share of the recent requests that came over the capacity that the policy's replicas had ready."""
        startup = StartUp.of(self.sizing.startup, self.load.step)
        load, most = self.load.values / self.sizing.capacity_rps, self.sizing.max_replicas
        done = run(load, self.decisions.desired, startup, most=most)
        came = float(np.nansum(self.recent.values)) / self.sizing.capacity_rps
        return float(done.missed[-len(self.recent) :].sum()) / came if came > 0 else 0.0


@lru_cache(maxsize=AHEAD)
def _ahead(outlook: Outlook, level: float, scale: float) -> Demand:
    """Replicas as the forecast's path asks for, or as the policy asked for lately where that is more.

    On bursts the policy keeps more than any path of quantiles says; what it kept is taken along
    with the growth of the load from the recent past to the week ahead.
    """
    ahead, sizing = outlook.forecasting.forecast, outlook.sizing
    found = expected(ahead, sizing, outlook.load, level=level, base=outlook.base, scale=scale)
    before, mean = outlook.measured(), float(np.mean(ahead.mean))
    growth = scale * mean / before.rate_rps if before.rate_rps > 0 else scale
    drawn_rps = replace(before.drawn_rps, values=before.drawn_rps.values * growth) if before.drawn_rps else None
    found = replace(found, drawn_rps=drawn_rps, late_scaled=outlook.late_scaled, late_on_share=outlook.late_on_share)
    held = before.replicas.grown(growth, sizing.min_replicas, sizing.max_replicas)
    return replace(found, replicas=held) if held.mean > found.replicas.mean else found


@lru_cache(maxsize=1)
def _least(outlook: Outlook) -> Demand:
    ahead, scale = outlook.forecasting.forecast, 1.0 - outlook.error
    return expected(ahead, outlook.sizing, outlook.recent, level=MEDIAN, base=outlook.base, scale=scale)


@lru_cache(maxsize=1)
def _measured(outlook: Outlook) -> Demand:
    last = slice(-len(outlook.recent), None)
    known = np.isfinite(outlook.recent.values)
    found = measured(outlook.recent, outlook.decisions.desired[last])
    return replace(found, drawn_rps=Spread.of(outlook.share.held[last][known]).thinned())


def outlook_of(
    load: LoadHistory, market: Market, options: Options, made: Forecasting | None = None
) -> Outlook | Unknown:
    """The outlook on `load`, which must end by the time of the decision; Unknown where nothing can be forecast.

    `made` is a forecast of that very load, where the caller has it already.
    """
    ahead = options.forecast
    steps = max(1, ahead.horizon // load.step)
    forecasting = made or forecast(
        load, steps=steps, levels=ahead.levels, quantile=ahead.quantile, country=market.workload.country
    )
    if isinstance(forecasting, Unknown):
        return forecasting
    sizing = market.sizing
    recent = recent_of(load, options.replay.window)
    problem = problem_of(load, recent, market)
    decisions = decide(load, problem)
    share = drawn(load, startup=sizing.startup, budget=market.workload.slo.budget)
    return Outlook(
        load=load,
        recent=recent,
        sizing=sizing,
        problem=problem,
        forecasting=forecasting,
        decisions=decisions,
        level=_level(forecasting, problem),
        base=ahead.base,
        error=_relative_error(forecasting, load),
        share=share,
        late_scaled=_late(load, _late_scaled(load, market, decisions)),
        late_on_share=_late(load, _late_on_share(load, market, share)),
        weighed_usd_per_hour=_weighed_usd_per_hour(market),
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
        decision_interval=sizing.decision_interval,
        learning=min(timedelta(days=7), len(load) * load.step - len(recent) * recent.step),
        replica_hours_per_miss=_worth_of_a_miss(market),
    )


def _late_scaled(load: LoadHistory, market: Market, decisions: Decisions) -> Floats:
    """Requests/s of each step that the policy's replicas answer late, those of the start of the step and of its rest apart."""
    startup = StartUp.of(market.sizing.startup, load.step)
    first = first_ready(load.values / market.sizing.capacity_rps, market.sizing.max_replicas)
    early, then = ready(decisions.desired, first, startup)
    late = startup.part * _late_rps(load, market, early) if startup.part > 0 else 0.0
    return late + (1.0 - startup.part) * _late_rps(load, market, then)


def _late_on_share(load: LoadHistory, market: Market, share: Drawn) -> Floats:
    """Requests/s of each step that the copies on a share of a host, whole replicas, answer late."""
    return _late_rps(load, market, np.maximum(1.0, np.ceil(share.ready / market.sizing.capacity_rps - 1e-9)))


def _late_rps(load: LoadHistory, market: Market, replicas: Floats | Counts) -> Floats:
    """Late requests/s of each step with these replicas ready, as a queue that each of them serves one by one makes them.

    Requests may wait for as long as the SLO's latency, so that load counts as it is over that time. What comes over
    their capacity is late where the service time is not known, or a replica serves several at once (its capacity
    times that time is 1 or more, as of language models that batch): the capacity then has the queue in it.
    """
    service_s, latency_s = market.service_time_s, market.workload.slo.latency / timedelta(seconds=1)
    if isinstance(service_s, Unknown) or not 0 < service_s < latency_s or service_s * market.sizing.capacity_rps >= 1:
        return np.maximum(0.0, np.nan_to_num(load.values) - replicas * market.sizing.capacity_rps)
    came = _over_time(load.values, max(1, int(latency_s / load.step_s)))
    late = late_share(came * service_s, replicas.astype(np.float64), latency_s / service_s - 1.0)
    return late * np.nan_to_num(load.values)


def _over_time(values: Floats, steps: int) -> Floats:
    """Means over the known ones of the last `steps` steps; 0 where none is."""
    known = np.isfinite(values)
    sums, counts = np.cumsum(np.nan_to_num(values)), np.cumsum(known)
    sums[steps:], counts[steps:] = sums[steps:] - sums[:-steps], counts[steps:] - counts[:-steps]
    return np.asarray(sums / np.maximum(counts, 1))


def _late(load: LoadHistory, late_rps: Floats) -> Late:
    """The share of requests that is late, and how it varies from day to day.

    The first day, at most half of the history, is left out: whatever scales has to see some load first.
    """
    first = min(int(DAY_S // load.step_s), len(load) // 2)
    known = first + np.flatnonzero(np.isfinite(load.values[first:]))
    days = (load.start.timestamp() + known * load.step_s) // DAY_S
    return late_of(late_rps[known] * load.step_s, load.values[known] * load.step_s, days.astype(np.int64))


def _worth_of_a_miss(market: Market) -> float | None:
    """Replica-hours that a missed request is worth; None where it has no price, or no replica has one."""
    usd, replica = market.workload.slo.usd_per_missed_request, _weighed_usd_per_hour(market)
    return None if usd is None or replica is None else usd / replica


def _weighed_usd_per_hour(market: Market) -> float | None:
    """The cheapest replica on demand, its machine filled; None where no machine is priced."""
    return min((fit.offer.on_demand.amount / fit.replicas for fit in market.machines.shortlist), default=None)


def _level(forecasting: Forecasting, problem: ScalingProblem) -> float:
    """The quantile to plan at: within the budget, or the newsvendor's 1 - 1/price where a miss has a price."""
    levels, price = forecasting.forecast.levels, problem.price_of_miss
    if price is None:
        return within_budget(forecasting.forecast, problem.budget)
    wanted = max(0.5, 1.0 - 1.0 / max(price, 1.0))
    return min((level for level in levels if level >= wanted - 1e-9), default=levels[-1])


def recent_of(load: LoadHistory, window: timedelta) -> LoadHistory:
    """The last `window` and at least as much as a replay needs, but never more than the last half: the first half is there to learn from."""
    steps = max(1, min(max(window // load.step, LEAST_SCORED), len(load) // 2))
    return LoadHistory(start=load.end - steps * load.step, step=load.step, values=load.values[-steps:])


def _relative_error(forecasting: Forecasting, load: LoadHistory) -> float:
    score, mean = forecasting.forecast.score, float(np.nanmean(load.values))
    if score is None or mean <= 0:
        return 0.5  # no back-test: half of the load in doubt
    return min(0.9, score.mae / mean)
