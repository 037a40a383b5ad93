"""YAML with a stable order, long expressions as blocks, and a comment on top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml


class _Dumper(yaml.CSafeDumper):
    """A dumper of our own, so that its habits reach nobody else's YAML; libyaml's, six times as fast as Python's."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  the signature is PyYAML's
        """Repeat what is the same: `&id001` is no way to show a label."""
        return True


def _text(dumper: yaml.CSafeDumper, text: str) -> yaml.ScalarNode:
    """Several lines are a literal block; PyYAML falls back to quotes where a block can not hold them."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def document(content: Mapping[str, Any], comments: Sequence[str]) -> str:
    """`content` as YAML in its own order, below `comments`, each made one line."""
    body = yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)
    return "".join(f"# {one_line(comment)}\n" for comment in comments) + body


def one_line(text: str) -> str:
    """`text` without line breaks or control characters: nothing can climb out of its comment."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
