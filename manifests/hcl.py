"""Terraform's language as `terraform fmt` leaves it, for the little that we write of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

INDENT = "  "


@dataclass(frozen=True, slots=True)
class Reference:
    """An expression that stands as it is, such as `aws_appautoscaling_target.x.resource_id`."""

    text: str


Value = str | int | Reference | Sequence["Value"] | Mapping[str, "Value"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """`kind "label" { ... }`: attributes (one of several lines stands last), then blocks within."""

    kind: str
    labels: tuple[str, ...] = ()
    attributes: Mapping[str, Value] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()


def written(blocks: Sequence[Block]) -> str:
    """The blocks, a blank line between two."""
    return "\n".join("".join(f"{line}\n" for line in _block(block)) for block in blocks)


def _block(block: Block) -> Iterator[str]:
    yield " ".join((block.kind, *(_text(label) for label in block.labels), "{"))
    values = {name: _value(value) for name, value in block.attributes.items()}
    widest = max((len(name) for name, lines in values.items() if len(lines) == 1), default=0)
    for name, (first, *more) in values.items():
        yield f"{INDENT}{name:{0 if more else widest}} = {first}"
        yield from (f"{INDENT}{line}" for line in more)
    for number, inner in enumerate(block.blocks):
        if number or block.attributes:
            yield ""
        yield from (f"{INDENT}{line}" if line else "" for line in _block(inner))
    yield "}"


def _value(value: Value) -> list[str]:
    """The lines of a value; a list of mappings has one a line."""
    if isinstance(value, Sequence) and not isinstance(value, str) and any(isinstance(each, Mapping) for each in value):
        return ["[", *(f"{INDENT}{_inline(each)}," for each in value), "]"]
    return [_inline(value)]


def _inline(value: Value) -> str:
    if isinstance(value, Reference):
        return value.text
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {_inline(each)}" for name, each in value.items()) + " }"
    if isinstance(value, Sequence):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return str(value)


def _text(text: str) -> str:
    """A quoted text in which nothing is a template."""
    return json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
