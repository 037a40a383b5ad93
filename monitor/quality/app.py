"""The exporter's HTTP surface: predictions and labels in, metrics and a readable summary out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from domain.unknown import Unknown
from monitor.quality import problems
from monitor.quality.metrics import QualityCollector
from monitor.quality.tracker import Quality, Tracker
from monitor.quality.windows import Prediction, Sizes

MOST_AT_ONCE = 10_000
MOST_FEATURES = 128
MOST_BODY_BYTES = 16 * 1024 * 1024

Identity = Annotated[StrictStr, Field(min_length=1, max_length=128)]
Label = Annotated[StrictBool | StrictInt | Annotated[StrictStr, Field(max_length=128)], Field()]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class PredictionIn(BaseModel):
    """What a model said: `label` its class, `score` its confidence, `features` what it was asked about."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Identity
    model: Identity
    service: Identity
    label: Label
    score: Finite | None = None
    features: Annotated[list[Finite], Field(min_length=1, max_length=MOST_FEATURES)] | None = None


class LabelIn(BaseModel):
    """What was true of the prediction with that id; 3 and "3" are the same label."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Identity
    label: Label


Predictions = Annotated[list[PredictionIn], Field(min_length=1, max_length=MOST_AT_ONCE)]
Labels = Annotated[list[LabelIn], Field(min_length=1, max_length=MOST_AT_ONCE)]


class Exporter:
    """A tracker, its registry and its clock (aware times)."""

    def __init__(self, sizes: Sizes, registry: CollectorRegistry, now: Callable[[], datetime]) -> None:
        self.tracker, self.registry, self.now = Tracker(sizes), registry, now
        registry.register(QualityCollector(self.tracker))
        ProcessCollector(registry=registry)


def _of_the_application(request: Request) -> Exporter:
    exporter: Exporter = request.app.state.exporter
    return exporter


ThisExporter = Annotated[Exporter, Depends(_of_the_application)]
router = APIRouter()


@router.post("/predictions", responses=problems.DOCUMENTED)
def predictions(body: Predictions, exporter: ThisExporter) -> dict[str, Any]:
    """Take predictions, all or none; an id that waits for its label already is not taken twice."""
    batch = [((one.service, one.model), _taken(one)) for one in body]
    again = exporter.tracker.predicted(batch)
    return {"accepted": len(batch) - len(again), "already_waiting": again}


def _taken(one: PredictionIn) -> Prediction:
    features = None if one.features is None else np.array(one.features, dtype=np.float64)
    return Prediction(id=one.id, label=str(one.label), score=one.score, features=features)


@router.post("/labels", responses=problems.DOCUMENTED)
def labels(body: Labels, exporter: ThisExporter) -> dict[str, Any]:
    """Join labels to the predictions that wait for them; `unmatched` are the ids that none waits for."""
    unmatched = exporter.tracker.labelled([(one.id, str(one.label)) for one in body], at=exporter.now())
    return {"joined": len(body) - len(unmatched), "unmatched": unmatched}


@router.get("/quality")
def quality(exporter: ThisExporter) -> dict[str, list[dict[str, Any]]]:
    """What is known of each model, and why the rest is not."""
    return {"models": [_as_json(one) for one in exporter.tracker.quality()]}


def _as_json(one: Quality) -> dict[str, Any]:
    known = {"service": one.service, "model": one.model, "predictions": one.predictions, "pairs": one.pairs}
    for name, value in (("accuracy", one.accuracy), ("drift", one.drift)):
        known[name] = {"unknown": value.reason} if isinstance(value, Unknown) else value
    return known


@router.delete("/quality/{service}/{model}", status_code=204, responses=problems.DOCUMENTED)
def forget(service: str, model: str, exporter: ThisExporter) -> Response:
    """Begin anew with a model: its next predictions become the reference. For a new version of it."""
    if not exporter.tracker.forget((service, model)):
        raise HTTPException(404, f"nothing is known of model {model!r} of service {service!r}")
    return Response(status_code=204)


@router.get("/health")
@router.get("/ready")
def health() -> dict[str, str]:
    """It has nothing to load: it is ready as soon as it answers."""
    return {"status": "ok"}


@router.get("/metrics", response_class=Response)
def metrics(exporter: ThisExporter) -> Response:
    """Prometheus text format."""
    return Response(generate_latest(exporter.registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)


def create_app(sizes: Sizes, registry: CollectorRegistry, now: Callable[[], datetime]) -> FastAPI:
    """The application; `now` gives aware times."""
    app = FastAPI(
        title="Trimtab model quality",
        version=version("trimtab"),
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.exporter = Exporter(sizes, registry, now)
    problems.install(app)
    app.add_middleware(problems.LimitBody, most=MOST_BODY_BYTES)
    app.include_router(router)
    return app
