"""Serverless: pay for the time that requests take, and accept cold starts."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from domain.plan import Reason
from domain.prices import HOURS_PER_MONTH, ServerlessTariff
from domain.unknown import Unknown
from domain.workload import PurchaseMix, Resources, ServingMode, Slo
from optimizer.coldstarts import cold_share, idle_share
from optimizer.demand import Demand
from optimizer.modes.market import Decided, Infeasible, Market, PriceUsed, Quote, as_of_text

MODE = ServingMode.SERVERLESS
SECOND = timedelta(seconds=1)


def price(market: Market, demand: Demand, decided: Decided | None, /) -> Quote | Infeasible:
    """The cheapest tariff that holds the SLO, or what the `decided` one would cost for this demand."""
    if isinstance(market.service_time_s, Unknown):
        return Infeasible(mode=MODE, reason=f"the time one request takes is not known: {market.service_time_s.reason}")
    tariffs = list(offered(market))
    if decided is not None:
        tariffs = [tariff for tariff in tariffs if tariff.service == decided.offer]
    if not tariffs:
        return Infeasible(mode=MODE, reason=_nothing_offered(market))
    answers = [quoted(market, demand, tariff, market.service_time_s) for tariff in tariffs]
    quotes = [answer for answer in answers if isinstance(answer, Quote)]
    if quotes:
        return min(quotes, key=lambda quote: (quote.usd_per_month, quote.offer))
    refusals = [answer.reason for answer in answers if isinstance(answer, Infeasible)]
    return Infeasible(mode=MODE, reason="; ".join(refusals))


def offered(market: Market) -> Iterable[ServerlessTariff]:
    """Tariffs of the workload's cloud and region, and of the other clouds that may be used."""
    workload, accelerator = market.workload, (market.workload.resources.accelerator or "").casefold()
    for tariff in market.book.tariffs:
        here = tariff.cloud == workload.cloud and tariff.region in {workload.region, "any"}
        allowed = here or tariff.cloud in market.options.other_clouds
        if allowed and (tariff.accelerator or "").casefold() == accelerator:
            yield tariff


def quoted(market: Market, demand: Demand, tariff: ServerlessTariff, service_s: float) -> Quote | Infeasible:
    """One tariff for this demand, or why it does not do."""
    refused = refusal(market, tariff, service_s)
    if refused is not None:
        return Infeasible(mode=MODE, reason=f"{tariff.service}: {refused}")
    cold = cold_start_s(market, tariff)
    share = share_cold(demand, tariff, service_s)
    slo = market.workload.slo
    late = slo.time_to_first_token is not None and cold > slo.time_to_first_token / SECOND
    slow = share if late or service_s + cold > slo.latency / SECOND else 0.0
    if slow > 1.0 - slo.latency_quantile:
        reason = (
            f"{tariff.service}: {share:.1%} of requests would start cold and {_cold_words(slo, service_s, cold, late=late)} "
            f"that {slo.latency_quantile:.0%} of them must hold"
        )
        return Infeasible(mode=MODE, reason=reason)
    running = demand.rate_rps * service_s
    said = f"{share:.1%} of requests start cold ({cold:.2g} s), {running:.3g} run at a time on average"
    return Quote(
        mode=MODE,
        offer=tariff.service,
        usd_per_month=usd_per_month(market, demand, tariff, service_s),
        mean_replicas=running,
        purchase=PurchaseMix(on_demand=running),
        cold_share=share,
        reasons=(Reason(code="cold_starts", detail=said),),
        prices=_prices_used(market, tariff),
    )


def _cold_words(slo: Slo, service_s: float, cold_s: float, *, late: bool) -> str:
    """What a cold start does to the promise it breaks."""
    if late and slo.time_to_first_token is not None:
        return f"wait {cold_s:.2g} s for a first token, over the {slo.time_to_first_token / SECOND:g} s"
    return f"take {service_s + cold_s:.2g} s, over the {slo.latency / SECOND:g} s"


def refusal(market: Market, tariff: ServerlessTariff, service_s: float) -> str | None:
    """Why one request cannot run there at all, or None."""
    need, slo_s = market.workload.resources, market.workload.slo.latency / SECOND
    if tariff.architecture != need.architecture:
        return f"runs {tariff.architecture}, the model needs {need.architecture}"
    too_large = oversize(Instance.of(market, tariff), need, tariff)
    if too_large is not None:
        return too_large
    if service_s > tariff.max_duration / SECOND:
        return f"a request takes {service_s:g} s, at most {tariff.max_duration / SECOND:g} are allowed"
    if service_s > slo_s:
        return f"a request takes {service_s:g} s even when warm, over the SLO of {slo_s:g} s"
    return None


