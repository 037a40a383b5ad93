"""Artifacts are written whole, only if changed, and all or none."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from domain.artifact import Artifact
from domain.errors import SettingsError
from trimtab.files import write_artifacts, write_file


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
        write_file(tmp_path / "out" / "x.csv", "x", option="--out")


def test_our_own_files_that_are_no_longer_wanted_go_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "theirs.yml").write_text("theirs")
    write_artifacts(tmp_path, [art("a.yml", "a"), art("deep/b.yml", "b")], clean=True)
    write_artifacts(tmp_path, [art("a.yml", "a")], clean=True)
    assert everything(tmp_path).keys() == {"a.yml", "theirs.yml", ".trimtab-files"}
    write_artifacts(tmp_path, [], clean=True)
    assert everything(tmp_path).keys() == {"theirs.yml", ".trimtab-files"}


def test_folders_that_our_files_leave_empty_go_with_them_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "out/theirs").mkdir(parents=True)
    write_artifacts(
        tmp_path / "out",
        [art("a/b/c.yml", "c"), art("a/d/e.yml", "e"), art("f/g.yml", "g")],
        clean=True,
    )
    (tmp_path / "out/f/mine.yml").write_text("theirs")
    write_artifacts(tmp_path / "out", [art("a/d/e.yml", "e")], clean=True)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_dir()}
    assert left == {"out", "out/a", "out/a/d", "out/f", "out/theirs"}
    write_artifacts(tmp_path / "out", [], clean=True)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"f", "theirs", ".trimtab-files"}


def test_a_fault_while_cleaning_forgets_none_of_our_files_and_claims_none_of_others(tmp_path: Path) -> None:
    write_artifacts(tmp_path, [art("a.yml", "a")], clean=True)
    (tmp_path / "theirs.yml").write_text("theirs")
    (tmp_path / "in-the-way").mkdir()
    with pytest.raises(SettingsError):
        write_artifacts(tmp_path, [art("theirs.yml", "ours"), art("in-the-way", "b")], clean=True)
    assert everything(tmp_path)["a.yml"] == "a"
    write_artifacts(tmp_path, [], clean=True)
    assert everything(tmp_path).keys() == {"theirs.yml", ".trimtab-files"}


def test_a_list_that_leads_out_of_the_folder_removes_nothing_there(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("kept")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/.trimtab-files").write_text(f"../precious\n{tmp_path / 'precious'}\n")
    write_artifacts(tmp_path / "out", [art("a.yml", "a")], clean=True)
    assert (tmp_path / "precious").read_text() == "kept"
