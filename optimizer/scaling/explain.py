"""Why the last number is what it is, in the order in which it came about."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.plan import Json, Reason
from optimizer.physics import Counts, Floats
from optimizer.scaling.experts import DETAILS, MIXED_BEYOND, Experts
from optimizer.scaling.features import Clock
from optimizer.scaling.problem import Explanation, Opinion, ScalingProblem

TOLD = 0.05  # least weight of an opinion that a reason names


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Course:
    """How the decisions came about: the row of prices with its experts' last weights, and the pacing on it.

    `weights` is (prices, experts), `mixed` (steps, prices), `own` before the bounds on replicas, `positions` the place on
    the row that was taken and `asked` the one that the error budget alone asks for, `shares` what is thought to be
    missed at the price taken. What is foreseen is the highest of `ratio` steps of the history.
    """

    load: Floats
    experts: Experts
    prices: Floats
    weights: NDArray[np.float64]
    mixed: NDArray[np.int64]
    own: Counts
    positions: Floats
    asked: Floats
    shares: Floats
    ratio: int


def explained(course: Course, problem: ScalingProblem, clock: Clock, desired: Counts) -> Explanation:
    """Opinions with their weights, then each constraint with the number before and after it."""
    own, load = course.own, course.load
    if not len(own):
        last = int(desired[-1]) if len(desired) else problem.min_replicas
        young = Reason(code="no_history", detail="not one whole decision interval has been seen", after=str(last))
        return Explanation(opinions=(), reasons=(young,), replicas=last)
    low = int(course.positions[-1])
    high, share = min(low + 1, len(course.prices) - 1), course.positions[-1] - low
    used = (1.0 - share) * course.weights[low] + share * course.weights[high]
    blend = float((1.0 - share) * course.mixed[-1, low] + share * course.mixed[-1, high])
    opinions = _opinions(course.experts, used)
    wished = float(used @ course.experts.wanted[-1])
    held_back = wished > blend + 0.5  # each mixture is rounded
    reasons = (
        _forecast(course, clock),
        _priced(problem, course),
        Reason(
            code="mixture",
            detail=f"experts weighted by what each would have cost in replay, each held for {clock.lead} step{'' if clock.lead == 1 else 's'} while replicas start: "
            + ", ".join(
                f"{each.predictor} {each.weight:.0%} ({each.replicas:.1f})" for each in opinions if each.weight >= TOLD
            ),
            after=f"{wished if held_back else blend:.1f}",
        ),
        *((_seen(wished, blend, int(course.experts.most[-1]), problem),) if held_back else ()),
        Reason(code="present_load", detail=_present(load), before=f"{np.ceil(blend - 0.5):.0f}", after=str(own[-1])),
        *_bounds(problem, int(own[-1]), int(desired[-1])),
    )
    return Explanation(opinions=opinions, reasons=reasons, replicas=int(desired[-1]))


def predictors_json(explanation: Explanation) -> list[Json]:
    """Who said what with which weight in the last number, the greatest weight first; weights sum to one."""
    return [
        {
            "predictor": each.predictor,
            "detail": each.detail,
            "weight": round(each.weight, 6),
            "replicas": round(each.replicas, 3),
        }
        for each in explanation.opinions
    ]


def _forecast(course: Course, clock: Clock) -> Reason:
    experts, ahead = course.experts, clock.lead * clock.step_s
    what = "load" if course.ratio == 1 else f"highest load of {course.ratio} steps"
    return Reason(
        code="forecast",
        detail=f"{what} in {ahead:.0f} s: {experts.mean[-1]:.2f} replicas' worth, give or take {experts.spread[-1]:.2f}",
        after=f"{experts.mean[-1]:.2f}",
    )


def _priced(problem: ScalingProblem, course: Course) -> Reason:
    """The price of a miss, before and after the bound on it where that holds."""
    price, asked = (_price_at(course.prices, places[-1]) for places in (course.positions, course.asked))
    quantile = 1.0 - 1.0 / max(price, 1.0)
    return Reason(
        code="price",
        detail=f"a miss is priced at {price:.4g} replica-steps ({_why(problem, course, price, asked)}): quantile {quantile:.5f}",
        before=f"{asked:.4g}" if asked > price else None,
        after=f"{price:.4g}",
    )


def _why(problem: ScalingProblem, course: Course, price: float, asked: float) -> str:
    """Where the price is from."""
    given, share = problem.price_of_miss, float(course.shares[-1])
    if given is not None and given < price * (1.0 - 1e-6):
        return f"the least there is; the dollars given per missed request come to {given:.3g}"
    if given is not None:
        return "as given in dollars per missed request"
    if np.isnan(share):
        return "the dearest there is, until three days with load have shown what each price misses"
    why = (
        f"at which {share:.3%} of coming requests are missed, told with care; "
        f"the budget is {problem.budget:.3%}, more or less what is left over or lost of it from before"
    )
    return why if asked <= price else f"{why}; it alone would ask for {asked:.4g}, but is not won back at any price"


def _price_at(prices: Floats, place: float) -> float:
    """The price at a place on the row, between two of them on a log scale."""
    low = int(place)
    high, share = min(low + 1, len(prices) - 1), place - low
    return float(prices[low] ** (1.0 - share) * prices[high] ** share)


def _seen(wished: float, blend: float, most: int, problem: ScalingProblem) -> Reason:
    """The bound on mixtures, where it holds."""
    kept = ", the least that are kept" if most == problem.min_replicas else ""
    return Reason(
        code="highest_seen",
        detail=f"no mixture is worth more than {MIXED_BEYOND} times the highest load ever seen: {most} replicas{kept}",
        before=f"{wished:.1f}",
        after=f"{blend:.1f}",
    )


def _present(load: Floats) -> str:
    if np.isnan(load[-1]):
        return "the present load is not known, so it sets no least number"
    return f"never below what the present load of {load[-1]:.2f} replicas needs"


def _bounds(problem: ScalingProblem, before: int, after: int) -> tuple[Reason, ...]:
    least = Reason(
        code="min_replicas",
        detail=f"at least {problem.min_replicas}",
        before=str(before),
        after=str(max(before, problem.min_replicas)),
    )
    if problem.max_replicas is None:
        return (least,)
    return (
        least,
        Reason(
            code="max_replicas",
            detail=f"at most {problem.max_replicas}",
            before=str(max(before, problem.min_replicas)),
            after=str(after),
        ),
    )


def _opinions(experts: Experts, used: Floats) -> tuple[Opinion, ...]:
    """One opinion a predictor that has a say: the weights of its tails summed, its wish their weighted mean."""
    shares: defaultdict[str, float] = defaultdict(float)
    wishes: defaultdict[str, float] = defaultdict(float)
    for (name, _), weight, wish in zip(experts.names, used, experts.wanted[-1], strict=True):
        shares[name] += float(weight)
        wishes[name] += float(weight * wish)
    total = sum(shares.values())
    return tuple(
        Opinion(
            predictor=name,
            detail=DETAILS[name],
            weight=share / total,
            replicas=wishes[name] / share,
        )
        for name, share in sorted(shares.items(), key=lambda item: -item[1])
        if share > 0.0
    )
