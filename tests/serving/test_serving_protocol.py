"""The Open Inference Protocol v2: health, metadata, inference and its error shape."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from onnx import TensorProto

from examples.models import make_digits
from tests.serving.conftest import Live, Serve, adding, one_node, put

BLANK = [0.0] * 64
IMAGE = {"name": "image", "shape": [1, 64], "datatype": "FP32", "data": BLANK}
METADATA = {
    "name": "digits",
    "versions": ["1"],
    "platform": "onnxruntime_onnx",
    "inputs": [{"name": "image", "datatype": "FP32", "shape": [-1, 64]}],
    "outputs": [
        {"name": "label", "datatype": "INT64", "shape": [-1]},
        {"name": "probabilities", "datatype": "FP32", "shape": [-1, 10]},
    ],
}


def test_health_and_metadata(steady: Live) -> None:
    for path in ("live", "ready"):
        answer = steady.http.get(f"/v2/health/{path}")
        assert (answer.status_code, answer.json()["live"]) == (200, True)
    about = {"name": "trimtab-serving", "version": version("trimtab"), "extensions": []}
    assert steady.http.get("/v2").json() == about
    for path in ("/v2/models/digits", "/v2/models/digits/versions/1"):
        assert steady.http.get(path).json() == METADATA
        ready = steady.http.get(f"{path}/ready")
        assert (ready.status_code, ready.json()) == (200, {"name": "digits", "ready": True})


@pytest.mark.parametrize("path", ["/v2/models/digits/infer", "/v2/models/digits/versions/1/infer"])
def test_inference_answers_what_scikit_learn_answers_and_returns_the_id(steady: Live, path: str) -> None:
    digits = make_digits.train()
    tensor = {**IMAGE, "shape": [3, 64], "data": digits.pixels[:3].tolist()}
    answer = steady.http.post(path, json={"id": "a/1", "inputs": [tensor]}).json()
    assert (answer["id"], answer["model_name"], answer["model_version"]) == ("a/1", "digits", "1")
    label, probabilities = answer["outputs"]
    assert label == {
        "name": "label",
        "shape": [3],
        "datatype": "INT64",
        "data": digits.pipeline.predict(digits.pixels[:3]).tolist(),
    }
    assert (probabilities["shape"], probabilities["datatype"]) == ([3, 10], "FP32")
    wanted = digits.pipeline.predict_proba(digits.pixels[:3]).reshape(-1)
    assert probabilities["data"] == pytest.approx(wanted, abs=1e-4)


def test_without_an_id_none_is_made_up_and_only_wanted_outputs_are_sent(steady: Live) -> None:
    body = {"inputs": [{**IMAGE, "parameters": {"a": 1}}], "outputs": [{"name": "label"}], "parameters": {"b": True}}
    answer = steady.http.post("/v2/models/digits/infer", json=body).json()
    assert set(answer) == {"model_name", "model_version", "outputs"}
    assert [output["name"] for output in answer["outputs"]] == ["label"]


def test_several_tensors_of_any_datatype(serve: Serve, tmp_path: Path) -> None:
    put(tmp_path, "adding", adding())
    put(tmp_path, "same_text", one_node("Identity", TensorProto.STRING, "n"))
    put(tmp_path, "not", one_node("Not", TensorProto.BOOL, 2))
    live = serve(models=tmp_path)

    def infer(model: str, *tensors: dict[str, Any]) -> list[dict[str, Any]]:
        answer = live.http.post(f"/v2/models/{model}/infer", json={"inputs": tensors}).raise_for_status()
        outputs: list[dict[str, Any]] = answer.json()["outputs"]
        return outputs

    double = {"datatype": "FP64", "shape": [2]}
    summed, _ = infer("adding", {"name": "a", "data": [1, 2], **double}, {"name": "b", "data": [0.5, 1], **double})
    assert summed == {"name": "sum", "data": [1.5, 3.0], **double}
    text = {"datatype": "BYTES", "shape": [2], "data": ["ü", '"quoted"']}
    assert infer("same_text", {"name": "x", **text}) == [{"name": "y", **text}]
    logical = {"datatype": "BOOL", "shape": [2]}
    assert infer("not", {"name": "x", "data": [True, False], **logical}) == [
        {"name": "y", "data": [False, True], **logical}
    ]


@pytest.mark.parametrize(
    "changed,told",
    [
        ({"datatype": "FP64"}, "input 'image' is sent as FP64, the model takes FP32"),
        ({"shape": [2, 64]}, "says shape [2, 64] and sends 64 values"),
        ({"shape": [64]}, "has shape [64], the model takes [-1, 64]"),
        ({"shape": ["1", 64]}, "#/inputs/0/shape/0: Input should be a valid integer"),
        ({"name": "picture"}, "model 'digits' has no input 'picture'; it has image"),
        ({"data": [None] * 64}, "values that are no FP32"),
        ({"parameters": {"a": [1]}}, "#/inputs/0/parameters/a"),
    ],
)
def test_a_tensor_that_does_not_fit_is_a_400_in_the_shape_of_the_protocol(
    steady: Live, changed: dict[str, Any], told: str
) -> None:
    refused = {"endpoint": "/v2/models/{name}/infer", "model": "digits", "status": "400"}
    before = steady.value("ai_requests_total", **refused) or 0
    answer = steady.http.post("/v2/models/digits/infer", json={"inputs": [{**IMAGE, **changed}]})
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert told in answer.json()["error"]
    assert steady.grows_to(before + 1, "ai_requests_total", **refused)


@pytest.mark.parametrize(
    "body,told",
    [
        ({}, "#/inputs: Field required"),
        ({"inputs": []}, "the model takes the inputs ['image'], not []"),
        ({"inputs": [IMAGE, IMAGE]}, "input 'image' is sent twice"),
        ({"inputs": [IMAGE], "outputs": [{"name": "colour"}]}, "model 'digits' has no output 'colour'"),
        ({"inputs": [IMAGE], "id": 7}, "#/id: Input should be a valid string"),
    ],
)
def test_a_request_that_does_not_fit_is_a_400_in_the_shape_of_the_protocol(
    steady: Live, body: dict[str, Any], told: str
) -> None:
    answer = steady.http.post("/v2/models/digits/infer", json=body)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert told in answer.json()["error"]


@pytest.mark.parametrize(
    "method,path,status",
    [
        ("GET", "/v2/models/absent", 404),
        ("GET", "/v2/models/digits/versions/2", 404),
        ("GET", "/v2/models/absent/ready", 404),
        ("POST", "/v2/models/absent/infer", 404),
        ("POST", "/v2/models/digits/versions/7/infer", 404),
        ("GET", "/v2/nothing", 404),
        ("DELETE", "/v2/models/digits", 405),
    ],
)
def test_what_is_not_there_is_told_in_the_shape_of_the_protocol(
    steady: Live, method: str, path: str, status: int
) -> None:
    answer = steady.http.request(method, path, json={"inputs": [IMAGE]})
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert steady.value("ai_requests_in_flight", model="digits") == 0
