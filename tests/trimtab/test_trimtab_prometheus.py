"""The cycle against a real Prometheus that is killed in the middle of it, and comes back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.asgi_server import AsgiServer
from tests.conftest import StartPrometheus
from tests.servers import Prometheus, backfill, get_json
from trimtab.api.deps import Deps
from trimtab.app import create_app
from trimtab.selfmetrics import registry_of
from trimtab.settings_file import parse_settings
from trimtab.tables import write
from trimtab.wiring import Program, build

DAYS, STEP_S = 9, 300
ODD = 'rank"er\\ü'  # a model name with a quote, a backslash and an umlaut
HOLDS_A_NUMBER = "trimtab_recommended_replicas"

pytestmark = pytest.mark.servers


def escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def history(end: datetime) -> str:
    """Nine days of the recorded series of a workload that has a day, and one whose name is odd; each seen by a scrape."""
    steps = DAYS * 86400 // STEP_S
    times = end.timestamp() - STEP_S * np.arange(steps)[::-1]
    load = 20 + 15 * np.sin(2 * np.pi * times / 86400) + np.random.default_rng(7).normal(0, 1, steps)
    made = {
        "service_model:ai_requests:rate5m": load,
        "service_model:ai_request_errors:ratio_rate5m": load * 0,
        "service_model:ai_replicas_ready:count": load * 0 + 12,
    }
    lines = []
    for name, values in made.items():
        lines.append(f"# TYPE {name} gauge")
        for model in ("ranker", escaped(ODD)):
            labels = f'{{service="shop",model="{model}"}}'
            lines += [f"{name}{labels} {value:.4f} {moment:.0f}" for value, moment in zip(values, times, strict=True)]
    lines.append("# TYPE ai_requests counter")
    for model in ("ranker", escaped(ODD)):
        labels = f'{{service="shop",model="{model}",endpoint="/predict",status="200"}}'
        lines += [f"ai_requests_total{labels} {100 + n} {moment:.0f}" for n, moment in enumerate(times[-3:])]
    return "\n".join([*lines, "# EOF", ""])


@dataclass
class Running:
    """Our program against a real Prometheus, and its API."""

    program: Program
    prometheus: Prometheus
    api: AsgiServer
    now: datetime
    clock: list[datetime]  # what the program reads, in a box that the test can change

    def item(self, workload: str = "shop:ranker") -> Any:
        (found,) = self.api.client.get("/recommendations", params={"workload": workload}).json()["items"]
        return found

    def metrics(self) -> str:
        return self.api.client.get("/metrics").text


@pytest.fixture
def running(start_prometheus: StartPrometheus, tmp_path: Path) -> Iterator[Running]:
    end = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
    prometheus = start_prometheus(data=backfill(history(end), tmp_path / "blocks"))
    settings = parse_settings(
        f"""
prometheus: {{url: '{prometheus.url}'}}
history: {{lookback_days: 8}}
defaults: {{capacity_rps: 4, time_to_ready_s: 60, service_time_ms: 200, mode: dedicated, offer: m5.large}}
emit: {{dir: out}}
""",
        name="test",
        base=tmp_path,
    )
    clock = [end]
    program = build(settings, clock=lambda: clock[0])
    deps = Deps(
        recommendations=program.recommendations,
        journal=program.journal,
        proofs=program.prover.store,
        clock=program.clock,
        registry=registry_of(program.recommendations, program.journal, program.clock),
    )
    with AsgiServer(create_app(deps)) as api:
        made = Running(program=program, prometheus=prometheus, api=api, now=end, clock=clock)
        yield made
    program.database.close()


def tick(running: Running, minutes: int) -> None:
    """Run a cycle some minutes later."""
    running.now += timedelta(minutes=minutes)
    running.clock[0] = running.now
    running.program.cycle.run(now=running.now)


def test_killed_in_the_middle_of_a_cycle_the_last_good_stays_and_a_restart_needs_no_help(running: Running) -> None:
    tick(running, 0)
    good = running.item()
    assert (good["kind"], good["status"]) == ("act", "open")
    assert good["replicas"] >= 1
    followed = f'{HOLDS_A_NUMBER}{{workload="shop:ranker"}} {good["replicas"]:.1f}'
    assert followed in running.metrics()

    killed = threading.Event()

    def kill(said: str) -> None:
        if said.startswith("reading the history"):
            running.prometheus.kill()
            killed.set()

    running.program.cycle.progress = kill
    tick(running, 5)
    assert killed.is_set()
    held = running.item()
    assert (held["status"], held["age_seconds"], held["replicas"]) == ("held", 300, good["replicas"])
    assert held["id"] == good["id"]
    assert running.prometheus.url in held["held"]["reason"]
    assert followed in running.metrics()
    assert 'state="held"' in running.metrics()

    running.clock[0] = running.now + timedelta(hours=7)
    assert running.item()["status"] == "expired"
    assert HOLDS_A_NUMBER + "{" not in running.metrics()

    running.program.cycle.progress = lambda _: None
    running.prometheus.start()
    tick(running, 5)
    assert running.item()["status"] == "open"
    assert running.item()["id"] != good["id"]


def test_a_label_with_quotes_and_unicode_is_a_workload_like_any_other(running: Running) -> None:
    tick(running, 0)
    odd = running.item(f"shop:{ODD}")
    assert odd["kind"] == "act"
    assert odd["replicas"] == running.item()["replicas"]
    assert running.api.client.get(f"/workloads/shop:{ODD}").json()["labels"] == {"service": "shop", "model": ODD}
    assert ODD in write("markdown", running.program.recommendations.newest(), running.now)
    assert ODD.replace('"', "&#34;") in running.api.client.get("/").text
    rules = list((running.program.settings.emit.dir or Path()).glob("rules/workload-*.rules.yml"))
    assert len(rules) == 2
    assert get_json(f"{running.prometheus.url}/api/v1/status/buildinfo")["status"] == "success"
