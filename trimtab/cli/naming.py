"""Faults of the command line that also say what was written: Typer's own name the option alone."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup


class Naming(TyperGroup):
    """The commands, whose refusal of an option or argument quotes the value that was given."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except typer.BadParameter as fault:
            fault.message = _with_value(fault)
            raise


def _with_value(fault: typer.BadParameter) -> str:
    """The message with the value before it, where the fault was found by pydantic, which has it."""
    errors = getattr(fault.__cause__, "errors", None)
    said = fault.message.removeprefix("Value error, ")
    value = repr(errors()[0]["input"]) if callable(errors) else ""
    return said if not value or value in said else f"{value} is not usable; {said[:1].lower()}{said[1:]}"
