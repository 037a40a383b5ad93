"""Not known, as a value: it carries its reason and can not be mistaken for zero."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that was asked for and is not known; `reason` is one sentence for a person."""

    reason: str
