"""The model server tells nobody of what it serves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_onnxruntime_reports_to_nobody(tmp_path: Path) -> None:
    """Its telemetry, which would write a session file and upload events, is never set up in the server's process."""
    unset = ("ORT_DISABLE_TELEMETRY", "CI", "GITHUB_ACTIONS", "TF_BUILD")  # each of these alone turns it off
    environment = {name: value for name, value in os.environ.items() if name not in unset} | {"TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", "import serving.model; print(serving.model.os.environ['ORT_DISABLE_TELEMETRY'])"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "1\n"
    assert list(tmp_path.iterdir()) == []
