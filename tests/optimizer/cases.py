"""Small worlds for the tests of the priced decision: a price book by hand, and observations of made-up load."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.capacity import CapacityBasis, CapacityModel, ReadyBasis, TimeToReady
from domain.load import LoadHistory
from domain.observation import Observation, RunningState
from domain.prices import Commitment, InstanceOffer, Price, PriceBook, ServerlessTariff
from domain.unknown import Unknown
from domain.workload import PurchaseMix, Resources, ServingMode, Slo, Workload
from optimizer.demand import Demand, Sizing, Spread
from optimizer.modes import Market, ModesOptions
from optimizer.purchase import Risk

MONDAY = datetime(2026, 10, 5, tzinfo=UTC)
AS_OF = date(2026, 10, 1)
FIVE_MINUTES = timedelta(minutes=5)
NOT_KNOWN = Unknown("not looked at here")


def price(amount: float) -> Price:
    return Price(amount=amount, source="made up", as_of=AS_OF)


def machine(name: str = "box", usd: float = 0.1, **other: Any) -> InstanceOffer:
    """Two processors and 8 GiB unless said otherwise."""
    facts: dict[str, Any] = {
        "cloud": "aws",
        "region": "us-east-1",
        "instance_type": name,
        "vcpus": 2.0,
        "memory_gib": 8.0,
        "accelerator": None,
        "accelerator_count": 0,
        "gpu_memory_gib": 0.0,
        "on_demand": price(usd),
        "spot": None,
    }
    return InstanceOffer(**(facts | other))


def tariff(**other: Any) -> ServerlessTariff:
    """USD 0.00002 per GiB-second, 0.000001 per request, milliseconds, cold after 5 minutes, 1 s to start."""
    facts: dict[str, Any] = {
        "cloud": "aws",
        "service": "fn",
        "region": "us-east-1",
        "usd_per_gib_second": 2e-5,
        "usd_per_vcpu_second": None,
        "usd_per_gpu_second": None,
        "usd_per_request": 1e-6,
        "increment": timedelta(milliseconds=1),
        "minimum": timedelta(milliseconds=1),
        "max_memory_gib": 10.0,
        "max_duration": timedelta(minutes=15),
        "accelerator": None,
        "gpu_memory_gib": 0.0,
        "cold_start": timedelta(seconds=1),
        "keep_alive": timedelta(minutes=5),
        "scales_to_zero": True,
        "source": "made up",
        "as_of": AS_OF,
    }
    return ServerlessTariff(**(facts | other))


YEAR = Commitment(
    cloud="aws", name="1yr", term=timedelta(days=365), discount=0.3, source="made up", as_of=AS_OF, upfront_share=0.0
)
BOOK = PriceBook(
    offers=(machine("box", 0.1), machine("big", 0.36, vcpus=8.0, memory_gib=32.0)),
    commitments=(YEAR,),
    tariffs=(tariff(),),
)


def history(values: NDArray[np.float64] | list[float], step: timedelta = FIVE_MINUTES) -> LoadHistory:
    return LoadHistory(start=MONDAY, step=step, values=np.asarray(values, dtype=np.float64))


def daily(days: float = 28, *, low: float = 2.0, high: float = 10.0, seed: int = 3) -> LoadHistory:
    """Requests/s that rise and fall once a day, with noise of a twentieth."""
    steps = int(days * 288)
    hours = np.arange(steps) / 12.0
    shape = low + (high - low) * (0.5 - 0.5 * np.cos(2 * np.pi * hours / 24.0))
    noise = np.random.default_rng(seed).normal(1.0, 0.05, steps)
    return history(shape * np.clip(noise, 0.8, 1.2))


def sparse(days: float = 14, *, per_day: int = 12, seed: int = 5) -> LoadHistory:
    """Single requests at random moments of the day, nothing in between."""
    steps = int(days * 288)
    values = np.zeros(steps)
    came = np.random.default_rng(seed).choice(steps, int(days * per_day), replace=False)
    values[came] = 1.0 / 300.0
    return history(values)


def ready(startup: timedelta = FIVE_MINUTES) -> TimeToReady:
    return TimeToReady(
        p50=startup, p90=startup, longest=startup, basis=ReadyBasis.ASSUMED, samples=0, detail="assumed for the test"
    )


def running(replicas: int = 12, mode: ServingMode = ServingMode.DEDICATED, offer: str = "box") -> RunningState:
    return RunningState(replicas=replicas, mode=mode, offer=offer, purchase=PurchaseMix(on_demand=float(replicas)))


WORKLOAD = Workload(
    id="vision:digits",
    runtime="trimtab-serving",
    slo=Slo(attainment=0.99, latency=timedelta(seconds=2)),
    resources=Resources(cpu_cores=1.0, memory_gib=2.0, model_gib=0.3),
)


def observation(load: LoadHistory | Unknown, **other: Any) -> Observation:
    """One replica carries 1 request/s, taking 0.5 s; 12 run today on boxes of their own."""
    at = MONDAY if isinstance(load, Unknown) else load.end
    facts: dict[str, Any] = {
        "workload": WORKLOAD,
        "observed_at": at,
        "source": "made up",
        "load": load,
        "latency": NOT_KNOWN,
        "errors": NOT_KNOWN,
        "replicas": NOT_KNOWN,
        "time_to_ready": ready(),
        "service_time_s": 0.5,
        "declared_capacity_rps": 1.0,
        "running": running(),
    }
    return Observation(**(facts | other))


def capacity(rate_rps: float = 1.0) -> CapacityModel:
    return CapacityModel(
        rate_rps=rate_rps, low_rps=rate_rps, high_rps=rate_rps, basis=CapacityBasis.DECLARED, detail="declared"
    )


def market(book: PriceBook = BOOK, workload: Workload = WORKLOAD, **other: Any) -> Market:
    facts: dict[str, Any] = {
        "capacity": capacity(),
        "sizing": Sizing(capacity_rps=1.0, startup=FIVE_MINUTES, min_replicas=1, max_replicas=None),
        "service_time_s": 0.5,
        "risk": Risk(history=timedelta(days=28), startup=FIVE_MINUTES, budget=workload.slo.budget),
        "book": book,
        "options": ModesOptions(calls=False),
    }
    return Market.of(workload, **(facts | other))


def demand(replicas: list[float], rate_rps: float = 1.0, arrivals: LoadHistory | None = None) -> Demand:
    """A demand that holds each of these numbers of replicas for as long."""
    spread = Spread.of(np.array(replicas))
    return Demand(
        rate_rps=rate_rps,
        peak_rps=max(rate_rps, float(max(replicas))),
        load_rps=np.full(8, rate_rps),
        replicas=spread,
        base=spread,
        arrivals=arrivals or history(np.full(2016, rate_rps)),
        hourly_rps=np.full(24, rate_rps),
    )


def without(workload: Workload, *modes: ServingMode) -> Workload:
    """The workload with these modes forbidden."""
    return replace(workload, modes=workload.modes - set(modes))
