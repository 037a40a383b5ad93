"""PromQL as text: series, texts and numbers."""

from __future__ import annotations

from collections.abc import Mapping

from domain.signals import quote


def series(name: str, labels: Mapping[str, str]) -> str:
    """`name{labels}`, label values escaped."""
    matchers = ",".join(f"{label}={quote(value)}" for label, value in labels.items())
    return f"{name}{{{matchers}}}"


def literal(text: str) -> str:
    """`text` inside a label or annotation, where Prometheus would run `{{ }}` as a template."""
    return text.replace("{{", '{{ "{{" }}')


def number(value: float) -> str:
    """A threshold as text, without float dust."""
    return f"{value:.6g}"
