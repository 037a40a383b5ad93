"""Serverless: pay for the time that requests take, and accept cold starts or keep instances warm against them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np

from domain.plan import Reason
from domain.prices import HOURS_PER_MONTH, Price, ServerlessTariff
from domain.unknown import Unknown
from domain.workload import PurchaseMix, ServingMode
from optimizer.coldstarts import few, starts
from optimizer.demand import Demand
from optimizer.modes.calls import MOST_CALLED, Calls
from optimizer.modes.instances import SECOND, Instance, billed_s, cold_start_s, refusal
from optimizer.modes.keepwarm import HOUR_S, Board, Counts, Needs, board, fixed
from optimizer.modes.market import Decided, Infeasible, Market, PriceUsed, Quote, priced_at
from optimizer.modes.warm import HOURS, Warm

MODE = ServingMode.SERVERLESS
ROUNDING = 1e-9  # a floor lies this share lower, so that it is one to the last digit too


def price(market: Market, demand: Demand, decided: Decided | None, /, enough: float = 0.0) -> Quote | Infeasible:
    """The cheapest tariff that holds the SLO, or what the `decided` one would cost for this demand.

    The first that is found under `enough` USD a month will do.
    """
    if isinstance(market.service_time_s, Unknown):
        return Infeasible(mode=MODE, reason=f"the time one request takes is not known: {market.service_time_s.reason}")
    tariffs = list(offered(market))
    if decided is not None:
        tariffs = [tariff for tariff in tariffs if tariff.service == decided.offer]
    if not tariffs:
        return Infeasible(mode=MODE, reason=_nothing_offered(market))
    warm, service_s = None if decided is None else decided.warm, market.service_time_s
    floors = [floor_usd(market, demand, tariff, service_s) for tariff in tariffs]
    best, refusals = None, {}
    for place in np.argsort(floors, kind="stable").tolist():
        if best is not None and (best.usd_per_month < enough or floors[place] > best.usd_per_month):
            break  # those that follow cannot cost less, or need not
        answer = quoted(market, demand, tariffs[place], service_s, warm)
        if isinstance(answer, Infeasible):
            refusals[place] = answer.reason
        elif best is None or (answer.usd_per_month, answer.offer) < (best.usd_per_month, best.offer):
            best = answer
    return best or Infeasible(mode=MODE, reason="; ".join(refusals[place] for place in sorted(refusals)))


def at_least(market: Market, demand: Demand, /) -> float:
    """USD a month that no quote for this demand is under; infinite where there will be none."""
    service_s = market.service_time_s
    if isinstance(service_s, Unknown):
        return math.inf
    return min((floor_usd(market, demand, tariff, service_s) for tariff in offered(market)), default=math.inf)


def offered(market: Market) -> Iterable[ServerlessTariff]:
    """Tariffs of the workload's cloud and region, and of the other clouds that may be used."""
    workload, accelerator = market.workload, (market.workload.resources.accelerator or "").casefold()
    for tariff in market.book.tariffs:
        here = tariff.cloud == workload.cloud and tariff.region in {workload.region, "any"}
        allowed = here or tariff.cloud in market.options.other_clouds
        if allowed and (tariff.accelerator or "").casefold() == accelerator:
            yield tariff


def quoted(
    market: Market, demand: Demand, tariff: ServerlessTariff, service_s: float, warm: Warm | None = None
) -> Quote | Infeasible:
    """One tariff for this demand, or why it does not do: with the cheapest warm hours that hold the SLO, or those that were decided."""
    refused = refusal(market, tariff, service_s)
    if refused is not None:
        return Infeasible(mode=MODE, reason=f"{tariff.service}: {refused}")
    bill = Bill.of(market, demand, tariff, service_s)
    allowed = 1.0 - market.workload.slo.latency_quantile
    choice = bill.board.cheapest(allowed) if warm is None else fixed(bill.board, warm)
    if choice is None:
        return Infeasible(mode=MODE, reason=f"{tariff.service}: {bill.too_late(market)}")
    kept = bill.board.warm(choice)
    running = demand.rate_rps * service_s
    return Quote(
        mode=MODE,
        offer=tariff.service,
        usd_per_month=bill.board.usd_per_hour(choice) * HOURS_PER_MONTH,
        mean_replicas=max(running, kept.mean),
        purchase=PurchaseMix(on_demand=max(running, kept.mean)),
        warm=kept,
        cold_share=bill.board.cold_share(choice),
        late_at_most=bill.late_at_most(choice, allowed),
        reasons=bill.reasons(choice, running),
        prices=_prices_used(tariff, bill.instance, kept),
    )


