"""The test servers keep their promises: real, on loopback, restartable, gone afterwards."""

from __future__ import annotations

import os
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.conftest import StartAlertmanager, StartPrometheus
from tests.servers import Alertmanager, Prometheus, Reply, Scripted, Webhook, answers, backfill

pytestmark = pytest.mark.servers

TICK = datetime(2026, 1, 5, tzinfo=UTC)
ONE_COUNTER = "# TYPE hits counter\n" + "".join(
    f"hits_total {60 * i} {TICK.timestamp() + 60 * i:.0f}\n" for i in range(10)
)


def test_backfilled_blocks_are_served_and_survive_a_restart(start_prometheus: StartPrometheus, tmp_path: Path) -> None:
    server = start_prometheus(data=backfill(f"{ONE_COUNTER}# EOF\n", tmp_path / "blocks"))
    at = datetime.fromtimestamp(TICK.timestamp() + 540, UTC)
    assert server.query("hits_total", at=at)[0]["value"][1] == "540"
    server.kill()
    assert not answers(f"{server.url}/-/ready")
    server.start()
    assert server.query("rate(hits_total[5m])", at=at)[0]["value"][1] == "1"


def test_a_server_is_gone_when_its_block_ends(tmp_path: Path, prometheus_installed: None) -> None:
    with Prometheus(tmp_path / "p") as server:
        pid = server.pid
    assert not answers(f"{server.url}/-/ready")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_server_that_cannot_start_says_why(tmp_path: Path, prometheus_installed: None) -> None:
    with pytest.raises(RuntimeError, match="no_such_field"):
        Prometheus(tmp_path / "p", "no_such_field: 1\n").start()


def test_an_alert_reaches_the_webhook(start_alertmanager: StartAlertmanager, webhook: Webhook) -> None:
    config = (
        "route: {receiver: hook, group_wait: 0s, group_interval: 1s}\n"
        f"receivers: [{{name: hook, webhook_configs: [{{url: '{webhook.url}'}}]}}]\n"
    )
    server: Alertmanager = start_alertmanager(config)
    request = urllib.request.Request(
        f"{server.url}/api/v2/alerts",
        data=b'[{"labels":{"alertname":"Trial"}}]',
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=5):
        pass
    post = webhook.wait_for(lambda body: body["status"] == "firing")
    assert post["alerts"][0]["labels"]["alertname"] == "Trial"


def test_a_scripted_server_remembers_what_it_was_asked() -> None:
    with Scripted(lambda asked: Reply(body=asked.path.encode())) as server:
        with urllib.request.urlopen(f"{server.url}/hello", timeout=5) as answer:
            assert answer.read() == b"/hello"
        assert [asked.path for asked in server.asked] == ["/hello"]
