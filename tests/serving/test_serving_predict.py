"""`POST /predict`: answers of real models, and refusals as problem details."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from onnx import TensorProto

from examples.models import make_digits
from tests.servers import wait_until
from tests.serving.conftest import Live, Serve, adding, looking_up, one_node, put

BLANK = [0.0] * 64


def predict(live: Live, data: Any, model: str = "digits") -> httpx.Response:
    return live.http.post("/predict", json={"model_id": model, "input_data": data})


def test_it_answers_what_scikit_learn_answers(live: Live) -> None:
    digits = make_digits.train()
    answer = predict(live, digits.pixels.tolist()).raise_for_status().json()
    assert (answer["model_id"], answer["version"]) == ("digits", "1")
    assert answer["outputs"]["label"] == digits.pipeline.predict(digits.pixels).tolist()
    wanted = digits.pipeline.predict_proba(digits.pixels)[0]
    assert answer["outputs"]["probabilities"][0] == pytest.approx(wanted, abs=1e-4)


def test_one_item_is_answered_as_a_list_of_one(live: Live) -> None:
    assert predict(live, BLANK).json() == predict(live, [BLANK]).json()


def test_several_inputs_are_sent_by_name(serve: Serve, tmp_path: Path) -> None:
    put(tmp_path, "adding", adding())
    live = serve(models=tmp_path)
    answer = predict(live, {"a": [1.0, 2.0], "b": [3, 4]}, "adding")
    assert answer.json()["outputs"] == {"sum": [4.0, 6.0], "product": [3.0, 8.0]}
    assert predict(live, [1.0], "adding").json()["detail"] == (
        "model 'adding' has several inputs: send input_data as an object with a, b"
    )
    assert "takes the inputs ['a', 'b'], not ['a']" in predict(live, {"a": [1.0]}, "adding").json()["detail"]
    assert "has no input 'c'" in predict(live, {"a": [1.0], "c": [1.0]}, "adding").json()["detail"]


@pytest.mark.parametrize(
    "body,status,told",
    [
        ({"model_id": "digits", "input_data": [[1.0]]}, 400, "input 'image' has shape [1, 1]"),
        ({"model_id": "digits", "input_data": [["a"] * 64]}, 400, "values that are no FP32"),
        ({"model_id": "digits"}, 400, "#/input_data: Field required"),
        ({"model_id": 5, "input_data": [BLANK]}, 400, "#/model_id: Input should be a valid string"),
        ({"model_id": "digits", "input_data": [BLANK], "inputs": 1}, 400, "#/inputs: Extra inputs are not permitted"),
        ({"model_id": "absent", "input_data": [BLANK]}, 404, "no model 'absent' is deployed"),
        ({"model_id": "../digits", "input_data": [BLANK]}, 404, "no model '../digits' is deployed"),
        ([], 400, "#: Input should be a valid dictionary"),
    ],
)
def test_what_is_wrong_is_a_problem_that_names_it(steady: Live, body: object, status: int, told: str) -> None:
    answer = steady.http.post("/predict", json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"] in {"Bad Request", "Not Found"}
    assert told in problem["detail"]


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"", b"[" * 100_000, b'{"model_id": NaN, "input_data": [NaN]}'])
def test_what_is_no_json_is_a_bad_request(steady: Live, body: bytes) -> None:
    answer = steady.http.post("/predict", content=body)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


def test_a_body_beyond_the_limit_is_refused(serve: Serve) -> None:
    live = serve(max_body_bytes=10_000)
    assert predict(live, [BLANK]).status_code == 200
    answer = predict(live, [BLANK] * 100)
    assert (answer.status_code, answer.json()["detail"]) == (413, "a body may hold 10000 bytes")
    assert live.grows_to(1, "ai_requests_total", endpoint="/predict", model="", status="413")


def test_a_model_that_fails_is_a_500_and_the_server_goes_on(serve: Serve, tmp_path: Path) -> None:
    put(tmp_path, "looking_up", looking_up())
    put(tmp_path, "logarithm", one_node("Log", TensorProto.FLOAT, "n"))
    live = serve(models=tmp_path)
    assert predict(live, [0, 2], "looking_up").json()["outputs"] == {"y": [10.0, 30.0]}
    failed = predict(live, [7], "looking_up")
    assert (failed.status_code, failed.headers["content-type"]) == (500, "application/problem+json")
    assert failed.json()["detail"].startswith("model 'looking_up' failed: ")
    infinite = predict(live, [0.0], "logarithm")
    assert (infinite.status_code, infinite.json()["detail"]) == (
        500,
        "the model answered with a value in 'y' that is not a finite number",
    )
    assert predict(live, [1], "looking_up").status_code == 200
    assert live.grows_to(1, "ai_requests_total", endpoint="/predict", model="looking_up", status="500")


def test_the_stretched_service_time_and_the_workers_are_the_capacity(serve: Serve) -> None:
    live = serve(workers=2, service_time=timedelta(milliseconds=100))
    predict(live, BLANK)
    began = time.monotonic()
    with ThreadPoolExecutor(8) as callers:
        assert {answer.status_code for answer in callers.map(lambda _: predict(live, BLANK), range(8))} == {200}
    assert 0.4 <= time.monotonic() - began < 0.8, "8 requests, 2 at once, 0.1 s each"


def test_beyond_its_room_it_refuses_and_stays_responsive(serve: Serve) -> None:
    """One is worked on, one waits, the third is refused at once; probes are answered meanwhile; all are counted."""
    live = serve(workers=1, max_waiting=1, service_time=timedelta(milliseconds=400))
    in_flight = {"name": "ai_requests_in_flight", "model": "digits"}
    callers = [threading.Thread(target=predict, args=(live, BLANK)) for _ in range(2)]
    for caller in callers:
        caller.start()
    wait_until(lambda: live.value(**in_flight) == 2, within_s=2, what="two requests in flight")
    assert live.value("ai_request_arrivals_total", model="digits") == 2, "counted on arrival"
    assert live.value("ai_requests_total", endpoint="/predict", model="digits", status="200") == 0, "not yet answered"
    began = time.monotonic()
    refused = predict(live, BLANK)
    assert live.http.get("/health").status_code == 200
    assert time.monotonic() - began < 0.3
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert live.http.post("/models/digits/deploy").status_code == 200, "a busy server can still change its model"
    for caller in callers:
        caller.join()
    wait_until(lambda: live.value(**in_flight) == 0, within_s=2, what="nothing in flight")
    assert live.value("ai_requests_total", endpoint="/predict", model="digits", status="503") == 1
    assert live.value("ai_request_duration_seconds_bucket", endpoint="/predict", model="digits", le="0.25") == 1
