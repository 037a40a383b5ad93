"""Between JSON and arrays, as the Open Inference Protocol v2 names datatypes; shapes use -1 for a free dimension."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.errors import BadInput, ModelFailed

Array = NDArray[Any]

# onnxruntime's name of a type -> (datatype of the protocol, numpy type). FP16 has no JSON form and is not served.
DATATYPES: Mapping[str, tuple[str, type[np.generic]]] = {
    "tensor(bool)": ("BOOL", np.bool_),
    "tensor(uint8)": ("UINT8", np.uint8),
    "tensor(uint16)": ("UINT16", np.uint16),
    "tensor(uint32)": ("UINT32", np.uint32),
    "tensor(uint64)": ("UINT64", np.uint64),
    "tensor(int8)": ("INT8", np.int8),
    "tensor(int16)": ("INT16", np.int16),
    "tensor(int32)": ("INT32", np.int32),
    "tensor(int64)": ("INT64", np.int64),
    "tensor(float)": ("FP32", np.float32),
    "tensor(double)": ("FP64", np.float64),
    "tensor(string)": ("BYTES", np.object_),
}
NUMPY: Mapping[str, type[np.generic]] = dict(DATATYPES.values())

# What the JSON of each kind of datatype may hold, by numpy's letter for what it parses to.
_JSON_KINDS: Mapping[str, str] = {"b": "b", "u": "iu", "i": "iu", "f": "iuf", "O": "U"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorSpec:
    """One input or output of a model."""

    name: str
    datatype: str
    shape: tuple[int, ...]

    def as_json(self) -> dict[str, Any]:
        """The protocol's tensor metadata."""
        return {"name": self.name, "datatype": self.datatype, "shape": list(self.shape)}


def decode(spec: TensorSpec, data: Sequence[Any], shape: Sequence[int] | None = None) -> Array:
    """Nested or flat row-major `data` as the array that `spec` asks for; BadInput where it does not fit.

    Without a `shape` the nesting tells it, and one item may leave out a free first dimension.
    """
    array = _typed(spec, _parsed(spec, data))
    if shape is None:
        lacks_batch = array.ndim == len(spec.shape) - 1 and spec.shape[0] == -1
        array = array[np.newaxis] if lacks_batch else array
    else:
        array = _reshaped(spec, array, shape)
    if len(array.shape) != len(spec.shape) or any(
        want not in {-1, have} for want, have in zip(spec.shape, array.shape, strict=True)
    ):
        raise BadInput(f"input {spec.name!r} has shape {list(array.shape)}, the model takes {list(spec.shape)}")
    return array


def _parsed(spec: TensorSpec, data: Sequence[Any]) -> Array:
    try:
        array: Array = np.array(data)
    except (ValueError, OverflowError) as problem:
        raise BadInput(f"input {spec.name!r} is not an even array: {problem}") from problem
    if array.size == 0:
        raise BadInput(f"input {spec.name!r} holds no values")
    wanted = np.dtype(NUMPY[spec.datatype]).kind
    if wanted in "iu" and array.dtype.kind in "fO":
        array = _as_they_are(data)
        fits = all(type(value) is int for value in array.flat)
    else:
        fits = array.dtype.kind in _JSON_KINDS[wanted]
    if not fits:
        raise BadInput(f"input {spec.name!r} holds values that are no {spec.datatype}")
    return array


def _as_they_are(data: Sequence[Any]) -> Array:
    """The values as Python has them: numpy makes floats of whole numbers that no one integer type holds."""
    return np.array(data, dtype=np.object_)


def _typed(spec: TensorSpec, array: Array) -> Array:
    wanted = np.dtype(NUMPY[spec.datatype])
    if wanted.kind in "iu":
        limits = np.iinfo(wanted)
        if int(array.min()) < limits.min or int(array.max()) > limits.max:
            raise BadInput(f"input {spec.name!r} holds values outside {spec.datatype}: {limits.min} to {limits.max}")
    with np.errstate(over="ignore"):  # what overflows is infinite, and refused in the next line
        typed = array.astype(wanted)
    if wanted.kind == "f" and not np.isfinite(typed).all():
        raise BadInput(f"input {spec.name!r} holds values that are no finite {spec.datatype}")
    return typed


def _reshaped(spec: TensorSpec, array: Array, shape: Sequence[int]) -> Array:
    if any(n < 1 for n in shape) or math.prod(shape) != array.size:
        raise BadInput(f"input {spec.name!r} says shape {list(shape)} and sends {array.size} values")
    if array.ndim > 1 and array.shape != tuple(shape):
        raise BadInput(f"input {spec.name!r} says shape {list(shape)} and nests its data as {list(array.shape)}")
    return array.reshape(tuple(shape))


def encode(name: str, array: Array) -> list[Any]:
    """The array as nested lists for JSON; ModelFailed for NaN and infinity, which JSON has no words for."""
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ModelFailed(f"the model answered with a value in {name!r} that is not a finite number")
    values: list[Any] = array.tolist()
    return values
