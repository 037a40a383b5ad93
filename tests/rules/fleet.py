"""A small fleet for the tests of rendered rules, and the tools that read them."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from domain.artifact import Artifact
from domain.plan import Configuration, Evidence, Hold
from domain.signals import RuntimeProfile
from domain.unknown import Unknown
from domain.workload import Bounds, PurchaseMix, ScaleTarget, ServingMode, Slo, Workload
from monitor.profiles import PROFILES
from rules import RuleOptions
from rules.alerts import FOR_THE_FLEET, PER_WORKLOAD, of_fleet, of_workload
from rules.model import Alert, Subject

OWN, VLLM = PROFILES["trimtab-serving"], PROFILES["vllm"]
DIGITS = Workload(id="vision:digits", runtime=OWN.name, labels={"service": "vision", "model": "digits"}, team="vision")
LLAMA = Workload(
    id="meta/llama",
    runtime=VLLM.name,
    labels={"model_name": "meta/llama"},
    slo=Slo(
        attainment=0.99,
        latency_quantile=0.9,
        latency=timedelta(seconds=8),
        time_to_first_token=timedelta(seconds=1),
        inter_token=timedelta(milliseconds=80),
    ),
    bounds=Bounds(max_replicas=6),
    target=ScaleTarget(name="llama", namespace="chat"),
)
ODD_NAME = 'q"uo\\te:ünï☃😀{{ $value }}}}\nsecond # line'
ODD = Workload(id=ODD_NAME, runtime=OWN.name, labels={"service": ODD_NAME, "model": ODD_NAME}, team="{{team}}")
FLEET: tuple[tuple[Workload, RuntimeProfile], ...] = ((DIGITS, OWN), (LLAMA, VLLM), (ODD, OWN))


EVERYTHING = RuleOptions(budgets=True)  # every alert that there is


def every_alert() -> list[Alert]:
    """All alerts that a workload of the fleet can have, each once, and those of the fleet."""
    subjects = [Subject(workload=w, profile=p, recommendation=None, options=EVERYTHING) for w, p in FLEET]
    found = {alert.name: alert for subject in subjects for alert in of_workload(subject)}
    found |= {alert.name: alert for alert in of_fleet(EVERYTHING)}
    assert len(found) == len(PER_WORKLOAD) + len(FOR_THE_FLEET)
    return list(found.values())


def with_bounds(workload: Workload, bounds: Bounds) -> Workload:
    """The workload with other bounds."""
    return Workload(id=workload.id, runtime=workload.runtime, labels=workload.labels, bounds=bounds)


def held_while(mode: ServingMode, workload: Workload) -> Hold:
    """A hold for a workload that runs in `mode`."""
    at = datetime(2026, 1, 5, tzinfo=UTC)
    running = Configuration(
        replicas=1, mean_replicas=1.0, mode=mode, purchase=PurchaseMix(), offer="any", usd_per_month=1.0
    )
    return Hold(
        id="0" * 16,
        workload=workload.id,
        created_at=at,
        valid_until=at + timedelta(hours=1),
        current=running,
        last_good=Unknown("never had one"),
        needs="more history",
        reasons=(),
        evidence=Evidence(inputs_sha256="0" * 64),
    )


def written(artifacts: Sequence[Artifact], folder: Path) -> list[Path]:
    """The artifacts as files."""
    for artifact in artifacts:
        path = folder / artifact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(artifact.text, encoding="utf-8")
    return [folder / artifact.path for artifact in artifacts]


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """One of the tools, with what it said."""
    return subprocess.run([str(part) for part in command], check=False, capture_output=True, text=True, timeout=60)


def accepted(*command: str | Path) -> str:
    """The output of a tool that is content."""
    done = run(*command)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout
