"""Files and folders that are replaced whole, or stay as they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.storage import replace_folder, write_atomically


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "marks.csv"
    path.write_bytes(b"old")
    write_atomically(path, b"new", mode=0o600)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_in_its_place_is_replaced_and_not_followed(tmp_path: Path) -> None:
    elsewhere, path = tmp_path / "elsewhere", tmp_path / "page.html"
    elsewhere.write_bytes(b"kept")
    path.symlink_to(elsewhere)
    write_atomically(path, b"new")
    assert elsewhere.read_bytes() == b"kept" and not path.is_symlink()


def test_a_file_that_cannot_be_written_stays_as_it_was(tmp_path: Path) -> None:
    taken = tmp_path / "folder"
    (taken / "inner").mkdir(parents=True)
    with pytest.raises(OSError):
        write_atomically(taken, b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


def test_a_folder_comes_back_when_its_successor_is_not_there(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "a.html").write_text("old")
    with pytest.raises(OSError):
        replace_folder(tmp_path / "missing", folder, old=tmp_path / "old")
    assert (folder / "a.html").read_text() == "old"
