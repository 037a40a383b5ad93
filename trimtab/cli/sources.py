"""Which source a command reads once: that of the settings, or one named on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from domain.errors import SettingsError
from trimtab.cli.options import load_settings

if TYPE_CHECKING:
    from trimtab.settings import Settings

Files = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[FILE]...", help="More history files, after --history.", show_default=False),
]
PrometheusUrl = Annotated[
    str | None, typer.Option("--prometheus", metavar="URL", help="Prometheus to ask.", show_default=False)
]
History = Annotated[
    list[Path] | None,
    typer.Option("--history", metavar="FILE", help="Recorded history in place of Prometheus.", show_default=False),
]


def settings_of(config: Path | None, prometheus: str | None, files: list[Path], capacity: float | None) -> Settings:
    """The settings under what the command line says; a scan of its own choosing is kept nowhere."""
    if prometheus and files:
        raise SettingsError("--history", str(files[0]), "give either --prometheus or --history")
    settings = load_settings(config)
    from trimtab.overrides import chosen  # noqa: PLC0415

    return chosen(settings, prometheus=prometheus, files=files, capacity=capacity, keep=config is not None)
