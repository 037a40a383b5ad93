"""The real exporter, fed with what the real model server says about the held-out images."""

from __future__ import annotations

import csv
import gzip
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx

from examples.models.make_digits import HELD_OUT
from tests.servers import Server
from tests.serving_process import ServingProcess


class QualityProcess(Server):
    """`python -m monitor.quality`."""

    ready_path = "/ready"

    def command(self) -> Sequence[str]:
        return (sys.executable, "-m", "monitor.quality", f"--port={self.port}", "--reference=200", "--current=200")


def test_the_accuracy_shown_is_the_accuracy_of_the_model_card(tmp_path: Path) -> None:
    with gzip.open(HELD_OUT, "rt", encoding="utf-8") as text:
        rows = [[int(cell) for cell in row] for row in list(csv.reader(text))[1:]]
    with ServingProcess(tmp_path / "serving") as server, QualityProcess(tmp_path / "quality") as quality:
        body = {"model_id": "digits", "input_data": [pixels for _, *pixels in rows]}
        outputs = httpx.post(f"{server.url}/predict", json=body).raise_for_status().json()["outputs"]
        said = [
            {"id": f"{i}", "service": "vision", "model": "digits", "label": label, "score": max(shares), "features": x}
            for i, (label, shares, (_, *x)) in enumerate(
                zip(outputs["label"], outputs["probabilities"], rows, strict=True)
            )
        ]
        truths = [{"id": f"{i}", "label": label} for i, (label, *_) in enumerate(rows)]
        assert httpx.post(f"{quality.url}/predictions", json=said).json()["accepted"] == 450
        assert httpx.post(f"{quality.url}/labels", json=truths).json() == {"joined": 450, "unmatched": []}
        shown = httpx.get(f"{quality.url}/metrics").text
    assert 'ai_model_accuracy{model="digits",service="vision"} 0.96\n' in shown
    assert 'ai_model_labelled_pairs{model="digits",service="vision"} 450.0\n' in shown
    (drift,) = (float(line.split()[-1]) for line in shown.splitlines() if line.startswith("ai_model_drift{"))
    assert 0 < drift < 0.4, "66 quiet distributions of 200 against 200"
