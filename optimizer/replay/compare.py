"""Policies against one history: ours, the user's, the original design's, and baselines tuned in hindsight."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import numpy as np

from domain.load import Floats, LoadHistory
from optimizer.calendar import CalendarOptions
from optimizer.physics import Counts, run
from optimizer.replay.baselines import Setting, best_fixed, cheapest_within, cost_at, perfect
from optimizer.replay.bench import Bench, prepare
from optimizer.replay.report import ReplayReport, ReplayRow, ReplaySeries
from optimizer.replay.threshold import threshold
from optimizer.scaling import Decisions, ScalingProblem, decide
from optimizer.schedule import scheduled

POLICIES = ("trimtab", "schedule", "recorded", "hpa", "week", "fixed", "threshold", "perfect")
HOUR = timedelta(hours=1)


def rated(bench: Bench, name: str, wanted: Counts, usd: float, detail: str = "") -> tuple[ReplayRow, ReplaySeries]:
    """A policy that says a number each step: replayed, counted and compared."""
    done = run(bench.load, wanted, bench.startup, most=bench.most)
    cost, missed = done.cost(bench.first), float(done.missed[bench.first :].sum())
    share = missed / max(float(bench.seen.sum()), 1e-12)
    row = _row(bench, name, cost=cost, share=share, usd=usd, detail=detail, against=_against(bench, cost, share))
    charged = slice(bench.first, None)
    series = ReplaySeries(
        policy=name, ready=done.capacity[charged], missed_rps=done.missed[charged] * bench.capacity_rps
    )
    return row, series


def _row(
    bench: Bench,
    name: str,
    /,
    *,
    cost: float,
    share: float,
    usd: float,
    detail: str,
    against: tuple[float | None, float | None] = (None, None),
) -> ReplayRow:
    hpa, week = against
    step_s = bench.history.step_s
    hours = cost * step_s / HOUR.total_seconds()
    return ReplayRow(
        policy=name,
        replica_hours=hours,
        usd=hours * usd,
        mean_replicas=cost / len(bench.seen),
        missed_requests=share * float(bench.seen.sum()) * bench.capacity_rps * step_s,
        missed_share=share,
        slo_met=share <= bench.budget,
        cost_x=_times(cost, bench.perfect_cost),
        at_budget=_times(cost, bench.best_cost(bench.budget)),
        vs_hpa=hpa,
        vs_week=week,
        vs_best=None if hpa is None or week is None else max(hpa, week),
        detail=detail,
    )


def _against(bench: Bench, cost: float, share: float) -> tuple[float | None, float | None]:
    """`cost` over that of the HPA and of last week's peak, each tuned to the same missed share."""
    hpa, week = (_times(cost, bench.baseline_cost(settings, share)) for settings in (bench.hpa, bench.week))
    return hpa, week


def _times(cost: float, of: float | None) -> float | None:
    """How many times `of` a cost is; None where there is none, or it is nothing: no load came and no replica had to run."""
    return cost / of if of else None


def _tuned(
    bench: Bench, name: str, settings: tuple[Setting, ...], usd: float, what: str = ""
) -> tuple[ReplayRow, ReplaySeries]:
    """A swept baseline read off at the budget, with its cheapest real setting within the budget as the series.

    Where no setting is cheaper than that one, more misses buy nothing: the row has what it misses itself.
    """
    chosen = cheapest_within(settings, bench.budget)
    said = f"{what}tuned in hindsight: target {chosen.target:g}, scale-down window {chosen.window_s:g} s"
    series = rated(bench, name, chosen.wanted, usd, said)[1]
    cost = cost_at(settings, bench.budget)
    if cost is None:
        return _missing(name, _out_of_reach(bench)), series
    if chosen.cost <= min(setting.cost for setting in settings):
        return _row(bench, name, cost=chosen.cost, share=chosen.missed_share, usd=usd, detail=said), series
    return _row(bench, name, cost=cost, share=bench.budget, usd=usd, detail=f"{said}, read off at the budget"), series


def _out_of_reach(bench: Bench) -> str:
    """Why a baseline cannot be had: the limit on replicas alone, where that misses too much, else its settings."""
    if bench.least_missed > bench.budget:
        return (
            f"at most {_replicas(bench.most)} may run, with which at least {bench.least_missed:.3%} of requests are missed; "
            f"the budget is {bench.budget:.3%}"
        )
    within = "" if bench.most is None else f" within {_replicas(bench.most)}"
    return f"no setting{within} misses as little as {bench.budget:.3%} of requests"


def _replicas(number: int | None) -> str:
    return f"{number} replica{'' if number == 1 else 's'}"


def _missing(name: str, why: str) -> ReplayRow:
    return ReplayRow(
        policy=name,
        replica_hours=None,
        usd=None,
        mean_replicas=None,
        missed_requests=None,
        missed_share=None,
        slo_met=None,
        cost_x=None,
        at_budget=None,
        detail=why,
    )


def _perfect(bench: Bench, usd: float) -> tuple[ReplayRow, ReplaySeries]:
    capped = f", but may run no more than {_replicas(bench.most)}" if bench.least_missed else ""
    row = _row(
        bench,
        "perfect",
        cost=bench.perfect_cost,
        share=bench.least_missed,
        usd=usd,
        detail=f"knows the future and needs no start-up time{capped}",
    )
    charged = np.nan_to_num(bench.load[bench.first :])
    known = np.isfinite(bench.load[bench.first :])
    needed = np.where(known, perfect(charged, bench.floor, bench.most), 0.0)
    over = np.zeros(len(charged)) if bench.most is None else np.maximum(0.0, charged - bench.most)
    return row, ReplaySeries(policy="perfect", ready=needed, missed_rps=over * bench.capacity_rps)


