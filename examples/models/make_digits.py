# ruff: noqa: INP001  a script, run by its path
"""Train the bundled digits model, and write what is served and tested: `python examples/models/make_digits.py`.

Needs the development dependencies (scikit-learn, skl2onnx). A logistic regression has one optimum, so that another run
gives an equivalent model, whatever the machine. `--check` writes nothing and compares with what is committed.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Official builds of onnxruntime report to Microsoft unless this stands before they load.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

REPOSITORY = Path(__file__).parents[2]
MODEL = REPOSITORY / "serving/models/digits/1/model.onnx"
HELD_OUT = REPOSITORY / "examples/models/digits_heldout.csv.gz"
SEED = 20240229
HELD_OUT_SHARE = 0.25
OPSET = 17
TOLERANCE = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Digits:
    """The trained pipeline and the images it never saw: pixels (n, 64) of 0..16, labels (n,) of 0..9."""

    pipeline: Any
    pixels: NDArray[np.float32]
    labels: NDArray[np.int64]


def train() -> Digits:
    """Fit on three quarters of scikit-learn's bundled digits; the rest, stratified by label, is held out."""
    images = load_digits()
    pixels, held_out, labels, held_out_labels = train_test_split(
        images.data.astype(np.float32),
        images.target.astype(np.int64),
        test_size=HELD_OUT_SHARE,
        random_state=SEED,
        stratify=images.target,
    )
    pipeline = make_pipeline(MaxAbsScaler(), LogisticRegression(C=1.0, max_iter=2000, tol=1e-8))
    return Digits(pipeline=pipeline.fit(pixels, labels), pixels=held_out, labels=held_out_labels)


def convert(digits: Digits) -> bytes:
    """The pipeline as ONNX: input `image` FP32 [n, 64], outputs `label` INT64 [n] and `probabilities` FP32 [n, 10]."""
    model = to_onnx(
        digits.pipeline,
        initial_types=[("image", FloatTensorType([None, digits.pixels.shape[1]]))],
        options={"zipmap": False},
        target_opset=OPSET,
    )
    content: bytes = model.SerializeToString()
    return content


def held_out_csv(digits: Digits) -> bytes:
    """The held-out images as gzipped CSV without a time of writing in it: label, then 64 pixels a row."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["label", *(f"pixel_{i}" for i in range(digits.pixels.shape[1]))])
    for label, pixels in zip(digits.labels, digits.pixels.astype(int), strict=True):
        rows.writerow([int(label), *pixels.tolist()])
    return gzip.compress(text.getvalue().encode(), mtime=0)


def answers(model: bytes, pixels: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Labels (n,) and probabilities (n, 10) that an ONNX model gives for pixels (n, 64)."""
    labels, probabilities = InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, {"image": pixels})
    return labels, probabilities


def differences(digits: Digits, model: bytes, held_out: bytes) -> list[str]:
    """What a model and a file of held-out images do not have in common with a freshly trained pipeline."""
    labels, probabilities = answers(model, digits.pixels)
    wanted = digits.pipeline.predict_proba(digits.pixels)
    found = {
        "labels": np.array_equal(labels, digits.pipeline.predict(digits.pixels)),
        "probabilities": np.allclose(probabilities, wanted, atol=TOLERANCE),
        "held-out images": gzip.decompress(held_out) == gzip.decompress(held_out_csv(digits)),
    }
    return [name for name, same in found.items() if not same]


def write(digits: Digits) -> None:
    """Put the model and the held-out images where the server and the tests look for them."""
    MODEL.parent.mkdir(parents=True, exist_ok=True)
    MODEL.write_bytes(convert(digits))
    HELD_OUT.write_bytes(held_out_csv(digits))


def main() -> int:
    """Write or check; print the held-out accuracy of the committed model; 1 if it is not what training gives."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; compare with what is committed")
    only_check = parser.parse_args().check
    digits = train()
    if not only_check:
        write(digits)
    labels, _ = answers(MODEL.read_bytes(), digits.pixels)
    right = int((labels == digits.labels).sum())
    print(f"held-out accuracy: {right / len(labels):.4f} ({right} of {len(labels)})")  # noqa: T201  a command's result
    different = differences(digits, MODEL.read_bytes(), HELD_OUT.read_bytes())
    if different:
        print(f"differs from a fresh training: {', '.join(different)}", file=sys.stderr)  # noqa: T201  as above
    return int(bool(different))


if __name__ == "__main__":
    sys.exit(main())
