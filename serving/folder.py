"""The folder of models: `NAME/VERSION/model.onnx`, versions whole numbers. Names cannot lead out of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from serving.errors import BadInput, NotFound

FILE = "model.onnx"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_VERSION = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """Looks afresh at every call: a model put there later can be deployed without a restart."""

    root: Path

    def names(self) -> tuple[str, ...]:
        """Every name that has at least one version, sorted."""
        folders = (path.name for path in self.root.iterdir() if path.is_dir() and _NAME.fullmatch(path.name))
        return tuple(sorted(name for name in folders if self.versions(name)))

    def versions(self, name: str) -> tuple[str, ...]:
        """Versions of a model, newest (highest number) last; BadInput for what is no name of a model."""
        if not _NAME.fullmatch(name):
            raise BadInput(f"{name!r} is no name of a model: letters, digits, '.', '_' and '-', at most 64")
        found = (path.parent.name for path in self.root.glob(f"{name}/*/{FILE}") if self._holds(path))
        return tuple(sorted((v for v in found if _VERSION.fullmatch(v)), key=int))

    def find(self, name: str, version: str | None = None) -> tuple[str, Path]:
        """Version (the newest unless one is named) and file; NotFound where there is none."""
        versions = self.versions(name)
        if not versions:
            raise NotFound(f"there is no model {name!r} in the models folder")
        chosen = versions[-1] if version is None else version
        if chosen not in versions:
            raise NotFound(f"model {name!r} has no version {chosen!r}; it has {', '.join(versions)}")
        return chosen, self.root / name / chosen / FILE

    def _holds(self, path: Path) -> bool:
        """Whether a path, its links followed, is a file inside the folder."""
        real = path.resolve()
        return real.is_file() and real.is_relative_to(self.root.resolve())
