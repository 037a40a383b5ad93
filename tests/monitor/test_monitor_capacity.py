"""From a real server under real load, through a real Prometheus, to what one replica is known to carry."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from benchmarks.openloop import offer
from domain.capacity import CapacityBasis, CapacityModel
from domain.load import LoadHistory
from domain.observation import Declared
from domain.unknown import Unknown
from domain.workload import Slo, Workload
from monitor.observe import observe
from monitor.prometheus import PrometheusSource
from optimizer.capacity import CapacityOptions, in_usual_requests, studied
from tests.servers import ModelServer, Prometheus

SECOND = timedelta(seconds=1)
WORKLOAD = Workload(
    id="shop:digits",
    runtime="trimtab-serving",
    labels={"service": "shop", "model": "digits"},
    slo=Slo(latency=timedelta(seconds=1)),
)
RATES_RPS = (5.0, 15.0)  # of the 50 that one worker of 20 ms can answer
EACH_S = 3.0


@pytest.mark.servers
def test_what_a_loaded_server_carries_is_seen_through_prometheus(tmp_path: Path, prometheus_installed: None) -> None:
    """Far below the knee: arrivals, latency and the version are those of the load, and the capacity a lower bound."""
    flags = ("--service", "shop", "--workers", "1", "--service-time-ms", "20")
    scrape = "global: {scrape_interval: 1s}\nscrape_configs: [{job_name: m, static_configs: [{targets: ['127.0.0.1:%d']}]}]\n"
    with (
        ModelServer(tmp_path / "serving", flags=flags) as model,
        Prometheus(tmp_path / "prometheus", scrape % model.port) as server,
    ):
        server.wait_for('ai_ready{service="shop"} == 1')
        levels = [(rate, EACH_S) for rate in RATES_RPS]
        began = datetime.now(UTC)
        offered = offer(f"{model.url}/predict", {"model_id": "digits", "input_data": [[0.5] * 64]}, levels, seed=1)
        time.sleep(1.5)  # the last scrape
        source = PrometheusSource(server.url, shortest_window=4 * SECOND)
        seen = observe(
            source,
            WORKLOAD,
            at=datetime.now(UTC),
            lookback=datetime.now(UTC) - began,
            step=SECOND,
            declared=Declared(time_to_ready=SECOND),
        )
    assert sum(level.failed for level in offered) == 0
    assert isinstance(seen.load, LoadHistory)
    assert isinstance(seen.latency, LoadHistory)
    assert isinstance(seen.waiting, LoadHistory)
    assert np.nanmax(seen.load.values) == pytest.approx(offered[-1].sent_rps, rel=0.5)
    assert 0.02 <= np.nanmax(seen.latency.values) < 1.0
    assert not isinstance(seen.versions, Unknown)
    assert [version.name for version in seen.versions] == ["1"]
    options = CapacityOptions(min_pairs=3)
    found = studied(in_usual_requests(seen, options), options).capacity
    assert isinstance(found, CapacityModel)
    assert found.basis is CapacityBasis.LOWER_BOUND
    assert 5.0 < found.rate_rps < 25.0
