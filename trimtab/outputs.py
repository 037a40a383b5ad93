"""Files that a command is told to write: none may be one that it reads, or one that another option writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from domain.errors import SettingsError

if TYPE_CHECKING:
    from trimtab.settings import Settings

PICTURES = (".png", ".svg", ".pdf")
SQLITE = "sqlite:///"


def refuse_to_overwrite(outputs: Mapping[str, Path | None], inputs: Mapping[str, Path]) -> None:
    """SettingsError where an output (option to file, None where it is not given) would replace an input or another output.

    `inputs` has each file under what names it, an option or a key of the settings. Links are followed; a
    folder is no file to write.
    """
    taken = dict(inputs)
    for option, out in outputs.items():
        if out is None:
            continue
        if out.is_dir():
            raise SettingsError(option, str(out), "name a file; a folder stands there")
        for name, file in taken.items():
            if _same(out, file):
                doing = "writes" if name in outputs else "reads"
                raise SettingsError(option, str(out), f"name another file: {name} {doing} that one")
        taken[option] = out


def need_pictures(outputs: Mapping[str, Path | None]) -> None:
    """SettingsError for a file whose suffix is that of no picture."""
    for option, out in outputs.items():
        if out is not None and out.suffix.lower() not in PICTURES:
            raise SettingsError(option, str(out), f"end the name in {', '.join(PICTURES)}")


def files_of(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Every file that the settings name, each under its key."""
    for name, file in settings.history.files.items():
        yield f"history.files.{name}", file
    if settings.prices.file is not None:
        yield "prices.file", settings.prices.file
    for name, file in settings.prices.availability.items():
        yield f"prices.availability.{name}", file
    if settings.store.url.startswith(SQLITE):
        yield "store.url", Path(settings.store.url.removeprefix(SQLITE))


def _same(one: Path, other: Path) -> bool:
    """Whether both lead to one file, which need not be there yet."""
    if one.exists() and other.exists():
        return one.samefile(other)
    return one.resolve() == other.resolve()
