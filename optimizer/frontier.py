"""Dollars against misses: what each price of a missed request would have bought on one history.

The scaling policy is one causal policy for each price of a miss, and each decision lies between two
of them. Replaying every one shows what attainment costs on this very load: a curve, and the
point on it that the policy reached. At a price of p replica-hours per replica-hour of missed load
another replica pays as long as the load exceeds it with a probability of at least 1/p, so capacity
lies at the quantile 1 - 1/p (the newsvendor's critical fractile; Arrow, Harris and Marschak 1951,
"Optimal Inventory Policy", Econometrica 19).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from domain.load import LoadHistory
from optimizer.physics import Counts, Floats, StartUp, run
from optimizer.scaling import Decisions, PriceRow, ScalingProblem

HOUR_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontierPoint:
    """One price of a miss and what it buys over the scored window.

    `price` is in replica-hours per replica-hour of missed load, the same as `usd_per_missed_request`.
    """

    price: float
    usd_per_missed_request: float
    quantile: float
    replica_hours: float
    usd: float
    missed_share: float

    @property
    def attainment(self) -> float:
        """Share of requests that were not missed."""
        return 1.0 - self.missed_share


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontier:
    """The curve by rising price, what the live policy reached beside it, and the price it uses now.

    `live` carries the mean price (geometric) of its decisions in the window, `price_now` that of
    the newest decision, and `why` how that came about: `given` in dollars, and `raised` to the least price there is.
    `hours` is the known part of the window, `over_limit` the share of its load beyond the most replicas that may run,
    which is missed at any price.
    """

    points: tuple[FrontierPoint, ...]
    live: FrontierPoint
    price_now: float
    usd_per_missed_request_now: float
    quantile_now: float
    given: bool
    raised: bool
    why: str
    hours: float
    over_limit: float

    @property
    def reached(self) -> tuple[FrontierPoint, ...]:
        """All that was shown on this very history: each price, and the live policy, which moves from price to price."""
        return (*self.points, self.live)

    def efficient(self) -> tuple[FrontierPoint, ...]:
        """The points of which no other costs no more and misses no more, by rising cost."""
        return _efficient(self.points)

    def compact(self, most: int = 12) -> tuple[FrontierPoint, ...]:
        """At most `most` efficient points, both ends among them, spread evenly along the curve."""
        kept = self.efficient()
        if len(kept) <= most:
            return kept
        picked = np.unique(np.round(np.linspace(0, len(kept) - 1, most)).astype(int))
        return tuple(kept[i] for i in picked)

    def usd_at(self, attainment: float) -> float | None:
        """Dollars of the window at an attainment, linear between what was reached efficiently; None beyond its end.

        Less than what the cheapest point attains costs no less than that point. What the live policy held costs at most what it cost.
        """
        kept, share = _efficient(self.reached), 1.0 - attainment
        if not kept or share < kept[-1].missed_share:
            return None
        shares = [point.missed_share for point in reversed(kept)]
        return float(np.interp(share, shares, [point.usd for point in reversed(kept)]))


def frontier(
    history: LoadHistory,
    problem: ScalingProblem,
    decisions: Decisions,
    /,
    *,
    first: int,
    usd_per_replica_hour: float,
    weighed_usd_per_hour: float | None = None,
) -> Frontier | None:
    """The curve of `decisions` made on `history` (requests/s; gaps cost and miss nothing), from step `first` on.

    `weighed_usd_per_hour` is what a replica counts where a missed request is weighed against it, where that is another
    price than the one paid. None where nothing was decided yet or no request came in the window (`no_curve`).
    """
    row, load = decisions.row, history.values / problem.capacity_rps
    charged = load[first:]
    total = float(np.nansum(charged))
    if row is None or not len(row.wanted) or total <= 0.0:
        return None
    startup = StartUp.of(problem.startup, history.step)
    each_miss = (weighed_usd_per_hour or usd_per_replica_hour) / (problem.capacity_rps * HOUR_S)

    def reached(price: float, wanted: Counts) -> FrontierPoint:
        done = run(load, wanted, startup, most=problem.max_replicas)
        hours = done.cost(first) * history.step_s / HOUR_S
        return FrontierPoint(
            price=price,
            usd_per_missed_request=price * each_miss,
            quantile=quantile_of(price),
            replica_hours=hours,
            usd=hours * usd_per_replica_hour,
            missed_share=float(done.missed[first:].sum()) / total,
        )

    used = price_at(row, row.positions[max(0, first // row.ratio) :])
    now = float(price_at(row, row.positions[-1:])[0])
    return Frontier(
        points=tuple(
            reached(float(price), wanted_at(row, column, len(history), problem))
            for column, price in enumerate(row.prices)
        ),
        live=reached(float(np.exp(np.log(used).mean())) if len(used) else now, decisions.desired),
        price_now=now,
        usd_per_missed_request_now=now * each_miss,
        quantile_now=quantile_of(now),
        given=problem.price_of_miss is not None,
        raised=problem.price_of_miss is not None and problem.price_of_miss < now * (1.0 - 1e-6),
        why=next((each.detail for each in decisions.explanation.reasons if each.code == "price"), ""),
        hours=float(np.isfinite(charged).sum()) * history.step_s / HOUR_S,
        over_limit=float(np.nansum(np.maximum(0.0, charged - problem.most))) / total,
    )


def no_curve(history: LoadHistory, *, first: int) -> str:
    """Why there is no curve where there is none."""
    came = float(np.nansum(history.values[first:])) > 0.0
    return "not one decision has been made" if came else "no request came in the time that is scored"


def _efficient(points: Iterable[FrontierPoint]) -> tuple[FrontierPoint, ...]:
    kept: list[FrontierPoint] = []
    for point in sorted(points, key=lambda each: (each.replica_hours, each.missed_share)):
        if not kept or point.missed_share < kept[-1].missed_share:
            kept.append(point)
    return tuple(kept)


def quantile_of(price: float) -> float:
    """The newsvendor's quantile 1 - 1/price; 0 where a miss costs no more than the replica."""
    return 1.0 - 1.0 / max(price, 1.0)


def price_at(row: PriceRow, positions: Floats) -> Floats:
    """Prices at places on the row, between two of them on a log scale."""
    places = np.arange(len(row.prices), dtype=np.float64)
    prices: Floats = np.exp(np.interp(positions, places, np.log(row.prices)))
    return prices


def wanted_at(row: PriceRow, column: int, length: int, problem: ScalingProblem) -> Counts:
    """What the policy of one price wanted at the end of each of `length` steps: no fewer than the load needed then, within the bounds."""
    wanted = np.full(length, max(1, problem.min_replicas), dtype=np.int64)
    floored = np.maximum(row.wanted[:, column], row.needed)
    decided = np.clip(floored, problem.min_replicas, problem.max_replicas)
    index = (np.arange(length) + 1) // row.ratio - 1
    wanted[index >= 0] = decided[index[index >= 0]]
    return wanted
