"""What a server is told at its start; checked here, so that nothing later meets a senseless value."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

MEBIBYTE = 1024 * 1024


def bundled_models() -> Path:
    """The folder of models that ships with the package."""
    return Path(__file__).parent / "models"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One server's settings; ValueError (one line: field, value, fix) where one makes no sense.

    `workers` inferences run at once, each on `threads` threads of onnxruntime; `max_waiting` more may wait, further
    ones are refused with 503. `service_time` is for load tests: an inference then takes at least that long.
    """

    models: Path = field(default_factory=bundled_models)
    service: str = "serving"
    workers: int = 2
    threads: int = 1
    max_waiting: int = 1000
    service_time: timedelta = timedelta(0)
    max_body_bytes: int = 16 * MEBIBYTE

    def __post_init__(self) -> None:
        if not self.models.is_dir():
            raise ValueError(f"models: {str(self.models)!r} is no folder; name one that holds NAME/VERSION/model.onnx")
        if not self.service.strip():
            raise ValueError(
                f"service: {self.service!r} is not usable; give the name that the metrics' label 'service' will carry"
            )
        if self.service_time < timedelta(0):
            raise ValueError(f"service_time: {self.service_time} is negative; give 0 or more")
        for name, least in (("workers", 1), ("threads", 1), ("max_waiting", 0), ("max_body_bytes", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name}: {getattr(self, name)} is too small; give at least {least}")