def floor_usd(market: Market, demand: Demand, tariff: ServerlessTariff, service_s: float) -> float:
    """What the requests alone cost a month at the lower of the tariff's rates for serving them, whatever is kept warm or starts cold.

    0 for few requests: they are made whole ones, so that a bill may be of fewer than came.
    """
    if few(demand.arrivals):
        return 0.0
    instance = Instance.of(market, tariff)
    usd_per_second = instance.usd_per_second
    if tariff.warm is not None:
        usd_per_second = min(usd_per_second, instance.serving_usd_per_second or 0.0)
    each = tariff.usd_per_request + billed_s(tariff, service_s) * usd_per_second
    return each * float(demand.hourly_rps.mean()) * HOUR_S * HOURS_PER_MONTH * (1.0 - ROUNDING)


def _cold_words(needs: Needs) -> str:
    """What a cold start does to the promise it breaks."""
    if needs.first_token_s is not None and needs.cold_s > needs.first_token_s:
        return f"wait {needs.cold_s:.2g} s for a first token, over the {needs.first_token_s:g} s"
    return f"take {needs.service_s + needs.cold_s:.2g} s, over the {needs.latency_s:g} s"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bill:
    """What a tariff costs for a demand, for every number of instances kept warm in every hour of the day."""

    tariff: ServerlessTariff
    instance: Instance
    needs: Needs
    board: Board

    @classmethod
    def of(cls, market: Market, demand: Demand, tariff: ServerlessTariff, service_s: float) -> Bill:
        instance, cold = Instance.of(market, tariff), cold_start_s(market, tariff)
        slo = market.workload.slo
        first_token_s = None if slo.time_to_first_token is None else slo.time_to_first_token / SECOND
        needs = Needs(service_s=service_s, cold_s=cold, latency_s=slo.latency / SECOND, first_token_s=first_token_s)
        began = starts(demand.arrivals, service_s, tariff.keep_alive / SECOND, cold)
        calls = Calls.of(tariff, instance, cold) if market.options.calls else None
        made = board(demand, began, tariff, instance, needs, calls=calls)
        return cls(tariff=tariff, instance=instance, needs=needs, board=made)

    def reasons(self, choice: Counts, running: float) -> tuple[Reason, ...]:
        """What starts cold, and what is kept warm against it and for how much."""
        share, kept = self.board.cold_share(choice), self.board.warm(choice)
        said = f"{share:.1%} of requests start cold ({self.needs.cold_s:.2g} s), {running:.3g} run at a time on average"
        found = [Reason(code="cold_starts", detail=said)]
        if kept.kept:
            usd = self._kept_usd(kept)
            amount = f"{usd:,.2f}" if usd >= 0.1 else f"{usd:.2g}"
            detail = f"instances kept warm: {kept}, {amount} USD a month before what they serve"
            found.append(Reason(code="kept_warm", detail=detail))
        return tuple(found)

    def _kept_usd(self, kept: Warm) -> float:
        """USD a month for keeping them alone."""
        if kept.called_every_s is None or self.board.calls is None:
            return (self.instance.warm_usd_per_second or 0.0) * kept.mean * 3600.0 * HOURS_PER_MONTH
        return float(self.board.calls.usd_per_hour(np.array(kept.mean), np.array(0.0))) * HOURS_PER_MONTH

    def late_at_most(self, choice: Counts, allowed: float) -> float:
        """The share that may well be late: hours that were chosen by the past as `Board.cheapest` judged them, where it took them."""
        fixed_late = self.board.late_of(choice)
        if len(set(choice.tolist())) == 1 and fixed_late <= allowed:
            return fixed_late
        of_choice = (price for price in self.board.prices().tolist() if np.array_equal(self.board.at(price), choice))
        judged = (self.board.late_at_most(price) for price in of_choice)
        return next((late for late in judged if late <= allowed), fixed_late)

    def too_late(self, market: Market) -> str:
        """Why no choice of instances kept warm holds the SLO."""
        slo, plain = market.workload.slo, fixed(self.board, Warm())
        allowed = 1.0 - slo.latency_quantile
        said = (
            f"{self.board.cold_share(plain):.1%} of requests would start cold and {_cold_words(self.needs)} "
            f"that {slo.latency_quantile:.0%} of them must hold (with what the past leaves open, up to {self.board.late_of(plain):.1%})"
        )
        if self.board.calls is not None:
            few = fixed(self.board, Warm((MOST_CALLED,) * HOURS, self.board.calls.every_s))
            said += f"; with {self.board.warm(few)} still up to {self.board.late_of(few):.1%}"
        if self.instance.warm_usd_per_second is None:
            return said
        dearest = float(self.board.prices()[-1])
        most, late = self.board.warm(self.board.at(dearest)), self.board.late_at_most(dearest)
        return f"{said}; with {most} kept warm still up to {late:.1%}, where {allowed:.0%} may"


