"""From what a caller sends to what a model answers, for both calls; blocking, to be run by a worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from serving.errors import BadInput
from serving.model import Model
from serving.tensors import Array, TensorSpec, decode, encode

Parameters = dict[str, StrictBool | StrictInt | StrictFloat | StrictStr]


class PredictRequest(BaseModel):
    """`input_data` is one item or a list of items for a model with one input, else a list for each input's name."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    model_id: StrictStr
    input_data: list[Any] | dict[str, list[Any]]


class PredictResponse(BaseModel):
    """Every output of the model by its name."""

    model_config = ConfigDict(protected_namespaces=())

    model_id: str
    version: str
    outputs: dict[str, list[Any]]


class InferInput(BaseModel):
    """A tensor that is sent: row-major `data`, nested or flat."""

    name: StrictStr
    shape: list[StrictInt]
    datatype: StrictStr
    parameters: Parameters = Field(default_factory=dict)
    data: list[Any]


class InferOutput(BaseModel):
    """A tensor that is wanted."""

    name: StrictStr
    parameters: Parameters = Field(default_factory=dict)


class InferRequest(BaseModel):
    """Inference request of the Open Inference Protocol v2."""

    id: StrictStr | None = None
    parameters: Parameters = Field(default_factory=dict)
    inputs: list[InferInput]
    outputs: list[InferOutput] = Field(default_factory=list)


def predict(model: Model, input_data: Sequence[Any] | Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """The answer to `/predict`, as `PredictResponse`. BadInput, ModelFailed."""
    given = input_data if isinstance(input_data, Mapping) else {_only_input(model).name: input_data}
    arrays = {name: decode(_input(model, name), data) for name, data in given.items()}
    outputs = {name: encode(name, array) for name, array in model.infer(arrays).items()}
    return {"model_id": model.name, "version": model.version, "outputs": outputs}


def infer(model: Model, request: InferRequest) -> dict[str, Any]:
    """The protocol's inference response. BadInput, ModelFailed."""
    arrays: dict[str, Array] = {}
    for tensor in request.inputs:
        if tensor.name in arrays:
            raise BadInput(f"input {tensor.name!r} is sent twice")
        arrays[tensor.name] = _tensor(model, tensor)
    answered = model.infer(arrays, [output.name for output in request.outputs])
    response: dict[str, Any] = {"model_name": model.name, "model_version": model.version}
    if request.id is not None:
        response["id"] = request.id
    specs = {spec.name: spec for spec in model.outputs}
    response["outputs"] = [_answered(specs[name], array) for name, array in answered.items()]
    return response


def _tensor(model: Model, tensor: InferInput) -> Array:
    spec = _input(model, tensor.name)
    if tensor.datatype != spec.datatype:
        raise BadInput(f"input {tensor.name!r} is sent as {tensor.datatype}, the model takes {spec.datatype}")
    return decode(spec, tensor.data, tensor.shape)


def _answered(spec: TensorSpec, array: Array) -> dict[str, Any]:
    data = encode(spec.name, array.reshape(-1))
    return {"name": spec.name, "shape": list(array.shape), "datatype": spec.datatype, "data": data}


def _only_input(model: Model) -> TensorSpec:
    if len(model.inputs) != 1:
        names = ", ".join(spec.name for spec in model.inputs)
        raise BadInput(f"model {model.name!r} has several inputs: send input_data as an object with {names}")
    return model.inputs[0]


def _input(model: Model, name: str) -> TensorSpec:
    for spec in model.inputs:
        if spec.name == name:
            return spec
    raise BadInput(f"model {model.name!r} has no input {name!r}; it has {', '.join(i.name for i in model.inputs)}")
