"""`POST /predict`."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from serving.measure import CurrentCall
from serving.predict import PredictRequest, PredictResponse, predict
from serving.problems import documented
from serving.state import ThisServer

router = APIRouter(tags=["inference"])


@router.post("/predict", response_model=PredictResponse, responses=documented(400, 404, 413, 500, 503))
async def predict_(body: PredictRequest, server: ThisServer, call: CurrentCall) -> JSONResponse:
    """Run one item or a list of items through a deployed model."""
    model = server.deployments.serving(body.model_id)
    call.concerns(model.name)
    return JSONResponse(await server.workers.run(partial(predict, model, body.input_data)))
