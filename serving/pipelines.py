"""Pipelines: a batch of inputs run through one model, one after the other, in the background.

They share the workers with live requests, holding one at most, and live in memory: a restart forgets them. The
newest `KEPT` are remembered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from serving.errors import NotFound, ServingError, Unavailable

KEPT = 100
MOST_INPUTS = 10_000

Input = Sequence[Any] | Mapping[str, Sequence[Any]]
RunOne = Callable[[str, Input], Awaitable[dict[str, Any]]]
"""Runs one input through the named model; raises ServingError."""


class Stage(StrEnum):
    """How far a pipeline has come."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(slots=True, kw_only=True)
class Pipeline:
    """One batch; `results` has an answer for each input that is done, in order."""

    id: str
    model_id: str
    total: int
    started_at: datetime
    stage: Stage = Stage.RUNNING
    ended_at: datetime | None = None
    detail: str = ""
    results: list[dict[str, Any]] = field(default_factory=list)


class Pipelines:
    """Starts and remembers pipelines; used from one event loop."""

    def __init__(self, run_one: RunOne, *, now: Callable[[], datetime]) -> None:
        self._run_one, self._now = run_one, now
        self._known: dict[str, Pipeline] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Semaphore(1)

    def start(self, model_id: str, inputs: Sequence[Input]) -> Pipeline:
        """Begin a batch and return at once; Unavailable while `KEPT` are running already."""
        self._make_room()
        pipeline = Pipeline(id=uuid4().hex, model_id=model_id, total=len(inputs), started_at=self._now())
        self._known[pipeline.id] = pipeline
        task = asyncio.get_running_loop().create_task(self._run(pipeline, inputs))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return pipeline

    def get(self, pipeline_id: str) -> Pipeline:
        """A pipeline that is remembered; NotFound otherwise."""
        if pipeline_id not in self._known:
            raise NotFound(f"there is no pipeline {pipeline_id!r}; the newest {KEPT} are remembered")
        return self._known[pipeline_id]

    async def close(self) -> None:
        """End what still runs."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _make_room(self) -> None:
        if len(self._known) < KEPT:
            return
        oldest = next((p.id for p in self._known.values() if p.stage is not Stage.RUNNING), None)
        if oldest is None:
            raise Unavailable(f"{KEPT} pipelines are running, which is all there is room for")
        del self._known[oldest]

    async def _run(self, pipeline: Pipeline, inputs: Sequence[Input]) -> None:
        stage, detail = Stage.FAILED, "interrupted; the server's log says why"
        try:
            async with self._turn:
                for one in inputs:
                    pipeline.results.append(await self._run_one(pipeline.model_id, one))
            stage, detail = Stage.SUCCEEDED, ""
        except ServingError as problem:
            detail = f"input {len(pipeline.results)}: {problem}"
        finally:
            pipeline.stage, pipeline.detail, pipeline.ended_at = stage, detail, self._now()
