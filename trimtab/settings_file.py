"""Reads a settings file; whatever is wrong in it is told at once, a line a fault, each with its fix."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from domain.errors import SettingsError, UserError
from trimtab.settings import Settings

SomeSection = TypeVar("SomeSection", bound=BaseModel)


class SettingsFaults(UserError):
    """Everything found wrong in one settings file; `str()` has a line for each fault."""

    def __init__(self, faults: tuple[SettingsError, ...]) -> None:
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))


def read_settings(path: Path) -> Settings:
    """The settings in `path`; SettingsError or SettingsFaults if it cannot be read or is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        reason = getattr(fault, "strerror", None) or "it is not UTF-8 text"
        raise SettingsError("--config", str(path), f"name a readable YAML file ({reason})") from None
    return parse_settings(text, name=str(path), base=path.parent)


def parse_settings(text: str, *, name: str, base: Path) -> Settings:
    """The settings in `text`; relative paths in it start at `base`, `name` is used in errors."""
    raw = _yaml(text, name)
    try:
        return Settings.model_validate({"store": {}} | raw, context={"base": base})
    except ValidationError as wrong:
        raise SettingsFaults(tuple(explain(error, name) for error in wrong.errors(include_url=False))) from None


def parse_section(section: type[SomeSection], values: Mapping[str, Any], *, name: str) -> SomeSection:
    """One section from values of the command line; `name` is the option that gave them."""
    try:
        return section.model_validate(values)
    except ValidationError as wrong:
        error = wrong.errors(include_url=False)[0]
        raise SettingsError(name, _short(error["input"]), _fix(error)) from None


class _OneOfEachKey(yaml.SafeLoader):
    """YAML in which a key that stands twice in one mapping is a fault, not silently the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key.value!r} stands twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def _yaml(text: str, name: str) -> dict[str, Any]:
    try:
        raw = yaml.load(text, Loader=_OneOfEachKey)  # noqa: S506  a SafeLoader underneath
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark else ""
        problem = getattr(fault, "problem", None) or "unreadable"
        raise SettingsError(name, f"{problem}{line}", "write valid YAML there") from None
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise SettingsError(
            name, type(raw).__name__, f"write a mapping of sections: {', '.join(Settings.model_fields)}"
        )
    return raw


def explain(error: ErrorDetails, name: str) -> SettingsError:
    """One fault of pydantic's as one line of ours: where, what stands there, what to write instead."""
    where = f"{name}: {_path(error['loc'])}"
    if error["type"] == "extra_forbidden":
        return _unknown_key(error, where)
    if error["type"] == "missing":
        return SettingsError(where, None, f"add the key {error['loc'][-1]!r}, which is required")
    return SettingsError(where, _short(error.get("ctx", {}).get("value", error["input"])), _fix(error))


def _unknown_key(error: ErrorDetails, where: str) -> SettingsError:
    key = str(error["loc"][-1])
    known = list(_fields_at(error["loc"][:-1]))
    near = get_close_matches(key, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return SettingsError(where, key, f"{hint}known here: {', '.join(known)}")


# What to write instead, by pydantic's kind of error; braces are filled from the error's context.
_FIXES: Mapping[str, str] = {
    "bool_parsing": "give true or false",
    "bool_type": "give true or false",
    "date_from_datetime_parsing": "give a day as YYYY-MM-DD",
    "date_type": "give a day as YYYY-MM-DD",
    "dict_type": "write a section of keys there",
    "enum": "give {expected}",
    "finite_number": "give a finite number",
    "float_parsing": "give a number",
    "float_type": "give a number",
    "frozen_set_type": "give a list",
    "greater_than": "give a number greater than {gt:.12g}",
    "greater_than_equal": "give a number of at least {ge:.12g}",
    "int_from_float": "give a whole number",
    "int_parsing": "give a whole number",
    "int_type": "give a whole number",
    "less_than": "give a number less than {lt:.12g}",
    "less_than_equal": "give a number of at most {le:.12g}",
    "literal_error": "give {expected}",
    "model_type": "write a section of keys there",
    "path_type": "give a path",
    "string_too_short": "give some text",
    "string_type": "give text",
    "too_short": "give at least {min_length}",
    "tuple_type": "give a list, each entry beginning with '- '",
    "value_error": "{error}",
}


def _fix(error: ErrorDetails) -> str:
    """What to write instead, in words."""
    advice = _FIXES.get(error["type"])
    return error["msg"] if advice is None else advice.format_map(error.get("ctx", {}))


def _short(value: object) -> object:
    """A value that fits on a line; a long one is told by its kind."""
    return value if len(repr(value)) <= 80 else f"a {type(value).__name__} of {len(repr(value))} characters"


def _path(loc: tuple[str | int, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).removeprefix(".")


def _fields_at(loc: tuple[str | int, ...]) -> Iterator[str]:
    """Names of the fields that the section at `loc` knows."""
    section: Any = Settings
    for part in loc:
        section = next(_models(section if isinstance(part, int) else section.model_fields[part].annotation))
    yield from section.model_fields


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The settings sections inside a field's annotation (`A | None`, `tuple[A, ...]`)."""
    if get_origin(annotation) in (Union, types.UnionType, tuple):
        for inner in get_args(annotation):
            yield from _models(inner)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
