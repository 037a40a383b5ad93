"""The bundled demonstration, run as a person would, ends by itself and leaves nothing behind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def demo(*options: str, scratch: Path) -> subprocess.CompletedProcess[str]:
    """`trimtab demo --once`, its temporary files under `scratch`."""
    return subprocess.run(
        [sys.executable, "-m", "trimtab", "demo", "--once", *options],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(scratch)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def children_naming(scratch: Path) -> list[str]:
    """Command lines of running processes that mention `scratch` (Linux)."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(scratch) in line:
            found.append(line)
    return found


@pytest.mark.servers
@pytest.mark.slow
def test_the_demo_recommends_and_leaves_nothing_behind(
    tmp_path: Path, prometheus_installed: None, alertmanager_installed: None
) -> None:
    """At least one act on a schedule, one to serverless and one hold; exit 0; no process and no file is left."""
    done = demo(scratch=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    counted = re.search(r"^recommendations: (\d+)$", done.stdout, re.MULTILINE)
    assert counted
    assert int(counted[1]) == 4
    assert children_naming(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_embedded_demo_needs_no_servers(tmp_path: Path) -> None:
    done = demo("--embedded", scratch=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no Prometheus" in done.stdout + done.stderr
    assert re.search(r"^recommendations: 4$", done.stdout, re.MULTILINE)
    assert children_naming(tmp_path) == []
