"""Made-up histories of production whose capacity, its changes, and the weight of a prompt token are known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from benchmarks.queues import WINDOW_S, Seen
from domain.capacity import ReadyBasis, TimeToReady
from domain.load import Floats, LoadHistory
from domain.observation import Observation, TokenRates
from domain.unknown import Unknown
from domain.workload import Slo, Workload

BEGIN = datetime(2026, 10, 5, tzinfo=UTC)
FIVE_MINUTES = timedelta(minutes=5)
STEPS_A_DAY = 288
NOT_MADE = Unknown("not made up here")

BASE_S, WAIT_S, CEILING_RPS, SLO_S = 0.1, 0.05, 20.0, 0.4  # of the server that changes


def observed(load_rps: Floats, latency_s: Floats, slo_s: float, *, replicas: float, step: timedelta) -> Observation:
    """What is known of `replicas` that share a load (requests/s, all together); nothing is declared."""

    def history(values: Floats) -> LoadHistory:
        return LoadHistory(start=BEGIN, step=step, values=values)

    return Observation(
        workload=Workload(id="made:up", runtime="trimtab-serving", slo=Slo(latency=timedelta(seconds=slo_s))),
        observed_at=BEGIN + len(load_rps) * step,
        source="made up",
        load=history(load_rps),
        latency=history(latency_s),
        errors=NOT_MADE,
        replicas=history(np.full(len(load_rps), replicas)),
        time_to_ready=TimeToReady(
            p50=step, p90=step, longest=step, basis=ReadyBasis.DECLARED, samples=0, detail="made up"
        ),
        service_time_s=NOT_MADE,
        declared_capacity_rps=Unknown("no capacity is declared"),
        running=NOT_MADE,
    )


def queue_observed(seen: Seen, slo_s: float, *, replicas: float = 1.0, queue: bool = True) -> Observation:
    """A simulated queue as production would show it: `replicas` of it side by side, with or without its length."""
    step = timedelta(seconds=WINDOW_S)
    found = observed(seen.load_rps * replicas, seen.latency_s, slo_s, replicas=replicas, step=step)
    waiting = LoadHistory(start=BEGIN, step=step, values=seen.waiting * replicas)
    return replace(found, waiting=waiting) if queue else found


def changing(
    seed: int,
    *,
    days: int,
    slower: float = 1.0,
    from_day: float | None = None,
    day_noise: float = 0.05,
    wander: float = 0.0,
) -> Observation:
    """Days of load with a noisy latency, no day like the other; from `from_day` on requests take `slower` times as long.

    With `wander` (0..1) a day resembles the one before it.
    """
    rng = np.random.default_rng(seed)
    steps = days * STEPS_A_DAY
    tide = 0.25 + 0.75 * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(steps) / STEPS_A_DAY))
    load = 0.85 * CEILING_RPS * np.repeat(np.clip(rng.normal(1.0, 0.1, days), 0.6, 1.15), STEPS_A_DAY) * tide
    own = rng.normal(0.0, day_noise, days)
    for day in range(1, days):
        own[day] = wander * own[day - 1] + (1.0 - wander**2) ** 0.5 * own[day]
    k = np.repeat(np.exp(own), STEPS_A_DAY)
    if from_day is not None:
        k[int(from_day * STEPS_A_DAY) :] *= slower
    busy = np.minimum(k * load, 0.97 * CEILING_RPS)
    latency = k * (BASE_S + WAIT_S * busy / (CEILING_RPS - busy)) * np.exp(rng.normal(0.0, 0.1, steps))
    return observed(2.0 * load, latency, SLO_S, replicas=2.0, step=FIVE_MINUTES)


def capacity_of_changing(slower: float = 1.0) -> float:
    """Requests/s at which `changing` meets its SLO once requests take `slower` times as long."""
    over = SLO_S / slower - BASE_S
    return CEILING_RPS / slower * over / (over + WAIT_S)


def language_model(weight: float, seed: int = 1, *, days: int = 10, mixed: float = 0.4) -> tuple[Observation, float]:
    """Latency that rises with generated + weight * prompt tokens/s, and the capacity in those; prompts vary by the hour."""
    rng = np.random.default_rng(seed)
    t = np.arange(days * STEPS_A_DAY) / STEPS_A_DAY
    requests = (2.0 + 4.0 * (0.5 - 0.5 * np.cos(2 * np.pi * t))) * np.clip(rng.normal(1.0, 0.05, len(t)), 0.7, 1.3)
    prompt = requests * 800.0 * np.exp(mixed * np.sin(2 * np.pi * 1.7 * t) + rng.normal(0, 0.02, len(t)))
    generated = requests * 200.0 * np.exp(rng.normal(0.0, 0.02, len(t)))
    each = (generated + weight * prompt) / 2.0
    ceiling, base_s, wait_s, slo_s = float(each.max()) / 0.9, 0.3, 0.1, 0.8
    latency = (base_s + wait_s * each / (ceiling - each)) * np.exp(rng.normal(0.0, 0.05, len(t)))
    seen = observed(requests, latency, slo_s, replicas=2.0, step=FIVE_MINUTES)
    tokens = TokenRates(
        prompt=LoadHistory(start=BEGIN, step=FIVE_MINUTES, values=prompt),
        generated=LoadHistory(start=BEGIN, step=FIVE_MINUTES, values=generated),
    )
    return replace(seen, tokens=tokens), ceiling * (slo_s - base_s) / (slo_s - base_s + wait_s)
