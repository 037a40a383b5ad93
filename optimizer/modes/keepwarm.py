"""How many serverless instances to keep warm in each hour of the day, and what every choice costs.

Keeping one warm is paid for by the second and saves cold starts (and where serving on it is cheaper, part
of the bill). For every hour of the day each number of instances has a cost and leaves a number of cold
requests; the hours are chosen together by Lagrange's method: with a price on every cold request
each hour takes its own cheapest number, and the lowest price at which the SLO is held is taken. A few may be kept by calls
instead, at all hours alike.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from domain.load import Floats
from domain.prices import ServerlessTariff
from optimizer.coldstarts import Starts
from optimizer.demand import Demand
from optimizer.margin import Z_99, error, parts_of
from optimizer.modes.calls import MOST_CALLED, Calls
from optimizer.modes.instances import Instance, billed_s
from optimizer.modes.warm import HOURS, Warm

Counts = NDArray[np.int64]
HOUR_S = 3600.0
PRIOR = 3.0  # requests' worth of the whole day's share in that of one hour
TELLING_HOURS_APART = timedelta(days=2)  # of known load; before, all hours are alike
PRICES = 48
FITTED = 2.0  # cold starts that hours of their own may leave for each one on the days they were not made from


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Board:
    """USD per hour and cold requests per hour of every number of instances (rows) in every hour of the day.

    The first `bought` rows are kept at the tariff's price for that (none, first of all), the others by calls.
    `growth` is the load ahead over that of the past, at least 1, and `late_counts` whether a cold request breaks the
    latency SLO.
    """

    starts: Starts
    rows: Counts
    bought: int
    calls: Calls | None
    usd: Floats
    cold: Floats
    requests: Floats
    parts: Parts
    growth: float
    late_counts: bool

    @property
    def tells_hours_apart(self) -> bool:
        """Whether enough was seen for hours of their own."""
        return float(self.starts.known_s.sum()) >= TELLING_HOURS_APART / timedelta(seconds=1)

    def warm(self, choice: Counts) -> Warm:
        every_s = self.calls.every_s if self.calls is not None and self._called(choice) else None
        return Warm(tuple(self.rows[choice].tolist()), every_s)

    def _called(self, choice: Counts) -> bool:
        return bool(choice.min() >= self.bought)

    def usd_per_hour(self, choice: Counts) -> float:
        return float(self.usd[choice, np.arange(HOURS)].mean())

    def cold_share(self, choice: Counts) -> float:
        total = float(self.requests.sum())
        return float(self.cold[choice, np.arange(HOURS)].sum()) / total if total > 0 else 0.0

    def late_at_most(self, price: float) -> float:
        """The share of requests over the latency SLO under the choice at this price, with the margin that the past asks for.

        Hours chosen from a stretch fit that stretch better than any other: each part of the past is judged
        by the hours that the other parts would have chosen.
        """
        if not self.late_counts or self.parts.came.sum() <= 0:
            return 0.0
        choices = self._chosen(price, self.requests * self.parts.share_without)
        late = self.parts.cold[np.arange(len(choices))[:, None], choices, np.arange(HOURS)].sum(axis=1)
        share = float(late.sum() / self.parts.came.sum())
        fitted = FITTED if self.tells_hours_apart else 1.0
        counted = max(fitted, self.starts.unseen) * max(share, self.cold_share(self.at(price)))
        grown = self._grown(self.at(price))
        return min(1.0, grown * (counted + Z_99 * error(late, self.parts.came)))

    def late_of(self, choice: Counts) -> float:
        """The same for one fixed choice: what the past leaves cold with it, whatever hours the forecast's load falls in."""
        came = float(self.parts.came.sum())
        if not self.late_counts or came <= 0:
            return 0.0
        late = self.parts.cold[:, choice, np.arange(HOURS)].sum(axis=1)
        counted = self.starts.unseen * float(late.sum()) / came
        replaced = self.calls.replaced_share if self.calls is not None and self._called(choice) else 0.0
        return min(1.0, self._grown(choice) * (counted + Z_99 * error(late, self.parts.came)) + replaced)

    def _grown(self, choice: Counts) -> float:
        """How many times as much a choice leaves cold at the load ahead: with some kept, at least as the load has grown.

        Without any the share of cold starts falls as the load grows; no use is made of that.
        """
        return self.growth if choice.any() else 1.0

    def cheapest(self, allowed: float) -> Counts | None:
        """The cheapest choice of which at most the share `allowed` of requests may well be late; None where there is none."""
        prices: list[float] = self.prices().tolist()
        found = bisect_left(range(len(prices)), True, key=lambda i: self.late_at_most(prices[i]) <= allowed)
        held = [row for row in self._even() if self.late_of(row) <= allowed]
        if found < len(prices):
            held.append(self.at(prices[found]))
        return min(held, key=self.usd_per_hour, default=None)

    def _even(self) -> Iterator[Counts]:
        """The same number at all hours, of every number (none is plain serverless): nothing in it fits the hours of one stretch."""
        for row in range(len(self.rows)):
            yield np.full(HOURS, row, dtype=np.int64)

    def at(self, price: float) -> Counts:
        """The numbers of instances (rows) that are cheapest where a cold request costs `price`."""
        return self._chosen(price, self.cold)

    def _chosen(self, price: float, cold: Floats) -> Counts:
        """Each hour's cheapest, or one for all while hours are not told apart, from the last two axes of `cold`: rows and hours."""
        worth = self.usd[: self.bought] + price * cold[..., : self.bought, :]
        if not self.tells_hours_apart:
            return np.repeat(worth.sum(axis=-1).argmin(axis=-1)[..., None], HOURS, axis=-1)
        return np.asarray(worth.argmin(axis=-2), dtype=np.int64)

    def prices(self) -> Floats:
        """Prices of a cold request: none, then from what the cheapest to what the dearest hour would save one for."""
        gained = (self.cold[0] - self.cold)[: self.bought]
        paid = (self.usd - self.usd[0])[: self.bought]
        if not self.tells_hours_apart:
            gained, paid = gained.sum(axis=1), paid.sum(axis=1)
        useful = (gained > 1e-12) & (paid > 0)
        if not useful.any():
            return np.zeros(1)
        ratio = paid[useful] / gained[useful]
        return np.concatenate([[0.0], np.geomspace(ratio.min() * 0.9, ratio.max() * 1.1, PRICES)])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parts:
    """The past cut into days (or stretches): cold requests by part, row and hour of the day, and requests by part.

    `share_without[i]` is the share of cold requests by row and hour in all parts but the i-th.
    """

    cold: Floats
    came: Floats
    share_without: Floats

    @classmethod
    def of(cls, starts: Starts, cold_rows: Floats) -> Parts:
        part = parts_of(starts.day)
        count = int(part.max(initial=0)) + 1
        place = part * HOURS + starts.hour

        def summed(values: Floats) -> Floats:
            return np.bincount(place, weights=values, minlength=count * HOURS).astype(np.float64).reshape(count, HOURS)

        came = summed(starts.requests)
        cold = np.stack([summed(row) for row in cold_rows], axis=1)
        rest, left = cold.sum(axis=0) - cold, came.sum(axis=0) - came
        return cls(cold=cold, came=came.sum(axis=1), share_without=_drawn_to_whole(rest, left[:, None, :]))


