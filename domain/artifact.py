"""The only thing renderers produce: a relative path and its whole text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file to be written atomically, under a folder the caller chooses."""

    path: PurePosixPath
    text: str

    def __post_init__(self) -> None:
        if self.path.is_absolute() or ".." in self.path.parts:
            raise ValueError(f"an artifact's path stays inside its folder, unlike {self.path}")
