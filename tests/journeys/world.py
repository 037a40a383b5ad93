"""A small world on real servers: one workload with days of recorded load behind it, and Trimtab over it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from domain.workload import ScaleTarget, Workload
from monitor.profiles import PROFILES
from monitor.recorded import read_trace
from rules import RuleOptions, render
from tests.servers import Prometheus, Server, backfill, backfill_rules, get_json
from trimtab.demo.exposition import Served, scrapes
from trimtab.demo.runtimes import Recorded, openmetrics
from trimtab.files import write_artifacts
from trimtab.settings_file import parse_settings
from trimtab.wiring import Program, build

TRACE = Path(__file__).resolve().parents[2] / "examples" / "traces" / "azfn_bd33.csv.gz"
NAME = "vision:digits"
LABELS = {"service": "vision", "model": "digits"}
DAYS = 8
CAPACITY_RPS = 4.0
REPLICAS = 24
TARGET = (
    Workload(id=NAME, runtime="trimtab-serving", labels=LABELS, target=ScaleTarget(name="digits", namespace="vision")),
    PROFILES["trimtab-serving"],
)
SERVED = Served(replicas=REPLICAS, capacity_rps=CAPACITY_RPS, service_s=0.2, slo_s=0.5)
# Long enough for the first run of the compiled loops on a machine that has none of them cached.
FIRST_CYCLE_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """Blocks that hold `DAYS` of load, latency, errors and replicas, recorded series included, up to `end`."""

    data: Path
    end: datetime

    def copy_to(self, folder: Path) -> Path:
        """The same blocks for a server of its own."""
        return Path(shutil.copytree(self.data, folder / "data"))


def make_past(folder: Path, end: datetime) -> Past:
    """The end of a real trace, moved so that it ends at `end`, as metrics of our model server."""
    load = read_trace(TRACE).requests
    recent = load.since(load.end - timedelta(days=DAYS))
    labels = {**LABELS, "job": "serving", "instance": "before"}
    recorded = Recorded(labels=labels, seen=scrapes(recent, end.timestamp()), served=SERVED)
    data = backfill("\n".join(openmetrics([("trimtab-serving", recorded)])) + "\n", folder / "data")
    write_artifacts(folder / "rules", render((TARGET,), (), RuleOptions(interval=timedelta(minutes=1))))
    with Prometheus(folder / "backfill", data=data) as server:
        rules = folder / "rules" / "recorded-trimtab-serving.rules.yml"
        for day in range(DAYS):  # a day at a time, below Prometheus' 11,000 points of a query
            start = end - timedelta(days=DAYS - day)
            backfill_rules(server, rules, start=start, end=start + timedelta(days=1) - timedelta(seconds=1))
    return Past(data=data, end=end)


def whole_minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def settings_text(prometheus: str, folder: Path, **more: Any) -> str:
    """Settings for the one workload; `more` are further sections, and `workload` further fields of it."""
    workload = {
        "id": NAME,
        "match": LABELS,
        "capacity_rps": CAPACITY_RPS,
        "time_to_ready_s": 90,
        "replicas": REPLICAS,
        "mode": "dedicated",
        "offer": "c6i.large",
        "resources": {"cpu_cores": 1.8, "memory_gib": 3, "model_gib": 0.3},
        "bounds": {"min_replicas": 1, "max_replicas": 60},
        "target": {"name": "digits", "namespace": "vision"},
    } | more.pop("workload", {})
    content = {
        "prometheus": {"url": prometheus},
        "history": {"lookback_days": DAYS, "step_s": 300},
        "workloads": [{key: value for key, value in workload.items() if value is not None}],
        "store": {"url": f"sqlite:///{folder / 'trimtab.db'}"},
        **more,
    }
    return yaml.safe_dump(content)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self, start: datetime) -> None:
        self.now = start.astimezone(UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


def program(text: str, folder: Path, clock: Clock) -> Program:
    """The whole program on these settings, wired as `trimtab serve` wires it."""
    return build(parse_settings(text, name="settings", base=folder), clock=clock)


class TrimtabServer(Server):
    """`trimtab serve`; ready once it has answered, which is before its first cycle has ended."""

    ready_path = "/health"

    def __init__(self, folder: Path, text: str, *, port: int | None = None) -> None:
        super().__init__(folder, port=port)
        self.config = folder / "trimtab.yaml"
        self.config.write_text(text, encoding="utf-8")

    def command(self) -> Sequence[str]:
        return (sys.executable, "-m", "trimtab", "serve", "--config", str(self.config), "--port", str(self.port))

    def recommendation(self) -> dict[str, Any]:
        """The newest one of the workload."""
        (found,) = get_json(f"{self.url}/recommendations", workload=NAME)["items"]
        return dict(found)