def replay(
    history: LoadHistory,
    problem: ScalingProblem,
    /,
    *,
    warmup: timedelta,
    usd_per_replica_hour: float,
    recorded_replicas: Floats | None = None,
    policies: Sequence[str] = POLICIES,
    decided: Decisions | None = None,
    calendar: CalendarOptions | None = None,
) -> ReplayReport:
    """Each policy's cost and misses on `history` (requests/s; gaps are not charged) after `warmup`.

    `recorded_replicas` are those that ran in each step (NaN where unknown: the last number stands).
    `decided` are our policy's decisions where the caller has already made them on this very history
    and problem; they are not made again. `calendar` bounds the changes
    of the schedules that serve alone. All but what ran keep the problem's bounds on replicas. ValueError for an unknown policy, or a warm-up that leaves nothing to score.
    """
    bench = prepare(history, problem, warmup=warmup)
    usd = usd_per_replica_hour
    makers: dict[str, Callable[[], tuple[ReplayRow, ReplaySeries] | None]] = {
        "trimtab": lambda: rated(
            bench,
            "trimtab",
            (decided or decide(history, problem)).desired,
            usd,
            "decided step by step, nothing later seen",
        ),
        "schedule": lambda: _scheduled(bench, problem, calendar, usd),
        "recorded": lambda: _recorded(bench, recorded_replicas, usd),
        "hpa": lambda: _tuned(bench, "hpa", bench.hpa, usd),
        "week": lambda: _tuned(bench, "week", bench.week, usd, "" if bench.weekly else "yesterday's peak, "),
        "fixed": lambda: _fixed(bench, usd),
        "threshold": lambda: rated(
            bench,
            "threshold",
            threshold(bench.load, step_s=history.step_s, floor=bench.floor, most=bench.most),
            usd,
            "70 %/30 % thresholds, line an hour ahead",
        ),
        "perfect": lambda: _perfect(bench, usd),
    }
    unknown = [name for name in policies if name not in makers]
    if unknown:
        raise ValueError(f"unknown policy {unknown[0]!r}; choose from {', '.join(makers)}")
    made = [pair for name in policies if (pair := makers[name]()) is not None]
    return ReplayReport(
        start=history.start + bench.first * history.step,
        step=history.step,
        load_rps=history.values[bench.first :],
        requests=float(bench.seen.sum()) * problem.capacity_rps * history.step_s,
        budget=bench.budget,
        capacity_rps=problem.capacity_rps,
        startup=problem.startup,
        usd_per_replica_hour=usd,
        rows=tuple(row for row, _ in made),
        series=tuple(series for _, series in made),
    )


def _scheduled(
    bench: Bench, problem: ScalingProblem, options: CalendarOptions | None, usd: float
) -> tuple[ReplayRow, ReplaySeries]:
    past = scheduled(bench.history, problem, options or CalendarOptions(), first=bench.first)
    said = (
        f"no controller, drawn up anew each week; last: {past.drawn[-1].detail}" if past.drawn else "no load was known"
    )
    return rated(bench, "schedule", past.wanted, usd, said)


def _fixed(bench: Bench, usd: float) -> tuple[ReplayRow, ReplaySeries]:
    number = best_fixed(bench.seen, bench.budget, bench.floor, most=bench.most)
    if number is None:  # more than may run: the most of them is as near as it gets
        nearest = rated(bench, "fixed", np.full(len(bench.load), bench.most), usd)[1]
        return _missing("fixed", _out_of_reach(bench)), nearest
    said = f"{_replicas(number)}, chosen in hindsight"
    return rated(bench, "fixed", np.full(len(bench.load), number), usd, said)


def _recorded(bench: Bench, replicas: Floats | None, usd: float) -> tuple[ReplayRow, ReplaySeries] | None:
    """What ran: these replicas served in their step, so start-up has been paid already."""
    if replicas is None:
        return None
    known = np.isfinite(replicas)
    latest = np.maximum.accumulate(np.where(known, np.arange(len(replicas)), -1))
    serving = np.where(latest >= 0, replicas[np.maximum(latest, 0)], np.nan)
    charged = slice(bench.first, None)
    load, serving = bench.load[charged], serving[charged]
    if np.isnan(serving).any():
        why = (
            "the recorded replicas begin after the warm-up ends"
            if known.any()
            else "of the recorded replicas none is known"
        )
        unknown = np.full(len(load), np.nan)
        return _missing("recorded", why), ReplaySeries(policy="recorded", ready=serving, missed_rps=unknown)
    live = np.isfinite(load)
    missed = np.where(live, np.maximum(0.0, np.nan_to_num(load) - serving), 0.0)
    share = float(missed.sum()) / max(float(bench.seen.sum()), 1e-12)
    cost = float(serving[live].sum())
    stood = float(np.mean(~known[charged][live]))
    detail = "replicas as recorded" + (
        f"; in {stood:.2%} of the steps unknown: the last number stands" if stood else ""
    )
    row = _row(bench, "recorded", cost=cost, share=share, usd=usd, detail=detail, against=_against(bench, cost, share))
    return row, ReplaySeries(policy="recorded", ready=serving, missed_rps=missed * bench.capacity_rps)
