"""What commands share: options with one meaning, and durations as people write them."""

from __future__ import annotations

import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from domain.errors import SettingsError

if TYPE_CHECKING:
    from trimtab.settings import Settings

Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Settings file (see docs/settings.md).", show_default=False),
]
OutFolder = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write to; it is made if need be.")]

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def say(text: str) -> None:
    """A line for the person who waits, on stderr: stdout is for the result alone."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def load_settings(config: Path | None) -> Settings:
    """The settings of the file, or the defaults."""
    from trimtab.settings_file import parse_settings, read_settings  # noqa: PLC0415

    return parse_settings("", name="defaults", base=Path()) if config is None else read_settings(config)


def need_settings(config: Path | None) -> Settings:
    """The settings of a command that cannot do without a file."""
    if config is None:
        raise SettingsError("--config", None, "name a settings file, such as examples/trimtab.yaml")
    return load_settings(config)


def duration(option: str, text: str) -> timedelta:
    """`90s`, `10m`, `24h`, `7d`; SettingsError for anything else, and for nothing at all."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text.strip())
    value = timedelta(**{UNITS[match[2]]: float(match[1])}) if match else timedelta(0)
    if value <= timedelta(0):
        raise SettingsError(option, text, "give a duration such as 90s, 10m, 24h or 7d")
    return value
