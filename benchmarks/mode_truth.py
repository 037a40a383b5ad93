"""What every way of serving a trace's second half would have cost by the rules it is billed by, and how many requests it failed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from benchmarks import simulation
from benchmarks.mode_cases import ATTAINMENT, QUANTILE, STARTUP, Halves, Question
from benchmarks.simulation import Called, Counts, Ready, Served, Stretch
from domain.load import Floats
from domain.prices import HOURS_PER_MONTH, ServerlessTariff
from optimizer.demand import Demand
from optimizer.modes import Market, Quote
from optimizer.modes.calls import CALL_S, MOST_CALLED, Calls
from optimizer.modes.instances import Instance, cold_start_s, refusal
from optimizer.modes.serverless import offered, quoted
from optimizer.modes.warm import HOURS, Warm
from optimizer.physics import StartUp, first_ready, paid, ready
from optimizer.placed import Service
from optimizer.scaling import ScalingProblem, decide
from optimizer.shares import drawn

SECOND = timedelta(seconds=1)
RUN_IN_S = 1800.0  # longer than any keep-alive


CONVENTIONS = f"""\
- Hindsight: every machine and host worth pricing, every tariff plain, with the warm hours drawn up at the decision and
  with one to {MOST_CALLED} instances kept by calls; the cheapest of those whose simulated p95 was within the SLO.
- Regret: what was paid over the cheapest, as a share of what was paid. A choice that missed the SLO counts 100 %, and
  so does choosing none where one was feasible; choosing none where none was feasible counts 0 %. All this holds for
  the rule of thumb too. Its dedicated replicas are always two, and its answers are checked like all others: it
  chooses none where what it names cannot hold the SLO.
- Requests come at random moments of the step they were counted in (the same for all ways), take equally long, and are
  served one at a time by an instance or replica. Gaps in a trace are cut out and billed to nobody.
- Of a second part with more than {simulation.MOST_REQUESTS:,} requests, {simulation.STRETCHES} evenly spread stretches with about as many in all are
  simulated, and every stretch with over {simulation.BURST:g} times the requests of the mean one, after half an hour's run-in each; fewer
  stretches (not under {simulation.FEWEST_STRETCHES}), after ten minutes each, where that would be millions of requests.
- Serverless: a request without a free instance waits for one that is started for it. Every request is rounded up by
  itself; starts and idle time are billed where the tariff does so, instances kept warm by the second. Calls are served
  among the requests: each keeps the instance that it meets, is paid, and starts one where it meets none.
