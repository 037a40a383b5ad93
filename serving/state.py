"""All that one server holds, and when it is ready."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request

from serving.deployments import Deployments, State
from serving.errors import ServingError
from serving.folder import ModelFolder
from serving.instances import Instances
from serving.metrics import Metrics
from serving.model import Model, load_model
from serving.pipelines import Input, Pipelines
from serving.predict import predict
from serving.settings import Settings
from serving.workers import Workers

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """`monotonic` counts seconds and began at or before `process_began_s`; `now` tells the time, aware."""

    monotonic: Callable[[], float]
    now: Callable[[], datetime]
    process_began_s: float


@dataclass(slots=True)
class Serving:
    """One server. `start` loads the models; until it is done, and once `drain` was called, the server is not ready."""

    settings: Settings
    metrics: Metrics
    clocks: Clocks
    workers: Workers = field(init=False)
    deployments: Deployments = field(init=False)
    pipelines: Pipelines = field(init=False)
    instances: Instances = field(init=False)
    started: bool = False
    draining: bool = False

    def __post_init__(self) -> None:
        self.workers = Workers(size=self.settings.workers, max_waiting=self.settings.max_waiting)
        self.deployments = Deployments(ModelFolder(self.settings.models), self._load, self.metrics)
        self.pipelines = Pipelines(self._run_one, now=self.clocks.now)
        self.instances = Instances(self.clocks.monotonic)

    async def start(self) -> None:
        """Load what the models folder holds."""
        await self.deployments.deploy_all()
        self.started = True
        self.publish()
        problem = self.not_ready_because()
        if problem:
            _LOG.error("not ready: %s", problem)
        else:
            self.metrics.started(self.clocks.monotonic() - self.clocks.process_began_s)

    def drain(self) -> None:
        """Say from now on that no further requests are wanted; those that come are answered all the same."""
        self.draining = True
        self.publish()

    async def close(self) -> None:
        """End background work and wait for inferences that run."""
        await self.pipelines.close()
        self.workers.close()

    def not_ready_because(self) -> str:
        """Why requests should go elsewhere; empty if they may come."""
        if self.draining:
            return "the server is about to stop"
        if not self.started:
            return "models are being loaded"
        deployments = self.deployments.all()
        if not deployments:
            return "no model is deployed"
        return "; ".join(d.detail for d in deployments if d.state is State.FAILED)

    def publish(self) -> None:
        """Bring the metrics up to what is deployed and ready; to be called after every change."""
        ready = not self.not_ready_because()
        for deployment in self.deployments.all():
            self.metrics.ready(deployment.name, ready and deployment.model is not None)

    async def _load(self, name: str, version: str, path: Path) -> Model:
        load = partial(
            load_model,
            path,
            name=name,
            version=version,
            threads=self.settings.threads,
            at_least_s=self.settings.service_time.total_seconds(),
            clock=self.clocks.monotonic,
        )
        return await asyncio.to_thread(load)  # not a worker's: a busy server must still be able to change its model

    async def _run_one(self, model_id: str, one: Input) -> dict[str, Any]:
        model = self.deployments.serving(model_id)
        try:
            answer = await self.workers.run(partial(predict, model, one))
        except ServingError:
            self.metrics.pipeline_item(model_id, succeeded=False)
            raise
        self.metrics.pipeline_item(model_id, succeeded=True)
        return answer


def _of_the_application(request: Request) -> Serving:
    serving: Serving = request.app.state.serving
    return serving


ThisServer = Annotated[Serving, Depends(_of_the_application)]
