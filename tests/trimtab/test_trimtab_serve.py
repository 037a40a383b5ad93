"""`trimtab serve` as a process: it listens, works by itself, and ends in order on either signal."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import answers, get_json, wait_until

ROOT = Path(__file__).resolve().parents[2]


def config(folder: Path) -> Path:
    file = folder / "trimtab.yaml"
    trace = ROOT / "examples" / "traces" / "servegen_r1_all.csv.gz"
    file.write_text(f"history: {{files: {{young: '{trace}'}}}}\ndefaults: {{capacity_rps: 2}}\nemit: {{dir: out}}\n")
    return file


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_and_ends_in_order(tmp_path: Path, ending: signal.Signals) -> None:
    log = tmp_path / "serve.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "trimtab", "serve", "--config", config(tmp_path), "--port", "0"],
            cwd=ROOT,
            stdout=output,
            stderr=output,
        )
    try:
        wait_until(lambda: "listening on" in log.read_text(), within_s=30, what="the address")
        found = re.search(r"listening on (http://127\.0\.0\.1:\d+)", log.read_text())
        assert found
        url = found[1]
        wait_until(lambda: answers(f"{url}/ready"), within_s=30, what="the first cycle")
        (item,) = get_json(f"{url}/recommendations")["items"]
        assert (item["workload"], item["kind"], item["replicas"]) == ("young", "hold", None)
        assert (tmp_path / "out" / "dashboards" / "trimtab-fleet.json").is_file()
        process.send_signal(ending)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait(10)
    assert "Traceback" not in log.read_text()
    assert {path.name for path in tmp_path.iterdir()} == {"trimtab.yaml", "trimtab.db", "serve.log", "out"}