def oversize(size: Instance, need: Resources, tariff: ServerlessTariff) -> str | None:
    """What of one instance is larger than the tariff offers, or None."""
    if size.memory_gib > tariff.max_memory_gib:
        return f"needs {size.memory_gib:.3g} GiB, at most {tariff.max_memory_gib:g} are offered"
    if tariff.max_vcpus is not None and size.vcpus > tariff.max_vcpus:
        return f"needs {size.vcpus:g} processors, at most {tariff.max_vcpus:g} are offered"
    if tariff.accelerator and (need.accelerator_count > 1 or need.model_gib > tariff.gpu_memory_gib):
        return f"one {tariff.accelerator} with {tariff.gpu_memory_gib:g} GiB does not hold the model"
    return None


@dataclass(frozen=True, slots=True)
class Instance:
    """What one instance of a tariff is given, and its price per second."""

    memory_gib: float
    vcpus: float
    usd_per_second: float

    @classmethod
    def of(cls, market: Market, tariff: ServerlessTariff) -> Instance:
        """Memory buys processors where the tariff says so; a minimum counts as needed."""
        need = market.workload.resources
        vcpus = max(need.cpu_cores, tariff.min_vcpus)
        bought_with = vcpus * tariff.gib_per_vcpu if tariff.gib_per_vcpu else 0.0
        memory = max(need.memory_gib, tariff.min_memory_gib, bought_with)
        return cls(
            memory_gib=memory,
            vcpus=vcpus,
            usd_per_second=memory * (tariff.usd_per_gib_second or 0.0)
            + vcpus * (tariff.usd_per_vcpu_second or 0.0)
            + (tariff.usd_per_gpu_second or 0.0),
        )


def cold_start_s(market: Market, tariff: ServerlessTariff) -> float:
    """Seconds from nothing to the first answer: the service's own start, and reading the model."""
    return tariff.cold_start / SECOND + market.workload.resources.model_gib / market.options.model_load_gib_per_s


def share_cold(demand: Demand, tariff: ServerlessTariff, service_s: float) -> float:
    """Share of the recorded requests that would have started cold."""
    arrivals = demand.arrivals
    return cold_share(arrivals.values, arrivals.step_s, service_s, tariff.keep_alive / SECOND)


def usd_per_month(market: Market, demand: Demand, tariff: ServerlessTariff, service_s: float) -> float:
    """Requests times (billed duration times the instance's price, and the fee), and what else is billed."""
    instance = Instance.of(market, tariff)
    increment, minimum = tariff.increment / SECOND, tariff.minimum / SECOND
    seconds = max(minimum, math.ceil(service_s / increment - 1e-9) * increment)
    if tariff.bills_cold_start:
        seconds += share_cold(demand, tariff, service_s) * cold_start_s(market, tariff)
    per_second = demand.rate_rps * (seconds * instance.usd_per_second + tariff.usd_per_request)
    if tariff.bills_idle:
        arrivals = demand.arrivals
        idle = idle_share(arrivals.values, arrivals.step_s, tariff.keep_alive / SECOND)
        per_second += idle * instance.usd_per_second
    return per_second * 3600.0 * HOURS_PER_MONTH


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


def _prices_used(market: Market, tariff: ServerlessTariff) -> tuple[PriceUsed, ...]:
    instance = Instance.of(market, tariff)
    meters = (
        (
            "an instance",
            instance.usd_per_second,
            "second",
            f"{instance.memory_gib:g} GiB, {instance.vcpus:g} processors",
        ),
        ("a request", tariff.usd_per_request, "request", ""),
    )
    return tuple(
        PriceUsed(
            what=f"{tariff.service}: {what}",
            usd=usd,
            unit=unit,
            source=tariff.source,
            as_of=as_of_text(tariff.as_of),
            note="; ".join(part for part in (note, tariff.assumptions) if part),
        )
        for what, usd, unit, note in meters
        if usd > 0
    )


def _nothing_offered(market: Market) -> str:
    workload = market.workload
    kind = f"with {workload.resources.accelerator}" if workload.resources.accelerator else "without an accelerator"
    return f"no serverless tariff of {workload.cloud} {workload.region} {kind} is in the price book"