def usd_per_month(market: Market, demand: Demand, tariff: ServerlessTariff, service_s: float) -> float:
    """Plain pay-per-use: requests times (billed duration times the instance's price, and the fee), and what else is billed."""
    bill = Bill.of(market, demand, tariff, service_s)
    return bill.board.usd_per_hour(fixed(bill.board, Warm())) * HOURS_PER_MONTH


def billed(market: Market, demand: Demand, service: str) -> float | Unknown:
    """USD a month of running on `service` as it is, whether it holds the SLO or not."""
    if isinstance(market.service_time_s, Unknown):
        return Unknown(f"the bill of {service} is not known without the time a request takes")
    workload = market.workload
    named = [tariff for tariff in market.book.tariffs if tariff.service == service]
    here = [each for each in named if each.cloud == workload.cloud and each.region in {workload.region, "any"}]
    if not named:
        return Unknown(f"{service} is not among the serverless tariffs of the price book")
    fitting = [each for each in here or named if each.architecture == workload.resources.architecture]
    return usd_per_month(market, demand, (fitting or here or named)[0], market.service_time_s)


def _prices_used(tariff: ServerlessTariff, instance: Instance, kept: Warm) -> tuple[PriceUsed, ...]:
    size = f"{instance.memory_gib:g} GiB, {instance.vcpus:g} processors"
    note = "; ".join(part for part in (size, tariff.assumptions) if part)
    used = [
        priced_at(f"{tariff.service}: an instance", _dated(tariff, instance.usd_per_second), "second", note),
        priced_at(
            f"{tariff.service}: a request", _dated(tariff, tariff.usd_per_request), "request", tariff.assumptions
        ),
    ]
    if kept.kept and kept.called_every_s is None and tariff.warm is not None:
        source, as_of, evidence = tariff.warm.source, tariff.warm.as_of, tariff.warm.evidence
        for what, usd in (("kept warm", instance.warm_usd_per_second), ("serving", instance.serving_usd_per_second)):
            amount = Price(amount=usd or 0.0, source=source, as_of=as_of, evidence=evidence, exchange=tariff.exchange)
            used.append(priced_at(f"{tariff.service}: an instance {what}", amount, "second", tariff.warm.assumptions))
    return tuple(each for each in used if each.usd > 0)


def _dated(tariff: ServerlessTariff, usd: float) -> Price:
    as_of: date | None = tariff.as_of
    return Price(amount=usd, source=tariff.source, as_of=as_of, evidence=tariff.evidence, exchange=tariff.exchange)


def _nothing_offered(market: Market) -> str:
    workload = market.workload
    kind = f"with {workload.resources.accelerator}" if workload.resources.accelerator else "without an accelerator"
    return f"no serverless tariff of {workload.cloud} {workload.region} {kind} is in the price book"