- Dedicated: whole machines by the step, paid from being asked for; the scaling policy goes on from the first part.
  Shared: copies and bill of a share that is drawn up day by day. Whoever would be late is turned away and counts.
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """USD a month (730 h) at the rate of the judged stretch, and the share of requests that were late or turned away."""

    usd_per_month: float
    late: float

    @property
    def held(self) -> bool:
        """Whether the latency SLO was held."""
        return self.late <= 1.0 - QUANTILE + 1e-12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judged:
    """The second half of a trace, made ready to serve: its requests, its known hours, and what scaling did."""

    halves: Halves
    parts: tuple[Stretch, ...]
    known: Counts

    @classmethod
    def of(cls, halves: Halves) -> Judged:
        parts = simulation.stretches(halves.whole, begin=halves.begin, run_in_s=RUN_IN_S)
        return cls(halves=halves, parts=parts, known=halves.known)

    @property
    def hours(self) -> float:
        return len(self.known) * self.halves.whole.step_s / 3600.0

    def per_month(self, usd: float) -> float:
        return usd / self.hours * HOURS_PER_MONTH

    def outcomes(
        self, question: Question, problem: ScalingProblem, markets: Mapping[str, Market], demand: Demand
    ) -> dict[str, dict[str, Outcome]]:
        """Per cloud: every way of serving by its name, `dedicated|machine`, `shared|host`, `serverless|service|hours`."""
        fleet, share = self.scaled(question, problem), self.shared(question)
        two = self.fixed(question, 2)
        found: dict[str, dict[str, Outcome]] = {}
        for cloud, market in markets.items():
            ways: dict[str, Outcome] = {}
            for fit in market.machines.by_name.values():
                each, usd = fit.replicas, fit.offer.on_demand.amount
                ways[f"dedicated|{fit.offer.instance_type}"] = self._machines(fleet, each, usd)
                ways[f"two|{fit.offer.instance_type}"] = self._machines(two, each, usd)
            for host in market.machines.hosts:
                bill = share.bill(self, market, host.instance_type)
                if bill is not None:
                    ways[f"shared|{host.instance_type}"] = bill
            ways |= dict(self.serverless(question, market, demand))
            found[cloud] = ways
        return found

    def _machines(self, fleet: Fleet, each: int, usd: float) -> Outcome:
        """Whole machines that hold `each` replicas, by the hour."""
        spent = np.ceil(fleet.paid[self.known] / each - 1e-9).sum() * self.halves.whole.step_s / 3600.0 * usd
        return Outcome(self.per_month(float(spent)), fleet.late)

    def scaled(self, question: Question, problem: ScalingProblem) -> Fleet:
        """The scaling policy, which went through the first half too and sees nothing later."""
        wanted = decide(self.halves.whole, problem).desired
        startup = StartUp.of(problem.startup, self.halves.whole.step)
        first = first_ready(self.halves.whole.values / problem.capacity_rps)
        there = Ready(*ready(wanted, first, startup), startup.part)
        return self._served(question, there, paid(wanted, first).astype(np.float64))

    def fixed(self, question: Question, replicas: int) -> Fleet:
        """Always so many."""
        always = np.full(len(self.halves.whole), replicas, dtype=np.int64)
        return self._served(question, Ready(always, always, 0.0), always.astype(np.float64))

    def shared(self, question: Question) -> Share:
        """Copies on a shared host, as the share that is drawn up day by day holds them."""
        rate = question.capacity_rps
        share = drawn(self.halves.whole, startup=STARTUP, budget=1.0 - ATTAINMENT)
        copies = np.maximum(1, np.ceil(share.ready / rate - 1e-9)).astype(np.int64)
        return Share(fleet=self._served(question, Ready(copies, copies, 0.0), share.held))

    def _served(self, question: Question, there: Ready, bought: Floats) -> Fleet:
        """The late share of sampled stretches, moved by what the load over capacity of all steps differs from theirs."""
        done = simulation.fleet(
            self.parts, service_s=question.model.service_s, latency_s=question.latency_s, ready=there
        )
        late = done.late / max(1.0, done.requests)
        if len(self.parts) > 1:
            sampled = np.concatenate([each.steps[each.lead :] for each in self.parts])
            weights = np.concatenate([np.full(len(each.steps) - each.lead, each.stands_for) for each in self.parts])
            late += self._over(question, there.then, self.known) - self._over(question, there.then, sampled, weights)
        return Fleet(paid=bought, late=min(1.0, max(0.0, late)))

    def _over(self, question: Question, replicas: Counts, steps: Counts, weights: Floats | float = 1.0) -> float:
        """Share of the requests of these steps over what all replicas could do at full use."""
        load = self.halves.whole.values[steps] * weights
        over = np.maximum(0.0, load - weights * replicas[steps] / question.model.service_s)
        return float(over.sum() / max(float(load.sum()), 1e-12))

    def serverless(self, question: Question, market: Market, demand: Demand) -> Iterator[tuple[str, Outcome]]:
        """Every tariff that can run the model at all: plain, and with the warm hours chosen for it at the decision."""
        for tariff in offered(market):
            if refusal(market, tariff, question.model.service_s) is not None:
                continue
            answer = quoted(market, demand, tariff, question.model.service_s)
            hours = {Warm()} | ({answer.warm} if isinstance(answer, Quote) else set())
            calls = Calls.of(tariff, Instance.of(market, tariff), cold_start_s(market, tariff))
            if calls is not None:
                hours |= {Warm((count,) * HOURS, calls.every_s) for count in range(1, MOST_CALLED + 1)}
            for warm in hours:
                yield way_of(tariff.service, warm), self._on_tariff(question, market, tariff, warm)

    def _on_tariff(self, question: Question, market: Market, tariff: ServerlessTariff, warm: Warm) -> Outcome:
        whole, cold_s, service_s = self.halves.whole, cold_start_s(market, tariff), question.model.service_s
        hour = ((whole.start.timestamp() + np.arange(len(whole)) * whole.step_s) // 3600).astype(np.int64) % 24
        service = Service(service_s, cold_s, tariff.keep_alive / SECOND)
        counts = np.array(warm.counts, dtype=np.int64)[hour]
        kept, called = (counts, 0 * counts) if warm.called_every_s is None else (0 * counts, counts)
        instance = Instance.of(market, tariff)
        calls = Calls.of(tariff, instance, cold_s)
        made = Called(called, calls.every_s) if calls is not None and called.any() else None
        done = simulation.serverless(self.parts, service, question.latency_s, kept, made)
        done = done._replace(warm_s=float(kept[self.known].sum()) * whole.step_s)  # of all steps, simulated or not
        if made is not None:
            done = done._replace(calls=float(called[self.known].sum()) * whole.step_s / made.every_s)
        usd = invoice(done, tariff, instance, service_s, cold_s)
        return Outcome(self.per_month(usd), done.late / max(1.0, done.requests))


@dataclass(frozen=True, slots=True, eq=False)
class Fleet:
    """What is paid for in each step (replicas, or requests/s of a share), and the share of requests that was late."""

    paid: Floats
    late: float


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """A share of a host over time."""

    fleet: Fleet

    def bill(self, judged: Judged, market: Market, host: str) -> Outcome | None:
        """Its part of the host's price, sized for what it is drawn to; None where it would need more than the whole host."""
        offer, need = market.machines.by_name[host].offer, market.workload.resources
        busy = self.fleet.paid[judged.known] / market.sizing.capacity_rps
        copies = np.maximum(1.0, np.ceil(busy - 1e-9))
        room = market.options.machines.allocatable
        parts = [busy * need.cpu_cores / (offer.vcpus * room), copies * need.memory_gib / (offer.memory_gib * room)]
        if need.accelerator is not None:
            each = max(1, need.accelerator_count)
            parts.append(busy * each / offer.accelerator_count)
            parts.append(copies * need.model_gib / (offer.accelerator_count * offer.gpu_memory_gib))
        shares = np.max(parts, axis=0) / market.options.sharing.host_fill
        if shares.max() > 1.0:
            return None
        usd = float(shares.sum()) * judged.halves.whole.step_s / 3600.0 * offer.on_demand.amount
        return Outcome(judged.per_month(usd), self.fleet.late)


def invoice(done: Served, tariff: ServerlessTariff, instance: Instance, service_s: float, cold_s: float) -> float:
    """USD for what was served: every request and call rounded up by itself, idle time and starts where the tariff bills them."""

    def rounded(seconds: float) -> float:
        step = tariff.increment / SECOND
        return max(tariff.minimum / SECOND, math.ceil(seconds / step - 1e-9) * step)

    once = rounded(service_s)
    start = rounded(service_s + cold_s) if tariff.bills_cold_start else once
    plain = done.requests - done.cold - done.by_warm
    seconds = plain * once + done.cold * start + (done.idle_s if tariff.bills_idle else 0.0)
    usd = seconds * instance.usd_per_second + done.requests * tariff.usd_per_request
    if done.warm_s and instance.warm_usd_per_second is not None:
        usd += done.warm_s * instance.warm_usd_per_second
        usd += done.by_warm * once * (instance.serving_usd_per_second or 0.0)
    call, started = rounded(CALL_S), rounded(CALL_S + cold_s) if tariff.bills_cold_start else rounded(CALL_S)
    call_s = (done.calls - done.started) * call + done.started * started
    return usd + call_s * instance.usd_per_second + done.calls * tariff.usd_per_request


def way_of(service: str, warm: Warm) -> str:
    """The name of a serverless way of serving."""
    return f"serverless|{service}|{warm if warm.kept else 'plain'}"
