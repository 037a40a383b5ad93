"""One ONNX model in memory. ONNX is the only format there is here: nothing is ever unpickled."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

# From 1.29 on the official builds tell Microsoft of every process, model and host unless this stands before they load.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from serving.errors import BadInput, ModelFailed
from serving.tensors import DATATYPES, Array, TensorSpec

# onnxruntime's errors share no base class below Exception.
_ORT_ERRORS = (
    ort_errors.EPFail,
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoModel,
    ort_errors.NoSuchFile,
    ort_errors.NotFound,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A loaded model; `infer` may be called from several threads at once.

    `at_least_s` stretches every inference to that many seconds, for load tests of a server with a known capacity.
    """

    name: str
    version: str
    sha256: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    load_seconds: float
    at_least_s: float = 0.0
    session: ort.InferenceSession = field(repr=False)

    def infer(self, inputs: Mapping[str, Array], wanted: Sequence[str] = ()) -> dict[str, Array]:
        """Outputs by name, all or those `wanted`; blocks. BadInput for a wrong set of names, ModelFailed if it fails."""
        _same_names(set(inputs), {spec.name for spec in self.inputs})
        names = list(wanted) or [spec.name for spec in self.outputs]
        unknown = set(names) - {spec.name for spec in self.outputs}
        if unknown:
            raise BadInput(f"model {self.name!r} has no output {', '.join(sorted(map(repr, unknown)))}")
        began = time.perf_counter()
        try:
            answer = self.session.run(names, dict(inputs))
        except _ORT_ERRORS as problem:
            raise ModelFailed(f"model {self.name!r} failed: {_first_line(problem)}") from problem
        time.sleep(max(0.0, self.at_least_s - (time.perf_counter() - began)))
        return dict(zip(names, answer, strict=True))


def load_model(
    path: Path, *, name: str, version: str, threads: int, at_least_s: float, clock: Callable[[], float]
) -> Model:
    """Load a file; blocks. ModelFailed if it is no ONNX model, or one whose tensors the protocol cannot carry."""
    began = clock()
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    try:
        session = ort.InferenceSession(path, sess_options=options, providers=["CPUExecutionProvider"])
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except (*_ORT_ERRORS, OSError) as problem:
        raise ModelFailed(f"model {name!r} version {version} could not be loaded: {_first_line(problem)}") from problem
    return Model(
        name=name,
        version=version,
        sha256=digest,
        inputs=tuple(_spec(tensor) for tensor in session.get_inputs()),
        outputs=tuple(_spec(tensor) for tensor in session.get_outputs()),
        load_seconds=clock() - began,
        at_least_s=at_least_s,
        session=session,
    )


def _spec(tensor: ort.NodeArg) -> TensorSpec:
    if tensor.type not in DATATYPES:
        raise ModelFailed(f"tensor {tensor.name!r} is {tensor.type}, which has no form in JSON; convert the model")
    shape = tuple(n if isinstance(n, int) else -1 for n in tensor.shape)  # a name or None is a free dimension
    return TensorSpec(name=tensor.name, datatype=DATATYPES[tensor.type][0], shape=shape)


def _same_names(given: set[str], wanted: set[str]) -> None:
    if given != wanted:
        raise BadInput(f"the model takes the inputs {sorted(wanted)}, not {sorted(given)}")


def _first_line(problem: BaseException) -> str:
    return str(problem).splitlines()[0] if str(problem) else type(problem).__name__
