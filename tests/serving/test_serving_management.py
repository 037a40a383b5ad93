"""Models come and go without a restart; only ONNX files of the models folder are ever opened."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import pytest
from onnx import TensorProto

from serving.errors import BadInput, NotFound
from serving.folder import ModelFolder
from serving.settings import bundled_models
from tests.serving.conftest import Live, Serve, one_node, put


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A models folder with two versions of one model."""
    models = tmp_path / "models"
    put(models, "square", one_node("Identity", TensorProto.FLOAT, "n"), version="9")
    put(models, "square", one_node("Neg", TensorProto.FLOAT, "n"), version="10")
    return models


def answer(live: Live) -> object:
    return live.http.post("/predict", json={"model_id": "square", "input_data": [3.0]}).json().get("outputs")


def test_the_newest_version_is_served_and_another_can_take_its_place(serve: Serve, folder: Path) -> None:
    live = serve(models=folder)
    assert answer(live) == {"y": [-3.0]}, "10 is newer than 9"
    deployed = live.http.post("/models/square/deploy", json={"version": "9"}).json()
    assert (deployed["id"], deployed["version"], deployed["state"]) == ("square", "9", "ready")
    assert answer(live) == {"y": [3.0]}
    assert live.http.get("/v2/models/square/versions/10").status_code == 404
    assert live.http.post("/models/square/deploy").json()["version"] == "10"
    shown = live.http.get("/models").json()
    assert shown["available"] == [{"id": "square", "versions": ["9", "10"]}]
    assert [(one["id"], one["version"]) for one in shown["deployed"]] == [("square", "10")]
    assert 'version="10"' in live.http.get("/metrics").text
    assert 'version="9"' not in live.http.get("/metrics").text


def test_a_withdrawn_model_is_gone_and_comes_back(serve: Serve, folder: Path) -> None:
    live = serve(models=folder)
    answer(live)
    assert live.value("ai_ready", model="square") == 1
    assert live.http.delete("/models/square").status_code == 204
    assert live.http.delete("/models/square").status_code == 404
    assert live.http.get("/ready").json()["detail"] == "no model is deployed"
    assert live.http.get("/v2/health/ready").status_code == 503
    assert live.value("ai_ready", model="square") is None, "no longer served here is not 'served by none'"
    counted = {"endpoint": "/predict", "model": "square", "status": "200"}
    assert live.grows_to(1, "ai_requests_total", **counted), "counters stay"
    assert live.http.post("/models/square/deploy").status_code == 200
    assert live.http.get("/ready").status_code == 200
    assert live.value("ai_ready", model="square") == 1


def test_a_model_put_there_later_can_be_deployed(serve: Serve, folder: Path) -> None:
    live = serve(models=folder)
    assert live.http.post("/models/digits/deploy").status_code == 404
    shutil.copytree(bundled_models() / "digits", folder / "digits")
    assert live.http.post("/models/digits/deploy").json()["state"] == "ready"
    assert live.value("ai_requests_total", endpoint="/predict", model="digits", status="500") == 0


def test_a_broken_file_is_told_and_what_was_served_stays(serve: Serve, folder: Path) -> None:
    live = serve(models=folder)
    broken = folder / "square" / "11" / "model.onnx"
    broken.parent.mkdir()
    broken.write_bytes(pickle.dumps({"not": "a model"}))
    failed = live.http.post("/models/square/deploy")
    assert failed.status_code == 500
    assert failed.json()["detail"].startswith("model 'square' version 11 could not be loaded: ")
    assert answer(live) == {"y": [-3.0]}
    assert live.http.get("/ready").status_code == 200


def test_a_server_that_cannot_load_all_its_models_is_not_ready_and_says_why(serve: Serve, folder: Path) -> None:
    (folder / "square" / "10" / "model.onnx").write_bytes(b"no model")
    live = serve(models=folder)
    assert live.http.get("/startup").status_code == 200
    assert live.http.get("/health").status_code == 200
    not_ready = live.http.get("/ready")
    assert not_ready.status_code == 503
    assert "model 'square' version 10 could not be loaded" in not_ready.json()["detail"]
    assert live.http.get("/v2/models/square/ready").status_code == 503
    refused = live.http.post("/predict", json={"model_id": "square", "input_data": [1.0]})
    assert (refused.status_code, "could not be loaded" in refused.json()["detail"]) == (503, True)
    assert live.value("ai_ready", model="square") == 0
    assert live.value("ai_startup_seconds") is None, "it never became ready"
    live.http.post("/models/square/deploy", json={"version": "9"}).raise_for_status()
    assert live.http.get("/ready").status_code == 200


def test_a_model_that_json_cannot_feed_is_refused(serve: Serve, folder: Path) -> None:
    put(folder, "half", one_node("Identity", TensorProto.FLOAT16, 1))
    live = serve(models=folder)
    assert "tensor 'x' is tensor(float16), which has no form in JSON" in live.http.get("/ready").json()["detail"]


@pytest.mark.parametrize("name", ["..", "../models", "/etc", "a/b", "", "-x", "x" * 65, "a\n", "é"])
def test_a_name_cannot_lead_out_of_the_folder(folder: Path, name: str) -> None:
    with pytest.raises(BadInput, match="is no name of a model"):
        ModelFolder(folder).find(name)


@pytest.mark.parametrize("version", ["..", "../../outside/1", "8", "9/", "010", "*"])
def test_a_version_cannot_lead_out_of_the_folder(folder: Path, version: str) -> None:
    with pytest.raises(NotFound, match="it has 9, 10"):
        ModelFolder(folder).find("square", version)


def test_a_link_cannot_lead_out_of_the_folder(folder: Path, tmp_path: Path) -> None:
    outside = put(tmp_path / "outside", "secret", one_node("Neg", TensorProto.FLOAT, "n"))
    (folder / "linked").symlink_to(outside.parents[1], target_is_directory=True)
    (folder / "square" / "12").mkdir()
    (folder / "square" / "12" / "model.onnx").symlink_to(outside)
    assert ModelFolder(folder).names() == ("square",)
    assert ModelFolder(folder).versions("square") == ("9", "10")


@pytest.mark.parametrize("path", ["/models/..%2fsquare/deploy", "/models/%2e%2e/deploy", "/models/a%00b/deploy"])
def test_a_path_cannot_lead_out_of_the_folder(steady: Live, path: str) -> None:
    assert steady.http.post(path).status_code in {400, 404}


def test_a_wrong_body_of_deploy_is_a_problem(steady: Live) -> None:
    answered = steady.http.post("/models/digits/deploy", json={"version": "../1"})
    assert (answered.status_code, answered.json()["errors"][0]["pointer"]) == (400, "#/version")
