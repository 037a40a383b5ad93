"""Artifacts are written whole, only if changed, and all or none."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from domain.artifact import Artifact
from domain.errors import SettingsError
from trimtab.files import write_artifacts, write_text


def art(path: str, text: str) -> Artifact:
    return Artifact(path=PurePosixPath(path), text=text)


def everything(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_new_files_are_written_with_their_folders(tmp_path: Path) -> None:
    written = write_artifacts(tmp_path / "out", [art("a.yml", "a\n"), art("deep/er/b.yml", "b: ü\r\n")])
    assert (tmp_path / "out/deep/er/b.yml").read_bytes() == "b: ü\r\n".encode()
    assert len(written.changed) == 2
    assert (tmp_path / "out/a.yml").stat().st_mode & 0o777 == 0o644


def test_a_file_with_the_same_text_is_left_alone(tmp_path: Path) -> None:
    write_artifacts(tmp_path, [art("a", "same"), art("b", "old")])
    before = (tmp_path / "a").stat()
    written = write_artifacts(tmp_path, [art("a", "same"), art("b", "new")])
    after = (tmp_path / "a").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert (written.unchanged, written.changed) == ((tmp_path / "a",), (tmp_path / "b",))
    assert everything(tmp_path) == {"a": "same", "b": "new"}


def test_when_one_file_can_not_be_written_none_is(tmp_path: Path) -> None:
    write_artifacts(tmp_path, [art("a", "old")])
    (tmp_path / "b").mkdir()
    with pytest.raises(SettingsError, match="nothing was changed"):
        write_artifacts(tmp_path, [art("a", "new"), art("b", "a folder stands here")])
    assert everything(tmp_path) == {"a": "old"}


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(SettingsError, match="out"):
        write_artifacts(tmp_path / "out", [art("a", "x")])
    with pytest.raises(SettingsError, match="name one that can be written"):
        write_text(tmp_path / "out" / "x.csv", "x")
