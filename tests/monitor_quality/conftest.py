"""The exporter in this process, with small windows and a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from monitor.quality.app import create_app
from monitor.quality.windows import Sizes
from tests.in_thread import listening

AT_NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Exporter:
    """An exporter under test."""

    http: httpx.Client
    registry: CollectorRegistry

    def value(self, name: str, model: str | None = "digits") -> float | None:
        """A sample; None if there is no such series."""
        return self.registry.get_sample_value(name, {} if model is None else {"service": "vision", "model": model})

    def predict(self, *said: tuple[str, Any], **more: Any) -> httpx.Response:
        """Send predictions of (id, label)."""
        common = {"service": "vision", "model": "digits", **more}
        return self.http.post("/predictions", json=[{"id": name, "label": label, **common} for name, label in said])

    def tell(self, *truths: tuple[str, Any]) -> httpx.Response:
        """Send labels of (id, label)."""
        return self.http.post("/labels", json=[{"id": name, "label": label} for name, label in truths])


Export = Callable[..., Exporter]


@pytest.fixture
def export() -> Iterator[Export]:
    """A factory: `export(pairs=4, ...)`."""
    with ExitStack() as stack:

        def start(**sizes: int) -> Exporter:
            registry = CollectorRegistry()
            url = stack.enter_context(listening(create_app(Sizes(**sizes), registry, lambda: AT_NOON)))
            return Exporter(stack.enter_context(httpx.Client(base_url=url, timeout=20)), registry)

        yield start
