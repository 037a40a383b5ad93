"""The reference pages as the code says them: docs/cli.md from the commands, docs/settings.md from the models."""

from __future__ import annotations

import types
from collections.abc import Iterator
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from trimtab.cli.app import EPILOG, app
from trimtab.settings import Settings

ORDER = (
    "demo",
    "recommend",
    "serve",
    "replay",
    "backtest",
    "render",
    "report",
    "doctor",
    "explain",
    "prices show",
    "prices check",
    "prices import",
)

CLI_HEAD = """# Command line

`trimtab COMMAND --help` says the same. Results go to stdout, progress and faults to stderr; a fault is one line that
names the thing and the way to mend it. {epilog}

    trimtab recommend --config examples/trimtab.yaml             # every command runs on the bundled recorded history
    trimtab doctor --prometheus http://127.0.0.1:9090            # whether what it knows is sound, before anything is believed
    trimtab recommend --prometheus http://127.0.0.1:9090         # one look at what a Prometheus knows
    trimtab recommend --history load.csv --capacity 4            # one look at recorded load
    trimtab replay --trace examples/traces/azfn_bd33.csv.gz --capacity 4 --chart replay.png
    trimtab serve --config trimtab.yaml                          # scheduler, API and web page

Trace files are CSV (gzip allowed) with the columns `timestamp` (ISO 8601, UTC) and `requests`, and if it is known
`replicas`. A missing row is a step of which nothing is known.
"""

SETTINGS_HEAD = """# Settings

A YAML file, `--config FILE`. Unknown keys are refused with the nearest known name, and everything that is wrong is told
at once. Regions, accelerators and offers that have no price in the [price book](prices.md) or in `prices.file` are warned of: what rests on
their prices is unknown. Relative paths begin at the folder of the file. `examples/trimtab.yaml` is a whole working one.

What can only be a slip of the unit is refused too: a start-up, a latency or a time-out of over a day, a validity of over a
year, over ten years of history, a forecast of over 62 days, over a million replicas.

Either `prometheus.url` or `history.files` says where the load is read; with both, the files win. A recording is decided
on as if its end were now. Whatever a workload leaves out is taken from `defaults`, section by section; the sections `slo`, `resources` and
`bounds` of a workload have the keys of those of `defaults`.
"""


def cli_markdown() -> str:
    """docs/cli.md."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    parts = [CLI_HEAD.format(epilog=EPILOG)]
    for name in ORDER:
        group, _, inner = name.partition(" ")
        command = commands[group].commands[inner] if inner else commands[group]
        parts.append(f"\n## `trimtab {name}`\n\n{_prose(command.help)}\n")
        rows = [row for param in command.params if (row := _param_row(param))]
        if rows:
            parts.append("\n| option | meaning | default |\n|---|---|---|\n" + "".join(rows))
    return "".join(parts)


def _prose(text: str) -> str:
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n"))


def _param_row(param: Any) -> str | None:
    if param.name == "help":
        return None
    option = param.param_type_name == "option"
    shown = ", ".join(param.opts) if option else (param.metavar or param.name.upper())
    if option and param.metavar:
        shown += f" {param.metavar}"
    kind = param.type_descriptor.annotation
    if isinstance(kind, type) and issubclass(kind, Enum):
        shown += " " + "|".join(str(choice.value) for choice in kind)
    shown = shown.replace("|", "\\|")
    return f"| `{shown}` | {param.help} | {_default(param)} |\n"


def _default(param: Any) -> str:
    if param.required:
        return "required"
    if isinstance(getattr(param, "show_default", None), str):
        return str(param.show_default)
    value = getattr(param.default, "value", param.default)
    return "" if value in (None, False, []) else f"`{value}`"


def settings_markdown() -> str:
    """docs/settings.md."""
    return SETTINGS_HEAD + "".join(_section("", Settings))


def _section(path: str, model: type[BaseModel]) -> Iterator[str]:
    title = f"`{path}`" if path else "The whole"
    yield f"\n## {title}\n\n{_prose(model.__doc__ or '')}\n\n| key | meaning | type | default |\n|---|---|---|---|\n"
    for name, field in model.model_fields.items():
        yield f"| `{name}` | {field.description} | {_type(field.annotation)} | {_field_default(field)} |\n"
    for name, field in model.model_fields.items():
        inner = next(_models(field.annotation), None)
        if inner is not None and not (path == "workloads[]" and inner.__name__ != "TargetSettings"):
            many = "[]" if get_origin(field.annotation) is tuple else ""
            yield from _section(f"{path}.{name}{many}".removeprefix("."), inner)


def _field_default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, BaseModel) or value in (None, {}, ()):
        return ""
    if isinstance(value, frozenset):
        return "all"
    return f"`{', '.join(map(str, value)) if isinstance(value, tuple) else value}`"


def _type(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin is Literal:
        return " or ".join(map(str, get_args(annotation)))
    if origin in (Union, types.UnionType) or hasattr(annotation, "__metadata__"):
        return _type(next(part for part in get_args(annotation) if part is not type(None)))
    if origin in (tuple, frozenset):
        return f"list of {_type(get_args(annotation)[0])}"
    if origin is dict:
        return "mapping"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "section"
    names = {
        "str": "text",
        "float": "number",
        "int": "whole number",
        "bool": "true or false",
        "Path": "path",
        "ServingMode": "mode",
        "date": "day",
    }
    return names[annotation.__name__]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
