"""Bytes that are read when they are wanted, and only if they are still the same."""

from __future__ import annotations

import json
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.errors import InfrastructureError
from grader.intake.archive import read_archive
from grader.intake.collect import collect
from grader.intake.content import RefusedFileError, Shelf, held, on_disk
from grader.intake.members import Member

from .archives import NOTEBOOK, make_tar, make_zip

HW = "hw1"
LIMIT = 1000


def test_a_file_is_read_again_each_time_and_gives_what_it_gave(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    path.write_bytes(NOTEBOOK)
    content = on_disk(path, limit=LIMIT)
    assert (content.size, content.read()) == (len(NOTEBOOK), NOTEBOOK)
    assert content.sha256 == held(NOTEBOOK).sha256
    path.write_bytes(b"x")
    path.write_bytes(NOTEBOOK)
    assert content.read() == NOTEBOOK


def remove(path: Path) -> None:
    path.unlink()


def change(path: Path) -> None:
    path.write_bytes(NOTEBOOK.replace(b"x = 1", b"x = 9"))


def grow(path: Path) -> None:
    path.write_bytes(NOTEBOOK * LIMIT)


def replace_by_a_link(path: Path) -> None:
    path.rename(path.with_suffix(".old"))
    path.symlink_to(path.with_suffix(".old"))


def replace_by_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("happens", "how"),
    [
        (remove, "No such file"),
        (change, "does not hold what it held"),
        (grow, "larger than"),
        (replace_by_a_link, "cannot be read"),
        (replace_by_a_pipe, "no regular file"),
    ],
)
def test_a_file_that_is_not_what_it_was_is_an_error_of_ours_that_says_how(
    happens: Callable[[Path], None], how: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.ipynb"
    path.write_bytes(NOTEBOOK)
    content = on_disk(path, limit=LIMIT)
    assert content.read() == NOTEBOOK
    happens(path)
    with pytest.raises(InfrastructureError, match=how) as error:
        content.read("a.ipynb")
    assert error.value.what.startswith("a.ipynb was changed or removed")


def test_a_file_that_is_too_large_at_first_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    path.write_bytes(b"x" * (LIMIT + 1))
    with pytest.raises(RefusedFileError, match="larger"):
        on_disk(path, limit=LIMIT)


def test_what_lies_on_a_shelf_is_found_there_in_any_order() -> None:
    shelf = Shelf()
    texts = [b"", b"one", os.urandom(300_000), b"last"]
    contents = [shelf.put(held(text)) for text in texts]
    assert [c.read() for c in reversed(contents)] == texts[::-1]
    assert shelf.put(held(b"one more")).read() == b"one more"
    assert contents[1].read() == b"one"


def test_a_shelf_that_has_no_room_is_an_error_of_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "nowhere"))
    with pytest.raises(InfrastructureError, match="can't be kept") as error:
        Shelf().put(held(b"x"))
    assert "TMPDIR" in str(error.value)


def notebook_with_a_picture(number: int, size: int) -> bytes:
    output = {"output_type": "display_data", "metadata": {}, "data": {"image/png": "A" * size}}
    cell = {"cell_type": "code", "source": f"x = {number}", "outputs": [output], "metadata": {}}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4}).encode()


@pytest.mark.parametrize("kind", ["folder", "zip", "tgz"])
def test_a_class_is_not_held_in_memory_from_wherever_it_comes(kind: str, tmp_path: Path) -> None:
    size, count = 500_000, 100
    members = [(f"s{i}.ipynb", notebook_with_a_picture(i, size)) for i in range(count)]
    source = tmp_path / f"class.{kind}"
    if kind == "folder":
        source.mkdir()
        for name, data in members:
            (source / name).write_bytes(data)
    else:
        source.write_bytes(make_zip(*members) if kind == "zip" else make_tar(*members, gz=True))
    tracemalloc.start()
    got = collect([source], assignment=HW)
    held_bytes, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(got.submissions) == count
    assert held_bytes < 3 * size
    assert peak_bytes < count * size / 2
    assert sum(len(s.read()) for s in got.submissions) > count * size


def test_an_archive_that_is_gone_meanwhile_is_still_graded_as_it_was_taken_in(
    tmp_path: Path,
) -> None:
    source = tmp_path / "class.zip"
    source.write_bytes(make_zip(("inner/ada.zip", make_zip(("hw1.ipynb", NOTEBOOK)))))
    (submission,) = collect([source], assignment=HW).submissions
    source.unlink()
    assert submission.read() == NOTEBOOK


def test_without_a_shelf_what_an_archive_holds_stays_in_memory(tmp_path: Path) -> None:
    source = tmp_path / "class.zip"
    source.write_bytes(make_zip(("ada.ipynb", NOTEBOOK)))
    (member,) = read_archive(source)
    assert isinstance(member, Member) and member.content is not None
    assert member.content.read() == NOTEBOOK
