"""The servers of the demonstration, each on a free loopback port, with their files in one temporary folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from domain.signals import RuntimeProfile
from domain.workload import Workload
from rules import AlertmanagerOptions, PrometheusOptions, alertmanager, prometheus_config, render
from trimtab.demo.cast import REPLAYED
from trimtab.demo.processes import Child, Processes, executable, free_port
from trimtab.files import write_artifacts
from trimtab.rendering import rule_options
from trimtab.settings import Settings

# promtool asks for a week at a time: at less than 60 s that is over Prometheus' 11,000 points.
RULE_INTERVAL = timedelta(seconds=60)
MAX_DRIFT = 0.6  # the quality exporter's windows are so small here that 0.25 comes by chance
SCRAPE_INTERVAL = timedelta(seconds=3)  # so that nobody has to wait for what is live


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """One free loopback port for each server."""

    serving: int
    quality: int
    replayed: int
    prometheus: int
    alertmanager: int
    trimtab: int

    @classmethod
    def free(cls) -> Ports:
        """Ports that are free at this moment."""
        return cls(**{name: free_port() for name in cls.__slots__})


def at(port: int) -> str:
    """The address of a loopback port."""
    return f"http://127.0.0.1:{port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Starts servers into `processes`; knows where each listens."""

    folder: Path
    ports: Ports
    processes: Processes

    @classmethod
    def on(cls, folder: Path, processes: Processes) -> Stage:
        """A stage on ports that are free now."""
        return cls(folder=folder, ports=Ports.free(), processes=processes)

    def start_model(self, service: str, service_s: float) -> dict[str, Child]:
        """The real model server (its model made as slow as the example says) and the quality exporter, by readiness."""
        python = [sys.executable, "-m"]
        serving = self.processes.start(
            "serving",
            [
                *[*python, "serving", "--port", str(self.ports.serving), "--service", service],
                *["--service-time-ms", f"{service_s * 1000:.0f}", "--workers", "1", "--drain-seconds", "0"],
            ],
        )
        windows = ["--reference", "150", "--current", "150"]  # small, so that drift is known within minutes
        quality = self.processes.start(
            "quality", [*python, "monitor.quality", "--port", str(self.ports.quality), *windows]
        )
        return {f"{at(self.ports.serving)}/ready": serving, f"{at(self.ports.quality)}/ready": quality}

    def write_rules(self, settings: Settings, targets: Sequence[tuple[Workload, RuntimeProfile]]) -> list[Path]:
        """Write all rule files of the settings; the recording ones are returned, since only they apply to the past."""
        folder = self.folder / "rules"
        options = replace(
            rule_options(settings), interval=RULE_INTERVAL, slow_interval=RULE_INTERVAL, max_drift=MAX_DRIFT
        )
        write_artifacts(folder, render(targets, (), options))
        return sorted(folder.glob("recorded-*.rules.yml"))

    def start_alertmanager(self) -> dict[str, Child]:
        """Alertmanager, telling Trimtab's webhook, by readiness."""
        options = AlertmanagerOptions(webhook_url=f"{at(self.ports.trimtab)}/alerts/webhook")
        write_artifacts(self.folder, alertmanager(options))
        child = self.processes.start(
            "alertmanager",
            [
                executable("prometheus-alertmanager", "alertmanager"),
                f"--config.file={self.folder / 'alertmanager.yml'}",
                f"--storage.path={self.folder / 'alertmanager'}",
                f"--web.listen-address=127.0.0.1:{self.ports.alertmanager}",
                "--cluster.listen-address=",
            ],
        )
        return {f"{at(self.ports.alertmanager)}/-/ready": child}

    def prometheus_config(self) -> Path:
        """The configuration that `trimtab render prometheus` writes, and one more job for the replayed replicas."""
        ports = self.ports
        options = PrometheusOptions(
            serving=(f"127.0.0.1:{ports.serving}",),
            quality=(f"127.0.0.1:{ports.quality}",),
            trimtab=(f"127.0.0.1:{ports.trimtab}",),
            alertmanagers=(at(ports.alertmanager),),
            scrape_interval=SCRAPE_INTERVAL,
        )
        config: dict[str, Any] = yaml.safe_load(prometheus_config(options)[0].text)
        config["scrape_configs"].append(
            {
                "job_name": REPLAYED,
                "honor_labels": True,
                "static_configs": [{"targets": [f"127.0.0.1:{ports.replayed}"], "labels": {"instance": REPLAYED}}],
            }
        )
        file = self.folder / "prometheus.yml"
        file.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
        return file

    def start_trimtab(self, settings: Settings) -> Child:
        """`trimtab serve` on these settings."""
        file = self.folder / "trimtab.yaml"
        file.write_text(yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False), encoding="utf-8")
        return self.processes.start("trimtab", [sys.executable, "-m", "trimtab", "serve", "--config", str(file)])
