"""The bundled model is what scikit-learn trains, and as good as its card says."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

from examples.models import make_digits
from serving.folder import ModelFolder
from serving.settings import bundled_models

CARD = (bundled_models() / "digits" / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def digits() -> make_digits.Digits:
    """The pipeline, trained anew."""
    return make_digits.train()


def test_the_served_file_predicts_what_scikit_learn_predicts(digits: make_digits.Digits) -> None:
    _, path = ModelFolder(bundled_models()).find("digits")
    labels, probabilities = make_digits.answers(path.read_bytes(), digits.pixels)
    np.testing.assert_array_equal(labels, digits.pipeline.predict(digits.pixels))
    np.testing.assert_allclose(probabilities, digits.pipeline.predict_proba(digits.pixels), atol=1e-4)


def test_the_script_makes_an_equivalent_model_again(digits: make_digits.Digits) -> None:
    made, images = make_digits.convert(digits), make_digits.held_out_csv(digits)
    assert make_digits.differences(digits, made, images) == []
    committed = make_digits.MODEL.read_bytes(), make_digits.HELD_OUT.read_bytes()
    assert make_digits.differences(digits, *committed) == []
    assert len(committed[0]) < 500_000


def test_another_model_is_told_apart(digits: make_digits.Digits) -> None:
    other = make_digits.Digits(pipeline=digits.pipeline, pixels=digits.pixels[::-1].copy(), labels=digits.labels)
    model, images = make_digits.MODEL.read_bytes(), make_digits.HELD_OUT.read_bytes()
    assert make_digits.differences(other, model, images) == ["held-out images"]


def test_the_card_states_the_accuracy_on_the_committed_held_out_images() -> None:
    with gzip.open(make_digits.HELD_OUT, "rt", encoding="utf-8") as text:
        rows = np.array([[int(cell) for cell in row] for row in list(csv.reader(text))[1:]])
    labels, _ = make_digits.answers(make_digits.MODEL.read_bytes(), rows[:, 1:].astype(np.float32))
    right = int((labels == rows[:, 0]).sum())
    assert f"accuracy {right / len(rows):.4f} ({right} of {len(rows)})" in CARD


def test_the_model_ships_inside_the_package() -> None:
    package = Path(make_digits.REPOSITORY, "serving").resolve()
    assert make_digits.MODEL.resolve().is_relative_to(package)
