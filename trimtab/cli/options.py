"""What commands share: options with one meaning, and durations as people write them."""

from __future__ import annotations

import math
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

SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
MOST_DOLLARS = 1_000_000
RATE = "number of requests/s"
LONGEST = timedelta(days=3660)  # ten years: more than any history, and near enough for every date


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
    """`90s`, `10m`, `24h`, `7d`, at most `LONGEST`; SettingsError for anything else, and for nothing at all."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text.strip())
    seconds = float(match[1]) * SECONDS[match[2]] if match else 0.0
    if not 0 < seconds <= LONGEST.total_seconds():
        raise SettingsError(option, text, f"give a duration such as 90s, 10m, 24h or 7d, at most {LONGEST.days}d")
    return timedelta(seconds=seconds)


def span(option: str, value: float, unit: timedelta, *, most: timedelta) -> timedelta:
    """`value` times `unit`, which is 0 to `most`; SettingsError for anything else, NaN included."""
    longest = most / unit
    if not 0 <= value <= longest:
        raise SettingsError(option, value, f"give a number from 0 to {longest:g}")
    return value * unit


def positive(option: str, value: float, what: str) -> float:
    """SettingsError unless it is a finite number above 0; `what` says of what."""
    if not 0 < value < math.inf:
        raise SettingsError(option, value, f"give a positive {what}")
    return value


def dollars(option: str, value: float, *, least: float) -> float:
    """SettingsError for an amount that can only be a slip: under `least`, or over a million."""
    if not least <= value <= MOST_DOLLARS:
        raise SettingsError(option, value, f"give an amount from {least:g} to {MOST_DOLLARS:,}")
    return value
