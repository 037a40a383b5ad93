"""JSON to arrays and back: what fits passes unchanged, what does not is refused by name."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as shapes

from serving.errors import BadInput, ModelFailed
from serving.tensors import NUMPY, Array, TensorSpec, decode, encode

NUMBERS = sorted(set(NUMPY) - {"BYTES"})


def spec(datatype: str, *shape: int) -> TensorSpec:
    return TensorSpec(name="x", datatype=datatype, shape=shape)


@st.composite
def arrays(draw: st.DrawFn) -> tuple[str, Array]:
    """A datatype of the protocol and a finite array of it."""
    datatype = draw(st.sampled_from(NUMBERS))
    shape = draw(shapes.array_shapes(max_dims=3, max_side=4))
    kind = np.dtype(NUMPY[datatype])
    elements = shapes.from_dtype(kind, allow_nan=False, allow_infinity=False)
    return datatype, draw(shapes.arrays(kind, shape, elements=elements))


@settings(max_examples=60, deadline=None)
@given(arrays())
def test_what_is_encoded_is_decoded_again_flat_or_nested(sample: tuple[str, Array]) -> None:
    datatype, array = sample
    free = spec(datatype, *(-1 for _ in array.shape))
    for data in (encode("x", array), encode("x", array.reshape(-1))):
        back = decode(free, json.loads(json.dumps(data)), array.shape)
        assert back.dtype == array.dtype
        np.testing.assert_array_equal(back, array)


def test_text_is_bytes_in_the_words_of_the_protocol() -> None:
    array = decode(spec("BYTES", -1), ["á", "b"])
    assert array.tolist() == ["á", "b"]
    assert encode("x", array) == ["á", "b"]


def test_one_item_may_leave_out_the_free_first_dimension() -> None:
    assert decode(spec("FP32", -1, 3), [1, 2, 3]).shape == (1, 3)
    assert decode(spec("FP32", -1, 3), [[1, 2, 3], [4, 5, 6]]).shape == (2, 3)
    with pytest.raises(BadInput, match=r"has shape \[3\], the model takes \[2, 3\]"):
        decode(spec("FP32", 2, 3), [1, 2, 3])


@pytest.mark.parametrize(
    "tensor,data,shape,told",
    [
        (spec("FP32", -1), [[1, 2], [3]], None, "not an even array"),
        (spec("FP32", -1), [], None, "holds no values"),
        (spec("FP32", -1), [None], None, "no FP32"),
        (spec("FP32", -1), [{"a": 1}], None, "no FP32"),
        (spec("FP32", -1), ["1"], None, "no FP32"),
        (spec("FP32", -1), [True], None, "no FP32"),
        (spec("FP32", -1), [float("nan")], None, "no finite FP32"),
        (spec("FP32", -1), [1e39], None, "no finite FP32"),
        (spec("INT64", -1), [1.5], None, "no INT64"),
        (spec("INT64", -1), [2**63], None, "outside INT64"),
        (spec("INT64", -1), [2**80], None, "outside INT64"),
        (spec("UINT8", -1), [-1], None, "outside UINT8: 0 to 255"),
        (spec("BOOL", -1), [1], None, "no BOOL"),
        (spec("BYTES", -1), [1], None, "no BYTES"),
        (spec("FP32", -1, 3), [1, 2, 3], [1, 4], r"says shape \[1, 4\] and sends 3 values"),
        (spec("FP32", -1, 3), [[1, 2, 3]], [3, 1], "nests its data as"),
        (spec("FP32", -1, 3), [1, 2, 3], [3], r"has shape \[3\], the model takes \[-1, 3\]"),
        (spec("FP32", -1, 3), [1, 2], [-1, -2], "says shape"),
        (spec("FP32", -1), [1], [0], "says shape"),
    ],
)
def test_what_does_not_fit_is_refused(tensor: TensorSpec, data: list[Any], shape: list[int] | None, told: str) -> None:
    with pytest.raises(BadInput, match=told) as refused:
        decode(tensor, data, shape)
    assert str(refused.value).startswith("input 'x' ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_answer_that_json_has_no_words_for_is_a_failure_of_the_model(value: float) -> None:
    with pytest.raises(ModelFailed, match="'y' that is not a finite number"):
        encode("y", np.array([1.0, value]))
