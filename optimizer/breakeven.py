"""At which request rate the answer changes, and what else would change it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from functools import cache
from typing import Any

from domain.plan import Json
from domain.prices import PriceBook, ServerlessTariff, WarmRates
from domain.unknown import Unknown
from domain.workload import ServingMode
from optimizer.demand import Demand
from optimizer.machines import Machines
from optimizer.modes import Infeasible, Market, Quote, at_least, quote, serverless
from optimizer.policies import Answers, least_cost, serving_alone

Demanding = Callable[[float], Demand]

FARTHEST = 100.0
POINTS_PER_DECADE = 3
METERS = ("usd_per_", "serving_usd_per_")
SURELY = 1.0 - 1e-6  # of a price: what is under so much of it is under it, however both are rounded
NOT_HELD = 50.0  # as a log of dollars: dearer than anything that can be held


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEven:
    """At `rate_rps` (`times_today` of today's) the cheaper of the two changes from `below` to `above`."""

    below: ServingMode
    above: ServingMode
    rate_rps: float
    times_today: float


def break_even(market: Market, demanding: Demanding, answers: Answers) -> BreakEven | Unknown:
    """The rate nearest to today's at which the two cheapest modes cost the same, all else unchanged.

    Of the modes that serve the workload by themselves: what sharing costs is an estimate until the fleet is decided.
    `demanding(scale)` is the demand with all load times `scale`. A mode that cannot hold the SLO at
    a rate counts as dearer than any that can. Root finding by Brent's method on the log of the rate.
    """
    from scipy.optimize import brentq  # noqa: PLC0415  heavy: only a decision pays

    alone = serving_alone(answers).values()
    held = [each for each in alone if isinstance(each, Quote) and each.short_of is None]
    priced = sorted(held, key=lambda each: each.usd_per_month)
    today = demanding(1.0)
    if len(priced) < 2 or today.rate_rps <= 0:
        return Unknown("fewer than two modes can serve this load by themselves, so no rate divides them")
    first, second = priced[0].mode, priced[1].mode

    @cache  # the search asks for some rates again
    def demand(log_scale: float) -> Demand:
        return demanding(math.exp(log_scale))

    @cache
    def log_usd(log_scale: float, mode: ServingMode) -> float:
        return _log_usd(quote(market, demand(log_scale), mode))

    def dearer(log_scale: float) -> bool:
        """Whether the first has become the dearer; serverless is priced only as far as that takes."""
        other, asked = log_usd(log_scale, ServingMode.DEDICATED), demand(log_scale)
        if math.log(max(at_least(market, asked, ServingMode.SERVERLESS), 1e-9)) > other:
            return first is ServingMode.SERVERLESS
        ours = _log_usd(serverless.price(market, asked, None, enough=math.exp(other) * SURELY))
        return ours > other if first is ServingMode.SERVERLESS else other > ours

    bracket = _nearest_change(dearer)
    if bracket is None:
        return Unknown(f"{first} stays cheaper than {second} from 1/{FARTHEST:g} to {FARTHEST:g} times today's rate")

    def advantage(log_scale: float) -> float:
        return log_usd(log_scale, first) - log_usd(log_scale, second)

    root = float(brentq(advantage, *bracket, xtol=1e-2, rtol=1e-2, maxiter=60))
    below, above = (second, first) if root < 0 else (first, second)
    scale = math.exp(root)
    return BreakEven(below=below, above=above, rate_rps=today.rate_rps * scale, times_today=scale)


def _nearest_change(dearer: Callable[[float], bool]) -> tuple[float, float] | None:
    """Neighbours, as near to log 1 = 0 as possible, between which the answer changes."""
    width = math.log(10) / POINTS_PER_DECADE
    last = dict.fromkeys((1, -1), dearer(0.0))
    for i in range(1, 1 + round(math.log(FARTHEST) / width)):
        for side in (-1, 1):
            here = dearer(side * i * width)
            if here != last[side]:
                return side * (i - 1) * width, side * i * width
            last[side] = here
    return None


def _log_usd(answer: Quote | Infeasible) -> float:
    if isinstance(answer, Infeasible) or answer.short_of is not None:
        return NOT_HELD
    return math.log(max(answer.usd_per_month, 1e-9))


def sensitivity(market: Market, demanding: Demanding) -> list[Mapping[str, Json]]:
    """What `least_cost` takes when one thing differs: load, prices of machines or of serverless, cold starts, size of the model.

    Shared only where nothing else serves the workload, as an estimate.
    """
    today = demanding(1.0)
    cases: list[tuple[str, str, Market, Demand]] = [
        ("load", f"x{scale:g}", market, demanding(scale)) for scale in (0.1, 0.5, 2.0, 10.0)
    ]
    cases += [("machine prices", f"x{f:g}", _machines_at(market, f), today) for f in (0.5, 2.0)]
    cases += [("serverless prices", f"x{f:g}", _tariffs_at(market, f), today) for f in (0.5, 2.0)]
    cases += [("cold start", f"x{f:g}", _cold_starts_at(market, f), today) for f in (0.25, 4.0)]
    cases += [("model and memory size", f"x{f:g}", _sized(market, f), today) for f in (0.5, 2.0)]
    return [_line(what, change, least_cost(there, demand)) for what, change, there, demand in cases]


def _line(what: str, change: str, answer: Quote | Infeasible) -> Mapping[str, Json]:
    refused = answer.reason if isinstance(answer, Infeasible) else answer.short_of
    if isinstance(answer, Infeasible) or refused is not None:
        return {"what": what, "change": change, "mode": None, "usd_per_month": None, "why": refused}
    return {
        "what": what,
        "change": change,
        "mode": str(answer.mode),
        "usd_per_month": answer.usd_per_month,
        "estimate": answer.mode is ServingMode.SHARED,
    }


def _machines_at(market: Market, factor: float) -> Market:
    fits = market.machines
    offers = {fit.offer.key: fit.offer for fit in fits.shortlist} | {host.key: host for host in fits.hosts}
    changed = tuple(
        replace(
            offer,
            on_demand=replace(offer.on_demand, amount=offer.on_demand.amount * factor),
            spot=None if offer.spot is None else replace(offer.spot, amount=offer.spot.amount * factor),
        )
        for offer in offers.values()
    )
    return _with_book(market, replace(market.book, offers=changed))


def _tariffs_at(market: Market, factor: float) -> Market:
    tariffs = tuple(_times(tariff, factor) for tariff in market.book.tariffs)
    return replace(market, book=replace(market.book, tariffs=tariffs))


def _times(tariff: ServerlessTariff, factor: float) -> ServerlessTariff:
    """Every meter of the tariff times `factor`, those of instances kept warm too."""

    def dearer(rates: ServerlessTariff | WarmRates) -> dict[str, Any]:
        meters = [each.name for each in fields(rates) if each.name.startswith(METERS)]
        return {name: getattr(rates, name) * factor for name in meters if getattr(rates, name) is not None}

    warm = None if tariff.warm is None else replace(tariff.warm, **dearer(tariff.warm))
    return replace(tariff, warm=warm, **dearer(tariff))


def _cold_starts_at(market: Market, factor: float) -> Market:
    tariffs = tuple(replace(tariff, cold_start=tariff.cold_start * factor) for tariff in market.book.tariffs)
    slower = replace(market.options, model_load_gib_per_s=market.options.model_load_gib_per_s / factor)
    return replace(market, book=replace(market.book, tariffs=tariffs), options=slower)


def _sized(market: Market, factor: float) -> Market:
    need = market.workload.resources
    resized = replace(need, model_gib=need.model_gib * factor, memory_gib=need.memory_gib * factor)
    return _with_book(replace(market, workload=replace(market.workload, resources=resized)), market.book)


def _with_book(market: Market, book: PriceBook) -> Market:
    machines = Machines.of(market.workload, book, market.options.machines)
    return replace(market, book=book, machines=machines)


def as_json(found: BreakEven | Unknown, lines: list[Mapping[str, Json]]) -> Mapping[str, Json]:
    """The evidence section `break_even`."""
    if isinstance(found, Unknown):
        return {"detail": found.reason, "sensitivity": lines}
    per_hour = found.rate_rps * (timedelta(hours=1) / timedelta(seconds=1))
    return {
        "below": str(found.below),
        "above": str(found.above),
        "rate_rps": found.rate_rps,
        "requests_per_hour": per_hour,
        "times_today": found.times_today,
        "detail": f"{found.below} below {per_hour:,.0f} requests/h ({found.times_today:.2g} times today's), {found.above} above",
        "sensitivity": lines,
    }
