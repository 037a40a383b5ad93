"""Which models are deployed. All changes happen on the event loop, one at a time; loading itself in a worker thread."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

from serving.errors import ModelFailed, NotFound, Unavailable
from serving.folder import ModelFolder
from serving.metrics import Metrics
from serving.model import Model

_LOG = logging.getLogger(__name__)

Load = Callable[[str, str, Path], Awaitable[Model]]
"""Loads (name, version, file); raises ModelFailed."""


class State(StrEnum):
    """How far a model has come."""

    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One name's deployed version; `model` is there exactly when it is ready."""

    name: str
    version: str
    state: State
    model: Model | None = None
    detail: str = ""


class Deployments:
    """At most one version a name. A version that fails to load leaves the one before in place."""

    def __init__(self, folder: ModelFolder, load: Load, metrics: Metrics) -> None:
        self.folder = folder
        self._load, self._metrics = load, metrics
        self._current: dict[str, Deployment] = {}
        self._one_at_a_time = asyncio.Lock()

    def all(self) -> tuple[Deployment, ...]:
        """Every deployment, by name."""
        return tuple(self._current[name] for name in sorted(self._current))

    def serving(self, name: str, version: str | None = None) -> Model:
        """The model that answers; NotFound if none of that name and version is deployed, Unavailable until loaded."""
        deployment = self.get(name, version)
        if deployment.model is None:
            raise Unavailable(f"model {name!r} is {deployment.state}: {deployment.detail or 'try again'}")
        return deployment.model

    def get(self, name: str, version: str | None = None) -> Deployment:
        """The deployment of a name; NotFound if there is none, or another version is deployed."""
        deployment = self._current.get(name)
        if deployment is None:
            raise NotFound(f"no model {name!r} is deployed")
        if version not in {None, deployment.version}:
            raise NotFound(f"version {version!r} of model {name!r} is not deployed; {deployment.version!r} is")
        return deployment

    async def deploy(self, name: str, version: str | None = None) -> Deployment:
        """Load a version (the newest unless one is named) and put it in the place of what was there."""
        async with self._one_at_a_time:
            chosen, path = self.folder.find(name, version)
            announce = partial(Deployment, name=name, version=chosen)
            before = self._current.get(name)
            self._metrics.announced(name)
            if before is None or before.model is None:
                self._current[name] = announce(state=State.LOADING)
            try:
                model = await self._load(name, chosen, path)
            except ModelFailed as problem:
                if self._current[name].model is None:
                    self._current[name] = announce(state=State.FAILED, detail=str(problem))
                raise
            self._metrics.deployed(model)
            self._current[name] = announce(state=State.READY, model=model)
            return self._current[name]

    async def deploy_all(self) -> None:
        """Deploy the newest version of everything in the folder; what fails to load stays, marked as failed."""
        for name in self.folder.names():
            version, _ = self.folder.find(name)
            self._metrics.announced(name)
            self._current[name] = Deployment(name=name, version=version, state=State.LOADING)
        for deployment in self.all():
            try:
                await self.deploy(deployment.name, deployment.version)
            except ModelFailed as problem:
                _LOG.error("%s", problem)

    async def withdraw(self, name: str) -> None:
        """Forget a deployment; requests that already have its model end in peace. NotFound if there is none."""
        async with self._one_at_a_time:
            self.get(name)
            del self._current[name]
            self._metrics.withdrawn(name)
