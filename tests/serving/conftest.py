"""A server in this process, on a free loopback port, and models to trouble it with."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import onnx
import pytest
from fastapi import FastAPI
from onnx import TensorProto, helper
from prometheus_client import CollectorRegistry

from serving.app import create_app
from serving.settings import Settings
from serving.state import Clocks, Serving
from tests.in_thread import listening
from tests.servers import wait_until

AT_NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)
IR_VERSION, OPSET = 10, 17


@dataclass(slots=True)
class Ticking:
    """The real clock of seconds, plus what a test adds."""

    ahead_s: float = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A server under test."""

    http: httpx.Client
    url: str
    application: FastAPI
    clock: Ticking

    @property
    def serving(self) -> Serving:
        serving: Serving = self.application.state.serving
        return serving

    def value(self, name: str, **labels: str) -> float | None:
        """A sample of the registry; None if there is none."""
        return self.serving.metrics.registry.get_sample_value(name, {"service": "vision", **labels})

    def grows_to(self, wanted: float, name: str, **labels: str) -> bool:
        """Whether a sample gets to a value soon: a request is counted just after its answer was sent."""
        wait_until(lambda: self.value(name, **labels) == wanted, within_s=2, what=f"{name} {labels} of {wanted}")
        return True


Serve = Callable[..., Live]


@contextmanager
def _running(settings: Settings, *, wait: bool) -> Iterator[Live]:
    clock = Ticking()
    clocks = Clocks(monotonic=clock, now=lambda: AT_NOON, process_began_s=clock() - 1.0)
    app = create_app(settings, CollectorRegistry(), clocks)
    with listening(app) as url, httpx.Client(base_url=url, timeout=20) as http:
        live = Live(http=http, url=url, application=app, clock=clock)
        if wait:
            wait_until(lambda: live.serving.started, within_s=10, what="models loaded")
        yield live


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A factory: `serve(models=..., workers=...)`, ready when it returns; without models the bundled one is served."""
    with ExitStack() as stack:

        def start(*, wait: bool = True, **settings: Any) -> Live:
            return stack.enter_context(_running(Settings(service="vision", **settings), wait=wait))

        yield start


@pytest.fixture(scope="module")
def steady() -> Iterator[Live]:
    """A server of the bundled model for all tests of a file that leave it as it is."""
    with _running(Settings(service="vision"), wait=True) as live:
        yield live


@pytest.fixture
def live(serve: Serve) -> Live:
    """A server of the bundled model."""
    return serve()


def put(folder: Path, name: str, graph: onnx.GraphProto, version: str = "1") -> Path:
    """Write a model where a server looks for it; the file."""
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    path = folder / name / version / "model.onnx"
    path.parent.mkdir(parents=True)
    path.write_bytes(model.SerializeToString())
    return path


def tensor(name: str, kind: int, *shape: int | str) -> onnx.ValueInfoProto:
    """An input or output."""
    return helper.make_tensor_value_info(name, kind, shape)


def one_node(operator: str, kind: int, *shape: int | str, out: int | None = None) -> onnx.GraphProto:
    """A graph of one operator from `x` to `y`."""
    node = helper.make_node(operator, ["x"], ["y"])
    return helper.make_graph([node], operator, [tensor("x", kind, *shape)], [tensor("y", out or kind, *shape)])


def adding() -> onnx.GraphProto:
    """`sum` = `a` + `b`, doubles of any shape (n,), and `product`."""
    nodes = [helper.make_node("Add", ["a", "b"], ["sum"]), helper.make_node("Mul", ["a", "b"], ["product"])]
    inputs = [tensor("a", TensorProto.DOUBLE, "n"), tensor("b", TensorProto.DOUBLE, "n")]
    outputs = [tensor("sum", TensorProto.DOUBLE, "n"), tensor("product", TensorProto.DOUBLE, "n")]
    return helper.make_graph(nodes, "adding", inputs, outputs)


def looking_up() -> onnx.GraphProto:
    """`y` = the entry number `x` of three; a number beyond them fails inside the model."""
    table = onnx.numpy_helper.from_array(np.array([10.0, 20.0, 30.0], dtype=np.float32), "table")
    node = helper.make_node("Gather", ["table", "x"], ["y"])
    inputs, outputs = [tensor("x", TensorProto.INT64, "n")], [tensor("y", TensorProto.FLOAT, "n")]
    return helper.make_graph([node], "looking_up", inputs, outputs, initializer=[table])
