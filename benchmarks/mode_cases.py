"""The questions of `benchmarks/modes.py`: three models, three latencies, three clouds, asked of a half of a trace."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import exp, factorial, floor

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from domain.capacity import CapacityBasis, CapacityModel
from domain.load import LoadHistory
from domain.prices import PriceBook
from domain.workload import Resources, Slo, Workload
from optimizer.demand import Sizing
from optimizer.modes import Market, ModesOptions
from optimizer.options import Options
from optimizer.purchase import PurchaseOptions, Risk

GIB_PER_GB = 1e9 / 2**30
QUANTILE = 0.95
ATTAINMENT = 0.99
STARTUP = timedelta(seconds=300)
LOOKBACK = timedelta(days=28)
REGIONS = {"aws": "us-east-1", "gcp": "us-central1", "azure": "eastus"}
TIMES_SERVICE = (2, 5, 20)
OPTIONS = Options(
    modes=ModesOptions(
        purchase=PurchaseOptions(spot=False, max_term=timedelta(0)), other_clouds=("modal", "replicate", "runpod")
    )
)


@dataclass(frozen=True, slots=True)
class Model:
    """A model to serve: what a replica of it needs, and the seconds one request takes."""

    name: str
    needs: Resources
    service_s: float


MODELS = (
    Model("100 MB", Resources(cpu_cores=1, memory_gib=0.5, model_gib=0.1 * GIB_PER_GB), 0.02),
    Model("4 GB", Resources(cpu_cores=2, memory_gib=6, model_gib=4 * GIB_PER_GB), 0.2),
    Model(
        "80 GB",
        Resources(cpu_cores=8, memory_gib=96, model_gib=80 * GIB_PER_GB, accelerator="A100", accelerator_count=1),
        2.0,
    ),
)


ASSUMPTIONS = f"""\
- Models: 100 MB (1 processor, 0.5 GiB; 20 ms a request), 4 GB (2 processors, 6 GiB; 200 ms), 80 GB (8 processors,
  96 GiB, one A100; 2 s), on x86. An instance starts as its tariff states and then reads the model at
  {OPTIONS.modes.model_load_gib_per_s:g} GiB/s.
- Latency SLO: p95 within 2, 5 or 20 times the service time. The scaling policy aims at an attainment of 99 % with
  replicas that are ready after 300 s and carry the load at which an M/D/1 queue holds that p95.
- Clouds: AWS us-east-1, GCP us-central1 and Azure eastus, each with the GPU clouds Modal, Replicate and RunPod allowed
  beside it. On demand only (no spot, no commitments), at the bundled price book.
- Shared competes at its estimate for one workload alone, hosts filled to {OPTIONS.modes.sharing.host_fill:.0%} by others; a fleet's places are decided after this.
- A decision sees the first part of a trace (its last 28 days at most). Histories shorter than the two days that a
  recommendation asks for are decided on all the same.
"""


@dataclass(frozen=True, slots=True)
class Question:
    """A model and its latency SLO, as a multiple of its service time."""

    model: Model
    times_service: int

    @property
    def latency_s(self) -> float:
        return self.times_service * self.model.service_s

    @property
    def capacity_rps(self) -> float:
        """What one replica carries: the load at which 95 % of Poisson arrivals are answered in time (M/D/1)."""
        return busy_at(self.times_service) / self.model.service_s

    def market(self, cloud: str, seen: LoadHistory, book: PriceBook) -> Market:
        """Everything that could be bought for it in one cloud."""
        rate = self.capacity_rps
        return Market.of(
            Workload(
                id=f"{self.model.name} x{self.times_service}",
                runtime="recorded",
                slo=Slo(attainment=ATTAINMENT, latency_quantile=QUANTILE, latency=timedelta(seconds=self.latency_s)),
                resources=self.model.needs,
                cloud=cloud,
                region=REGIONS[cloud],
            ),
            capacity=CapacityModel(
                rate_rps=rate, low_rps=rate, high_rps=rate, basis=CapacityBasis.DECLARED, detail="M/D/1"
            ),
            sizing=Sizing(capacity_rps=rate, startup=STARTUP, min_replicas=1, max_replicas=None),
            service_time_s=self.model.service_s,
            risk=Risk(history=len(seen) * seen.step, startup=STARTUP, budget=1.0 - ATTAINMENT),
            book=book,
            options=OPTIONS.modes,
        )


QUESTIONS = tuple(Question(model, times) for model in MODELS for times in TIMES_SERVICE)


def busy_at(times_service: float) -> float:
    """Use of one server (0..1) at which 95 % of the waits of an M/D/1 queue end within `times_service` - 1 services.

    P(W <= t) = (1 - a) * sum over j <= t of (a (j - t))^j / j! * exp(-a (j - t)), t in services (A. K. Erlang, 1909).
    """
    t = times_service - 1.0

    def in_time(use: float) -> float:
        terms = ((use * (j - t)) ** j / factorial(j) * exp(-use * (j - t)) for j in range(floor(t + 1e-9) + 1))
        return (1.0 - use) * sum(terms)

    return float(brentq(lambda use: in_time(use) - QUANTILE, 1e-3, 0.98))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Halves:
    """A trace cut in two: `seen` (at most four weeks) is what a decision sees, and `whole` goes on to the end of the trace.

    The judged part begins at step `begin` of `whole`.
    """

    seen: LoadHistory
    whole: LoadHistory

    @classmethod
    def of(cls, load: LoadHistory, share: float) -> Halves:
        """Cut at `share` of the steps."""
        cut = int(len(load) * share)
        first = max(0, cut - LOOKBACK // load.step)
        return cls(seen=_steps(load, first, cut), whole=_steps(load, first, len(load)))

    @property
    def usable(self) -> bool:
        """Whether requests are known on both sides of the cut."""
        return bool(np.nansum(self.seen.values) > 0 and np.nansum(self.whole.values[self.begin :]) > 0)

    @property
    def begin(self) -> int:
        return len(self.seen)

    @property
    def known(self) -> NDArray[np.int64]:
        """Steps of the judged part whose load is known, counted in `whole`."""
        return self.begin + np.flatnonzero(np.isfinite(self.whole.values[self.begin :]))


def _steps(load: LoadHistory, begin: int, end: int) -> LoadHistory:
    return LoadHistory(start=load.start + begin * load.step, step=load.step, values=load.values[begin:end])
