"""What a recommendation rests on, as JSON: one section a topic."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta

import numpy as np

from domain.capacity import CapacityModel, TimeToReady
from domain.load import Floats, LoadHistory
from domain.observation import Observation
from domain.plan import Evidence, Json
from domain.unknown import Unknown
from domain.workload import ServingMode
from optimizer.answer import Case
from optimizer.breakeven import as_json, break_even, sensitivity
from optimizer.capacity import CapacityStudy, model_json, study_json
from optimizer.cost import without_spot
from optimizer.kept import Kept
from optimizer.modes import Infeasible, Market, PriceUsed, Quote
from optimizer.options import Options
from optimizer.outlook import Outlook
from optimizer.pairing import on_grid_of
from optimizer.policies import rule_of_thumb
from optimizer.proposal import Proposal
from optimizer.prospect import Prospect, replica_usd_per_hour
from optimizer.prospect import as_json as prospect_json
from optimizer.replay import ReplayReport, ReplayRow, replay, unscored
from optimizer.rightsize import RightSized
from optimizer.scaling.explain import predictors_json
from optimizer.spot.proof import as_json as proof_json

HOUR = timedelta(hours=1)
DRAWN = ("trimtab", "schedule", "recorded")  # the series that a chart of the recent past shows beside the load


def evidence_of(
    case: Case, outlook: Outlook, proposal: Proposal, ahead: Prospect, *, study: CapacityStudy, sized: RightSized
) -> Evidence:
    """Every section; what is not known is absent or null, never 0."""
    observation, options, market = case.observation, case.options, sized.market
    return Evidence(
        inputs_sha256=case.inputs_sha256,
        forecast=_forecast(outlook),
        backtest=_backtest(outlook),
        replay={**_replay(observation, outlook, proposal, options), **prospect_json(ahead)},
        capacity=capacity_json(market.capacity, observation.time_to_ready, market.service_time_s) | study_json(study),
        prices=_prices(observation, market, outlook, proposal),
        break_even=_break_even(market, outlook, proposal, options),
        allocation=sized.evidence,
        anomalies=case.anomalies,
    )


def _forecast(outlook: Outlook) -> Mapping[str, Json]:
    """The week ahead in hours, the mean and the highest step of each hour at each quantile; and who foresaw the number to follow now."""
    ahead = outlook.forecasting.forecast
    return {
        "origin": text(ahead.origin),
        "model": ahead.model,
        "step_s": 3600.0 if ahead.step < HOUR else ahead.step.total_seconds(),
        "plan_quantile": outlook.level,
        "mean_rps": hourly(ahead.mean, ahead.step, np.mean),
        "quantiles_rps": {
            f"p{level * 100:g}": hourly(row, ahead.step, np.max)
            for level, row in zip(ahead.levels, ahead.quantiles, strict=True)
        },
        "predictors": predictors_json(outlook.decisions.explanation),
    }


def hourly(values: Floats, step: timedelta, reduce: Callable[..., Floats]) -> list[Json]:
    """One figure for each hour (or step, where that is longer), to six digits."""
    ratio = max(1, HOUR // step)
    whole = len(values) // ratio * ratio
    figures: list[float] = reduce(values[:whole].reshape(-1, ratio), axis=1).tolist()
    if whole < len(values):
        figures.append(float(reduce(values[whole:])))
    return [float(f"{figure:.6g}") for figure in figures]


def _backtest(outlook: Outlook) -> Mapping[str, Json]:
    done = outlook.forecasting
    masked = [{"start": text(m.start), "end": text(m.end), "kind": m.kind, "detail": m.detail} for m in done.masked]
    return {"scoreboard": [asdict(score) for score in done.scoreboard], "notes": list(done.notes), "masked": masked}


def _replay(observation: Observation, outlook: Outlook, proposal: Proposal, options: Options) -> Mapping[str, Json]:
    """Policies on the recent past, at what a dedicated replica costs an hour; absent if not asked for or unpriced.

    Where the recent past is too short to judge them on, `not_replayed` says so.
    """
    usd = replica_usd_per_hour(proposal)
    if usd is None or not options.replay.policies:
        return {}
    warmup = outlook.recent.start - outlook.load.start
    why = unscored(outlook.load, warmup)
    if why is not None:
        return {"not_replayed": why}
    recorded = None
    if isinstance(observation.replicas, LoadHistory):
        recorded = on_grid_of(outlook.load, observation.replicas)
    report = replay(
        outlook.load,
        outlook.problem,
        warmup=warmup,
        usd_per_replica_hour=usd,
        recorded_replicas=recorded,
        policies=options.replay.policies,
        decided=outlook.decisions,
        calendar=options.calendar,
    )
    return replay_json(report)


def replay_json(report: ReplayReport) -> Mapping[str, Json]:
    """The rows, and the window they stand for."""
    return {
        "start": text(report.start),
        "end": text(report.start + len(report.load_rps) * report.step),
        "step_s": report.step.total_seconds(),
        "requests": report.requests,
        "budget": report.budget,
        "usd_per_replica_hour": report.usd_per_replica_hour,
        "rows": [_row(row) for row in report.rows],
        "hourly": {
            "load_rps": _hours(report.load_rps, report.step),
            **{
                f"ready_{each.policy}": _hours(each.ready, report.step)
                for each in report.series
                if each.policy in DRAWN
            },
        },
    }


def _hours(values: Floats, step: timedelta) -> list[Json]:
    """Hourly means for a chart; null for an hour of which nothing is known."""
    ratio = max(1, HOUR // step)
    hours = [values[i : i + ratio] for i in range(0, len(values), ratio)]
    return [float(f"{np.nanmean(hour):.5g}") if np.isfinite(hour).any() else None for hour in hours]


def _row(row: ReplayRow) -> Mapping[str, Json]:
    plain: Mapping[str, Json] = asdict(row)
    return plain


def capacity_json(capacity: CapacityModel, ready: TimeToReady, service_time_s: float | Unknown) -> dict[str, Json]:
    """Capacity, time-to-ready and service time, each with where it comes from."""
    return model_json(capacity) | {
        "time_to_ready_s": ready.p90.total_seconds(),
        "time_to_ready_basis": str(ready.basis),
        "time_to_ready_detail": ready.detail,
        "service_time_s": None if isinstance(service_time_s, Unknown) else service_time_s,
    }


def _prices(observation: Observation, market: Market, outlook: Outlook, proposal: Proposal) -> Mapping[str, Json]:
    """Every mode's price for the week ahead, the rule of thumb's, and each figure used with its age.

    `late_allowed` is the share of requests that may be late in any mode; null where a miss has a price and is weighed.
    """
    today, slo = observation.observed_at.date(), market.workload.slo
    return {
        "currency": "USD",
        "modes": {str(mode): _answer(answer) for mode, answer in proposal.answers.items()},
        "late_allowed": None if slo.usd_per_missed_request is not None else slo.slow_budget,
        "rule_of_thumb": _answer(rule_of_thumb(market, outlook.demand())),
        "spot": _spot(market, proposal.quote, without_spot(market, proposal.quote, outlook.demand())),
        "used": used_json(proposal.quote.prices, today),
        "not_counted": [
            f"the cluster's own fee, {fee.price.amount:g} USD an hour ({fee.service}), which all its workloads share"
            for fee in market.book.fees
            if (fee.cloud, fee.region) == (market.workload.cloud, market.workload.region)
        ],
    }


def kept_prices(observation: Observation, market: Market, kept: Kept) -> Mapping[str, Json]:
    """What of the prices is another's where what runs today is kept: the figures used, and spot."""
    return {
        "spot": _spot(market, kept.quote, kept.without_spot_usd),
        "used": used_json(kept.quote.prices, observation.observed_at.date()),
    }


