"""The registry of services: who reports is listed, who stops is forgotten, and a real Prometheus finds its targets."""

from __future__ import annotations

from typing import Any

import pytest

from serving.errors import Unavailable
from serving.instances import MOST, Instances
from tests.conftest import StartPrometheus
from tests.serving.conftest import Live


def register(live: Live, url: str, **more: Any) -> int:
    return live.http.post("/services", json={"name": "vision", "url": url, **more}).status_code


def listed(live: Live) -> list[str]:
    return [one["url"] for one in live.http.get("/services").json()["services"]]


def test_an_instance_lives_as_long_as_it_reports(live: Live) -> None:
    assert register(live, "http://10.0.0.1:8080/") == 201
    assert register(live, "http://10.0.0.2:8080", ttl_seconds=60) == 201
    live.clock.ahead_s += 20
    assert register(live, "http://10.0.0.1:8080") == 200, "renewed"
    live.clock.ahead_s += 20
    assert listed(live) == ["http://10.0.0.1:8080", "http://10.0.0.2:8080"]
    live.clock.ahead_s += 15
    assert listed(live) == ["http://10.0.0.2:8080"]
    assert live.http.delete("/services/vision", params={"url": "http://10.0.0.2:8080"}).status_code == 204
    assert live.http.delete("/services/vision", params={"url": "http://10.0.0.2:8080"}).status_code == 404
    assert listed(live) == []


@pytest.mark.parametrize("url", ["ftp://a", "10.0.0.1:80", "http://", "http://user@a", "", "http://a:b:c]"])
def test_a_url_that_no_client_could_use_is_refused(steady: Live, url: str) -> None:
    assert register(steady, url) == 400
    assert listed(steady) == []


@pytest.mark.parametrize("ttl", [0, -1, 1e9, "soon"])
def test_a_senseless_time_to_live_is_refused(steady: Live, ttl: object) -> None:
    assert register(steady, "http://a", ttl_seconds=ttl) == 400


def test_memory_is_bounded_by_refusing_and_freed_by_time() -> None:
    now = 0.0
    registry = Instances(lambda: now)
    for i in range(MOST):
        registry.register("a", f"http://{i}", 10.0)
    with pytest.raises(Unavailable):
        registry.register("a", "http://one-more", 10.0)
    assert not registry.register("a", "http://0", 10.0), "a renewal needs no room"
    now = 11.0
    assert registry.register("a", "http://one-more", 10.0)
    assert len(registry.alive()) == 1


@pytest.mark.servers
def test_a_real_prometheus_discovers_what_is_registered(live: Live, start_prometheus: StartPrometheus) -> None:
    register(live, live.url)
    discovery = f"{{url: '{live.url}/services/targets', refresh_interval: 1s}}"
    prometheus = start_prometheus(
        f"scrape_configs: [{{job_name: found, scrape_interval: 1s, http_sd_configs: [{discovery}]}}]"
    )
    assert prometheus.wait_for('up{job="found"} == 1')[0]["metric"]["service"] == "vision"
