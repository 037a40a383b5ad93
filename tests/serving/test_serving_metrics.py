"""Every answer is counted under its route and status, whatever went wrong, and callers cannot make new series."""

from __future__ import annotations

import time

import httpx
import pytest

from serving.metrics import BUCKETS_S, INFERENCE_ENDPOINTS
from tests.serving.conftest import Live, Serve

BODY = {"model_id": "digits", "input_data": [[0.0] * 64]}


@pytest.mark.parametrize(
    "method,path,endpoint,status",
    [
        ("GET", "/health", "/health", "200"),
        ("GET", "/openapi.json", "/openapi.json", "200"),
        ("GET", "/nope/17", "unmatched", "404"),
        ("GET", "/predict/", "unmatched", "404"),
        ("GET", "/predict", "/predict", "405"),
        ("POST", "/predict", "/predict", "400"),
        ("GET", "/v2/models/x17", "/v2/models/{name}", "404"),
        ("GET", "/v2/models/x17/versions/3/ready", "/v2/models/{name}/versions/{version}/ready", "404"),
        ("POST", "/v2/models/x17/infer", "/v2/models/{name}/infer", "404"),
        ("DELETE", "/models/x17", "/models/{name}", "404"),
    ],
)
def test_a_request_is_counted_under_its_template(
    steady: Live, method: str, path: str, endpoint: str, status: str
) -> None:
    counted = {"endpoint": endpoint, "model": "", "status": status}
    before = steady.value("ai_requests_total", **counted) or 0
    answer = steady.http.request(method, path)
    assert answer.status_code == int(status)
    assert steady.grows_to(before + 1, "ai_requests_total", **counted)
    assert steady.value("ai_request_duration_seconds_count", endpoint=endpoint, model="")
    shown = steady.http.get("/metrics").text
    assert "x17" not in shown
    assert "/nope" not in shown


def test_series_of_known_outcomes_exist_before_their_first_event(live: Live) -> None:
    for endpoint in INFERENCE_ENDPOINTS:
        for status in ("200", "400", "500", "503"):
            assert live.value("ai_requests_total", endpoint=endpoint, model="digits", status=status) == 0
        assert live.value("ai_request_duration_seconds_count", endpoint=endpoint, model="digits") == 0
        assert live.value("ai_requests_total", endpoint=endpoint, model="", status="404") == 0
    assert live.value("ai_requests_total", endpoint="unmatched", model="", status="404") == 0
    assert live.value("ai_request_arrivals_total", model="digits") == 0
    assert live.value("ai_requests_in_flight", model="digits") == 0


def test_only_inference_counts_as_load_of_a_model(live: Live) -> None:
    live.http.get("/v2/models/digits")
    live.http.get("/v2/models/digits/ready")
    live.http.post("/models/digits/deploy")
    assert live.value("ai_request_arrivals_total", model="digits") == 0
    live.http.post("/predict", json=BODY)
    assert live.value("ai_request_arrivals_total", model="digits") == 1
    assert live.grows_to(1, "ai_requests_total", endpoint="/predict", model="digits", status="200")
    for edge in map(str, BUCKETS_S):
        bucket = live.value("ai_request_duration_seconds_bucket", endpoint="/predict", model="digits", le=edge)
        assert bucket is not None


def test_what_nobody_foresaw_is_a_counted_500_that_tells_nothing_of_the_inside(live: Live) -> None:
    def broken() -> None:
        raise RuntimeError("a secret of the inside")

    live.application.add_api_route("/broken", broken)
    live.application.add_api_route("/v2/broken", broken)
    # Each on a connection of its own: after an error that nobody foresaw uvicorn closes it.
    answer, of_protocol = httpx.get(f"{live.url}/broken"), httpx.get(f"{live.url}/v2/broken")
    assert answer.json() == {
        "status": 500,
        "title": "Internal Server Error",
        "detail": "the server failed; its log says why",
    }
    assert of_protocol.json() == {"error": "the server failed; its log says why"}
    assert live.grows_to(1, "ai_requests_total", endpoint="/broken", model="", status="500")


def test_startup_and_load_times_are_measured(live: Live) -> None:
    startup = live.value("ai_startup_seconds")
    load = live.value("ai_model_load_seconds", model="digits")
    assert startup is not None
    assert load is not None
    assert 1.0 < startup < 30.0, "the process began a second before the application was made"
    assert 0.0 < load < startup


def test_two_servers_in_one_process_share_no_metric(serve: Serve) -> None:
    one, other = serve(), serve()
    one.http.post("/predict", json=BODY)
    assert one.value("ai_request_arrivals_total", model="digits") == 1
    assert other.value("ai_request_arrivals_total", model="digits") == 0


def test_the_openapi_document_tells_the_error_shapes(live: Live) -> None:
    paths = live.http.get("/openapi.json").json()["paths"]
    assert "application/problem+json" in paths["/predict"]["post"]["responses"]["400"]["content"]
    assert "422" not in paths["/predict"]["post"]["responses"]
    assert "error" in str(paths["/v2/models/{name}/infer"]["post"]["responses"]["404"]["content"])


def test_a_counting_request_costs_little(live: Live) -> None:
    """A hundred health checks over one connection take well under a second, counting included."""
    began = time.monotonic()
    for _ in range(100):
        live.http.get("/health")
    assert time.monotonic() - began < 2.0
    assert live.grows_to(100, "ai_requests_total", endpoint="/health", model="", status="200")