def used_json(prices: Iterable[PriceUsed], today: date) -> list[Json]:
    """Each figure with its age on the day of the decision."""
    return [_price(used, today) for used in prices]


def _spot(market: Market, quote: Quote, without_usd: float) -> Mapping[str, Json]:
    """What spot is expected to save a month and to lose of the requests, and the history that speaks for it or against."""
    proof = market.spot.get(quote.offer)
    known = {} if proof is None else {"detail": proof.reason} if isinstance(proof, Unknown) else proof_json(proof)
    return {
        "replicas": quote.purchase.spot,
        "usd_per_month": quote.usd_per_month,
        "usd_per_month_without": without_usd,
        "missed_share": quote.spot_missed,
        "history": known or None,
    }


def _answer(answer: Quote | Infeasible) -> Mapping[str, Json]:
    if isinstance(answer, Infeasible):
        return {"mode": str(answer.mode), "infeasible": answer.reason}
    return {
        "mode": str(answer.mode),
        "offer": answer.offer,
        "usd_per_month": answer.usd_per_month,
        "mean_replicas": answer.mean_replicas,
        "purchase": asdict(answer.purchase),
        "cold_share": answer.cold_share,
        "late_at_most": answer.late_at_most,
        "kept_warm": list(answer.warm.counts) if answer.warm.kept else None,
        "called_every_s": answer.warm.called_every_s,
        "short_of": answer.short_of,
        "estimate": answer.mode is ServingMode.SHARED,
        "detail": "; ".join(reason.detail for reason in answer.reasons),
    }


def _price(used: PriceUsed, today: date) -> Mapping[str, Json]:
    """A figure with its age on the day of the decision, or why that is not known: a recorded history may end before the price."""
    age = used.age(today)
    unknown = {"age_unknown": age.reason} if isinstance(age, Unknown) else {}
    return {**asdict(used), "age_days": None if isinstance(age, Unknown) else age.days, **unknown}


def _break_even(market: Market, outlook: Outlook, proposal: Proposal, options: Options) -> Mapping[str, Json]:
    if not options.sensitivity:
        return as_json(Unknown("what would change the answer was not asked for"), [])
    lines = sensitivity(market, outlook.demand)  # first: it asks for today's cold starts again, which are still known
    return as_json(break_even(market, outlook.demand, proposal.answers), lines)


def text(moment: datetime) -> str:
    """A moment as all our files write it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