def board(
    demand: Demand,
    starts: Starts,
    tariff: ServerlessTariff,
    instance: Instance,
    needs: Needs,
    *,
    calls: Calls | None = None,
) -> Board:
    """Every number of instances in every hour, at the demand's load of that hour: those that may be bought, and a few by `calls`."""
    bought = len(starts.kept) if instance.warm_usd_per_second is not None else 1
    few = 0 if calls is None else min(MOST_CALLED, len(starts.kept) - 1)
    place = np.concatenate([np.arange(bought), np.arange(1, few + 1)])
    called = (np.arange(len(place)) >= bought)[:, None]
    rows = starts.kept[place]
    requests = demand.hourly_rps * HOUR_S
    of_rows = _per_hour(starts, np.concatenate([starts.cold[place], starts.over[place], starts.idle_s[place]]))
    started, left, idle_s = np.split(of_rows, 3)
    came, known_s = _per_hour(starts, starts.requests), _per_hour(starts, starts.known_s)
    cold, beyond = requests * _drawn_to_whole(started, came), _drawn_to_whole(left, came)
    over = requests * np.where(called, 1.0, beyond)  # whom called ones serve pays as ever
    waiting = _waiting(idle_s, known_s)
    once = billed_s(tariff, needs.service_s)
    more = billed_s(tariff, needs.service_s + needs.cold_s) - once if tariff.bills_cold_start else 0.0
    usd = requests * tariff.usd_per_request + (over * once + cold * more) * instance.usd_per_second
    if tariff.bills_idle:
        usd = usd + waiting * HOUR_S * instance.usd_per_second
    if tariff.warm is not None and instance.warm_usd_per_second is not None:
        increment = tariff.warm.increment / timedelta(seconds=1)
        held_s = math.ceil(HOUR_S / increment - 1e-9) * increment
        usd = usd + np.where(called, 0, rows[:, None]) * held_s * instance.warm_usd_per_second
        usd = usd + (requests - over) * once * (instance.serving_usd_per_second or 0.0)
    if calls is not None:
        at_work = demand.hourly_rps * needs.service_s * (1.0 - beyond)
        usd = usd + called * calls.usd_per_hour(rows[:, None], at_work)
    return Board(
        starts=starts,
        rows=rows,
        bought=bought,
        calls=calls,
        usd=np.asarray(usd),
        cold=np.asarray(cold),
        requests=requests,
        parts=Parts.of(starts, starts.cold[place]),
        growth=_growth(requests, starts),
        late_counts=needs.cold_breaks,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Seconds: what a request takes, what a start takes, and what the SLO's latency and its first token (if promised) allow."""

    service_s: float
    cold_s: float
    latency_s: float
    first_token_s: float | None = None

    @property
    def cold_breaks(self) -> bool:
        """Whether a request that starts cold is over the SLO."""
        waits = self.first_token_s is not None and self.cold_s > self.first_token_s
        return waits or self.service_s + self.cold_s > self.latency_s


def fixed(board: Board, warm: Warm) -> Counts:
    """The choice that keeps what `warm` says; where that is more than was looked at, the most that was."""
    called = warm.called_every_s is not None and board.calls is not None
    rows = board.rows[board.bought :] if called else board.rows[: board.bought]
    place = np.minimum(np.searchsorted(rows, np.array(warm.counts)), len(rows) - 1)
    return np.asarray(place + called * board.bought, dtype=np.int64)


def _growth(requests: Floats, starts: Starts) -> float:
    """Requests in a mean hour over those of the past, at least 1."""
    known_s, came = float(starts.known_s.sum()), float(starts.requests.sum())
    return max(1.0, float(requests.mean()) / HOUR_S * known_s / came) if came > 0 else 1.0


def _per_hour(starts: Starts, values: Floats) -> Floats:
    """Sums over the slots of each hour of the day, along the last axis."""
    by_hour = values[..., np.argsort(starts.hour, kind="stable")]
    ends = np.cumsum(np.bincount(starts.hour, minlength=HOURS))[:-1]
    return np.stack([slots.sum(axis=-1) for slots in np.split(by_hour, ends, axis=-1)], axis=-1)


def _waiting(idle_s: Floats, known_s: Floats) -> Floats:
    """Mean number of idle instances in each hour of the day; that of the whole day for an hour that was never seen."""
    whole = idle_s.sum(axis=-1, keepdims=True) / max(float(known_s.sum()), 1e-12)
    return np.asarray(np.where(known_s > 0, idle_s / np.maximum(known_s, 1e-12), whole))


def _drawn_to_whole(of: Floats, came: Floats) -> Floats:
    """Shares `of` over `came` along the last axis (hours), drawn a little to that of the whole axis: `PRIOR` requests of it in each."""
    whole = of.sum(axis=-1, keepdims=True) / np.maximum(came.sum(axis=-1, keepdims=True), 1e-12)
    return np.asarray((of + PRIOR * whole) / (came + PRIOR))
