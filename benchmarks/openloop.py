"""Load that does not wait: requests begin when chance says so, whatever became of the ones before.

A latency is counted from the moment at which its request was due, so that a slow server (or a busy client) cannot hide
what it made wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx
import numpy as np

from domain.load import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is asked: a JSON body, posted to a URL over one client's connections."""

    client: httpx.AsyncClient
    url: str
    body: Mapping[str, object]

    async def answered(self) -> bool:
        """Whether the answer to one request was a success."""
        try:
            answer = await self.client.post(self.url, json=dict(self.body))
        except httpx.HTTPError:
            return False
        return answer.is_success


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Offered:
    """What was asked for (requests/s), what really was sent, seconds that each answer took, and how many failed."""

    asked_rps: float
    sent_rps: float
    latency_s: Floats
    failed: int

    def quantile_s(self, level: float) -> float:
        """That quantile of the latencies."""
        return float(np.quantile(self.latency_s, level))


def offer(url: str, body: Mapping[str, object], levels: Sequence[tuple[float, float]], seed: int) -> list[Offered]:
    """Poisson arrivals at each (requests/s, seconds) in turn, posted to `url` as JSON; waits for the answers of each."""
    return asyncio.run(_offer(url, body, levels, np.random.default_rng(seed)))


async def _offer(
    url: str, body: Mapping[str, object], levels: Sequence[tuple[float, float]], rng: np.random.Generator
) -> list[Offered]:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=200)
    async with httpx.AsyncClient(limits=limits, timeout=60.0, trust_env=False) as client:
        target = Target(client=client, url=url, body=body)
        return [await _level(target, rate, seconds, rng) for rate, seconds in levels]


async def _level(target: Target, rate_rps: float, seconds: float, rng: np.random.Generator) -> Offered:
    due = np.sort(rng.uniform(0.0, seconds, rng.poisson(rate_rps * seconds)))
    clock = asyncio.get_running_loop().time
    began = clock()

    async def waited(at: float) -> float | None:
        return clock() - began - at if await target.answered() else None

    running = []
    for at in due.tolist():
        await asyncio.sleep(max(0.0, began + at - clock()))
        running.append(asyncio.create_task(waited(at)))
    answers = await asyncio.gather(*running)
    await asyncio.sleep(max(0.0, began + seconds - clock()))
    latency = [answer for answer in answers if answer is not None]
    return Offered(
        asked_rps=rate_rps,
        sent_rps=len(due) / seconds,
        latency_s=np.array(latency, dtype=np.float64),
        failed=len(answers) - len(latency),
    )
