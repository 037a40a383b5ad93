"""One serverless instance: what it is given, whether the model fits, how long it starts, what its time costs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

from domain.prices import ServerlessTariff
from domain.workload import Resources
from optimizer.modes.market import Market

SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Instance:
    """What one instance of a tariff is given, and its price per second.

    `warm_usd_per_second` is that of being kept warm, `serving_usd_per_second` what serving adds to it;
    both None where the tariff has no such rates.
    """

    memory_gib: float
    vcpus: float
    usd_per_second: float
    warm_usd_per_second: float | None = None
    serving_usd_per_second: float | None = None

    @classmethod
    def of(cls, market: Market, tariff: ServerlessTariff) -> Instance:
        """Memory buys processors where the tariff says so; a minimum counts as needed."""
        need, warm = market.workload.resources, tariff.warm
        vcpus = max(need.cpu_cores, tariff.min_vcpus)
        bought_with = vcpus * tariff.gib_per_vcpu if tariff.gib_per_vcpu else 0.0
        memory = max(need.memory_gib, tariff.min_memory_gib, bought_with)

        def usd(per_gib: float | None, per_vcpu: float | None, per_gpu: float | None) -> float:
            return memory * (per_gib or 0.0) + vcpus * (per_vcpu or 0.0) + (per_gpu or 0.0)

        return cls(
            memory_gib=memory,
            vcpus=vcpus,
            usd_per_second=usd(tariff.usd_per_gib_second, tariff.usd_per_vcpu_second, tariff.usd_per_gpu_second),
            warm_usd_per_second=None
            if warm is None
            else usd(warm.usd_per_gib_second, warm.usd_per_vcpu_second, warm.usd_per_gpu_second),
            serving_usd_per_second=None
            if warm is None
            else usd(
                warm.serving_usd_per_gib_second, warm.serving_usd_per_vcpu_second, warm.serving_usd_per_gpu_second
            ),
        )


def billed_s(tariff: ServerlessTariff, seconds: float) -> float:
    """`seconds` rounded up as the tariff does."""
    increment, minimum = tariff.increment / SECOND, tariff.minimum / SECOND
    return max(minimum, math.ceil(seconds / increment - 1e-9) * increment)


def cold_start_s(market: Market, tariff: ServerlessTariff) -> float:
    """Seconds from nothing to being ready: the service's own start, and reading the model."""
    return tariff.cold_start / SECOND + market.workload.resources.model_gib / market.options.model_load_gib_per_s


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
