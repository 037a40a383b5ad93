"""The look shared by everything Trimtab shows on a page: one small style sheet, inlined."""

from __future__ import annotations

from importlib.resources import files


def stylesheet() -> str:
    """CSS for screen, phone and paper; classes are named for what they hold."""
    return files("dashboards").joinpath("style.css").read_text(encoding="utf-8")
