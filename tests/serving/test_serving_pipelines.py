"""Pipelines run a batch in the background and say truly how far they are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from serving import pipelines
from tests.servers import wait_until
from tests.serving.conftest import Live, Serve

BLANK = [0.0] * 64


def start(live: Live, *inputs: Any) -> dict[str, Any]:
    answer = live.http.post("/pipelines/start", json={"model_id": "digits", "inputs": inputs})
    assert answer.status_code == 202, answer.text
    pipeline: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/pipelines/{pipeline['id']}/status"
    return pipeline


def status(live: Live, pipeline: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = live.http.get(f"/pipelines/{pipeline['id']}/status").json()
    return told


def ended(live: Live, pipeline: dict[str, Any]) -> dict[str, Any]:
    wait_until(lambda: status(live, pipeline)["status"] != "running", within_s=10, what="the pipeline's end")
    return status(live, pipeline)


def test_a_batch_gives_the_answers_that_predict_gives(live: Live) -> None:
    images = [BLANK, [[1.0] * 64, [2.0] * 64], {"image": [[16.0] * 64]}]
    told = ended(live, start(live, *images))
    assert (told["status"], told["done"], told["total"], told["detail"]) == ("succeeded", 3, 3, "")
    assert told["started_at"] == told["ended_at"] == "2024-03-01T12:00:00Z"
    results = live.http.get(f"/pipelines/{told['id']}/results").json()["results"]
    for image, result in zip(images, results, strict=True):
        predicted = live.http.post("/predict", json={"model_id": "digits", "input_data": image}).json()
        assert result == predicted
    assert live.value("ai_pipeline_items_total", model="digits", outcome="succeeded") == 3
    assert live.value("ai_request_arrivals_total", model="digits") == 3, "a batch is no request"


def test_a_failed_batch_names_the_input_and_keeps_what_was_done(live: Live) -> None:
    told = ended(live, start(live, BLANK, [1.0], BLANK))
    assert (told["status"], told["done"], told["total"]) == ("failed", 1, 3)
    assert told["detail"].startswith("input 1: input 'image' has shape [1, 1]")
    assert len(live.http.get(f"/pipelines/{told['id']}/results").json()["results"]) == 1
    assert live.value("ai_pipeline_items_total", model="digits", outcome="failed") == 1


def test_progress_shows_while_it_runs_and_results_must_wait(serve: Serve) -> None:
    live = serve(workers=1, service_time=timedelta(milliseconds=150))
    pipeline = start(live, BLANK, BLANK, BLANK)
    wait_until(lambda: status(live, pipeline)["done"] >= 1, within_s=5, what="a first result")
    early = live.http.get(f"/pipelines/{pipeline['id']}/results")
    assert (early.status_code, "is still running" in early.json()["detail"]) == (409, True)
    assert status(live, pipeline)["ended_at"] is None
    assert ended(live, pipeline)["status"] == "succeeded"


def test_only_the_newest_are_remembered(live: Live) -> None:
    first = ended(live, start(live, BLANK))
    for _ in range(pipelines.KEPT):
        last = start(live, BLANK)
    ended(live, last)
    assert live.http.get(f"/pipelines/{first['id']}/status").status_code == 404


def test_stopping_the_server_ends_a_batch(serve: Serve) -> None:
    live = serve(workers=1, service_time=timedelta(milliseconds=50))
    start(live, *[BLANK] * 1000)


@pytest.mark.parametrize(
    "body,code,told",
    [
        ({"model_id": "digits", "inputs": []}, 400, "#/inputs"),
        ({"model_id": "digits"}, 400, "#/inputs: Field required"),
        ({"model_id": "absent", "inputs": [BLANK]}, 404, "no model 'absent' is deployed"),
    ],
)
def test_a_wrong_start_is_a_problem(live: Live, body: dict[str, Any], code: int, told: str) -> None:
    answer = live.http.post("/pipelines/start", json=body)
    assert (answer.status_code, told in answer.json()["detail"]) == (code, True)
