"""Writes artifacts so that a reader sees the old file or the new one, never half of one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import NamedTemporaryFile

from domain.artifact import Artifact
from domain.errors import SettingsError

LISTING = ".trimtab-files"
LISTING_HEAD = "# Files that Trimtab wrote here, and removes when it no longer renders them."


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Which files were given new text, and which had it already (those are left untouched)."""

    changed: tuple[Path, ...]
    unchanged: tuple[Path, ...]


def write_artifacts(
    folder: Path, artifacts: Iterable[Artifact], *, clean: bool = False, option: str = "folder"
) -> Written:
    """Bring `folder` to these texts: all of them are staged beside their places first, then moved in.

    With `clean` the folder keeps a list of the files written there, and those of the list that are no
    longer wanted are removed, with the folders that this leaves empty; no other file is ever touched.

    A fault while staging (a full disk, a folder that may not be written) leaves every file as it
    was; it is raised as SettingsError of `option`, for the folder was the user's choice.
    """
    wanted = {folder / artifact.path: artifact.text for artifact in artifacts}
    changed = [path for path, text in wanted.items() if _text_of(path) != text]
    try:
        if clean:
            _replace_and_clean(folder, wanted, changed)
        else:
            _replace_all([(path, wanted[path]) for path in changed])
    except OSError as fault:
        where = fault.filename or str(folder)
        raise SettingsError(
            option, str(folder), f"name one that can be written ({where}: {fault.strerror}); nothing was changed"
        ) from None
    return Written(changed=tuple(changed), unchanged=tuple(path for path in wanted if path not in set(changed)))


def _replace_and_clean(folder: Path, wanted: Mapping[Path, str], changed: Sequence[Path]) -> None:
    """Files, list and removals in an order in which a run that breaks off forgets none of our files.

    The list names a new file before it is written, and every file until it is removed. One that stood
    there before is ours only once our text is in it.
    """
    listing = folder / LISTING
    ours = _listed(folder)
    names = {path.relative_to(folder).as_posix() for path in wanted}
    _keep_listing(listing, ours | {name for name in names if not (folder / name).exists()})
    _replace_all([(path, wanted[path]) for path in changed])
    for name in sorted(ours - names):
        (folder / name).unlink(missing_ok=True)
        _drop_empty(folder, PurePosixPath(name).parent)
    _keep_listing(listing, names)


def _drop_empty(folder: Path, inner: PurePosixPath) -> None:
    """Folders within `folder`, from `inner` up, that the last of our files has left empty."""
    while inner.parts and (folder / inner).is_dir() and not any((folder / inner).iterdir()):
        (folder / inner).rmdir()
        inner = inner.parent


def _listed(folder: Path) -> set[str]:
    """Files that we wrote, as the list has them; a name that leads out of the folder is none of ours."""
    lines = (_text_of(folder / LISTING) or "").splitlines()
    base = folder.resolve()
    names = {line for line in lines if line and not line.startswith("#")}
    return {name for name in names if (base / name).parent.resolve().is_relative_to(base)}


def _keep_listing(listing: Path, names: set[str]) -> None:
    text = "".join(f"{line}\n" for line in (LISTING_HEAD, *sorted(names)))
    if _text_of(listing) != text and (names or listing.exists()):
        _replace_all([(listing, text)])


def write_file(path: Path, content: str | bytes, *, option: str) -> None:
    """One file, whole or not at all; SettingsError that names `option` if it cannot be written."""
    try:
        _replace_all([(path, content)])
    except OSError as fault:
        raise SettingsError(option, str(path), f"name one that can be written ({fault.strerror})") from None


def _text_of(path: Path) -> str | None:
    """What stands in the file, None if there is none or it is no text."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _replace_all(contents: Sequence[tuple[Path, str | bytes]]) -> None:
    staged: list[tuple[Path, Path]] = []
    try:
        for path, content in contents:
            staged.append((_stage(path, content), path))
        while staged:
            temporary, path = staged[0]
            temporary.replace(path)
            staged.pop(0)
    finally:
        for temporary, _ in staged:
            temporary.unlink(missing_ok=True)


def _stage(path: Path, content: str | bytes) -> Path:
    """The content on disk under a temporary name in the same folder, so that moving it is atomic."""
    if path.is_dir():
        raise IsADirectoryError(21, "a folder stands there", str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        temporary = Path(file.name)
        try:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
            temporary.chmod(0o644)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
    return temporary
