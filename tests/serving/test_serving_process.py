"""The real process: its metrics as Prometheus reads them, its start, its end, and the recorded sample of its metrics."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from serving.__main__ import main
from tests.conftest import StartPrometheus
from tests.exposition import names_and_labels
from tests.servers import program, wait_until
from tests.serving_process import ServingProcess

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "serving_metrics.txt"
BLANK = [[0.0] * 64]
STARTUP_FAILURE = 3  # of uvicorn
INFER = {"inputs": [{"name": "image", "shape": [1, 64], "datatype": "FP32", "data": BLANK}]}


@pytest.fixture(scope="module")
def vision(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServingProcess]:
    """A server that answered some requests well and some badly."""
    with ServingProcess(tmp_path_factory.mktemp("serving"), "--service=vision") as server:
        with httpx.Client(base_url=server.url, timeout=10) as http:
            for _ in range(5):
                http.post("/predict", json={"model_id": "digits", "input_data": BLANK}).raise_for_status()
                http.post("/v2/models/digits/infer", json=INFER).raise_for_status()
            http.post("/predict", json={"model_id": "digits", "input_data": [[1.0]]})
            http.post("/predict", json={"model_id": "absent", "input_data": BLANK})
            http.post("/predict", content=b"{")
            http.get("/no/such/path")
            http.get("/health").raise_for_status()
        yield server


def test_prometheus_own_linter_has_no_complaint(vision: ServingProcess, prometheus_installed: None) -> None:
    checked = subprocess.run(
        [program("promtool"), "check", "metrics"],
        input=vision.exposition(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_a_real_prometheus_scrapes_the_load_and_the_errors(
    vision: ServingProcess, start_prometheus: StartPrometheus
) -> None:
    target = f"{{targets: ['127.0.0.1:{vision.port}']}}"
    prometheus = start_prometheus(
        f"scrape_configs: [{{job_name: models, scrape_interval: 1s, static_configs: [{target}]}}]"
    )
    prometheus.wait_for("up == 1")
    found = prometheus.wait_for('sum by (status) (ai_requests_total{service="vision",model="digits"})')
    counts = {row["metric"]["status"]: float(row["value"][1]) for row in found}
    assert counts == {"200": 10, "400": 1, "500": 0, "503": 0}
    startup = prometheus.wait_for('ai_startup_seconds{service="vision"}')
    assert 0.1 < float(startup[0]["value"][1]) < 60


def test_the_recorded_sample_has_the_metrics_and_labels_of_the_server(vision: ServingProcess) -> None:
    """What other parts test against; `UPDATE_GOLDEN=1` records it anew."""
    shown = vision.exposition()
    if os.environ.get("UPDATE_GOLDEN") == "1":
        SAMPLE.write_text(shown, encoding="utf-8")
    recorded = SAMPLE.read_text(encoding="utf-8")
    assert names_and_labels(recorded) == names_and_labels(shown)
    assert _ours(recorded) == _ours(shown)


def _ours(exposition: str) -> set[tuple[str, str, str]]:
    """Type, name and help text of every metric of ours."""
    families = text_string_to_metric_families(exposition)
    return {(f.type, f.name, f.documentation) for f in families if f.name.startswith("ai_")}


def test_sigterm_first_says_not_ready_and_then_ends(tmp_path: Path) -> None:
    with ServingProcess(tmp_path, "--drain-seconds=1") as server:
        os.kill(server.pid, signal.SIGTERM)

        def ready() -> httpx.Response:
            return httpx.get(f"{server.url}/ready")

        wait_until(lambda: ready().status_code == 503, within_s=0.8, what="not ready")
        assert ready().json()["detail"] == "the server is about to stop"
        assert httpx.get(f"{server.url}/health").status_code == 200
        answer = httpx.post(f"{server.url}/predict", json={"model_id": "digits", "input_data": BLANK})
        assert answer.status_code == 200, "what still comes is still answered"
        assert 'ai_ready{model="digits",service="serving"} 0.0' in server.exposition()
        process = server._process
        assert process is not None
        assert process.wait(10) in {0, -signal.SIGTERM}
    assert server.log.read_text() == ""


@pytest.mark.parametrize(
    "flags,told",
    [
        (["--models", "no-such-folder"], "models: 'no-such-folder' is no folder; name one that holds NAME/VERSION/"),
        (["--workers", "0"], "workers: 0 is too small; give at least 1"),
        (["--service-time-ms", "-5"], "is negative; give 0 or more"),
        (["--service", " "], "service: ' ' is not usable; give the name"),
        (["--port", "many"], "argument --port: invalid port value: 'many'"),
        (["--port", "99999"], "99999 is no port; give 0 to 65535"),
    ],
)
def test_a_wrong_command_line_is_told_in_one_line(
    flags: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main(flags)
    except SystemExit as ended:  # how argparse ends a program
        code = int(str(ended.code))
    assert code == 2
    assert told in capsys.readouterr().err.splitlines()[-1]


def test_a_port_in_use_is_told_and_no_server_runs(vision: ServingProcess) -> None:
    command = [sys.executable, "-m", "serving", f"--port={vision.port}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == STARTUP_FAILURE
    assert "address already in use" in done.stderr
    assert "Traceback" not in done.stderr
