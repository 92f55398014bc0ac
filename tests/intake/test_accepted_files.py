"""What is handed in beside a notebook: taken where it is asked for, else named."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from grader.course.spec import HandInRules
from grader.intake.accepted_files import AcceptedFiles, beside_on_disk, hash_with, hashes
from grader.intake.class_archives import CollectConfig
from grader.intake.collect import collect
from grader.intake.collected import Collected
from grader.intake.content import Content, held
from grader.intake.stored import load_stored
from grader.intake.submission import Submission
from grader.intake.submission_store import store

NOTEBOOK = json.dumps(
    {
        "cells": [
            {"cell_type": "code", "source": "import my_utils", "metadata": {}, "outputs": []}
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
)
PYTHON = AcceptedFiles(HandInRules(files=("*.py", "fig*.png"), max_mb=1))


def folder_of(root: Path, **files: str) -> Path:
    for name, text in {"hw_ipynb": NOTEBOOK, **files}.items():
        path = root / "class/ada" / name.replace("__", "/").replace("_ipynb", ".ipynb")
        path = path.with_name(path.name.replace("_py", ".py"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root / "class"


def taken_in(source: Path, beside: AcceptedFiles) -> Collected:
    return collect([source], assignment="hw", config=CollectConfig(beside=beside))


def only(collected: Collected) -> Submission:
    [submission] = collected.submissions
    return submission


def test_what_is_not_asked_for_is_named_to_student_and_class(tmp_path: Path) -> None:
    found = taken_in(folder_of(tmp_path, my_utils_py="x = 1"), AcceptedFiles())
    submission = only(found)
    said = "`my_utils.py` was handed in with the notebook but not requested, and not used."
    assert (submission.files, submission.unused) == ((), ("my_utils.py",))
    assert submission.notes == (said,)
    assert found.warnings == (f"ada: {said}",)


def test_what_is_asked_for_is_taken_and_part_of_the_hash(tmp_path: Path) -> None:
    one = only(taken_in(folder_of(tmp_path / "1", my_utils_py="x = 1"), PYTHON))
    two = only(taken_in(folder_of(tmp_path / "2", my_utils_py="x = 2"), PYTHON))
    alone = only(taken_in(folder_of(tmp_path / "3"), PYTHON))
    assert one.read_files() == {"my_utils.py": b"x = 1"}
    assert one.notes == ()
    assert len({one.sha256, two.sha256, alone.sha256}) == 3
    assert alone.sha256 == alone.content.sha256


def test_paths_are_those_from_the_notebook_also_out_of_an_archive(tmp_path: Path) -> None:
    archive = tmp_path / "class.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for student in ("ada", "bob"):
            packed.writestr(f"{student}/work/hw.ipynb", NOTEBOOK)
            packed.writestr(f"{student}/work/nets/mlp.py", student)
            packed.writestr(f"{student}/other.py", "elsewhere")
    ada, bob = taken_in(archive, PYTHON).submissions
    assert ada.read_files() == {"nets/mlp.py": b"ada"}
    assert bob.read_files() == {"nets/mlp.py": b"bob"}
    assert "`ada/other.py`" in ada.notes[0] and "not used" in ada.notes[0]


def test_it_is_stored_with_the_notebook_and_comes_back(tmp_path: Path) -> None:
    collected = taken_in(folder_of(tmp_path, my_utils_py="x = 1"), PYTHON)
    [folder] = store(collected, tmp_path / "kept").folders
    assert (folder / "files/my_utils.py").read_text() == "x = 1"
    [again], _ = load_stored(tmp_path / "kept/hw")
    assert again.read_files() == {"my_utils.py": b"x = 1"}
    assert again.sha256 == only(collected).sha256
    assert store(collected, tmp_path / "kept").folders == (folder,)


def test_another_file_beside_the_same_notebook_is_another_try(tmp_path: Path) -> None:
    for text in ("x = 1", "x = 2"):
        store(taken_in(folder_of(tmp_path, my_utils_py=text), PYTHON), tmp_path / "kept")
    assert len(load_stored(tmp_path / "kept/hw")[0]) == 2


def test_a_stored_file_that_was_changed_afterwards_is_found_out(tmp_path: Path) -> None:
    collected = taken_in(folder_of(tmp_path, my_utils_py="x = 1"), PYTHON)
    [folder] = store(collected, tmp_path / "kept").folders
    (folder / "files/my_utils.py").write_text("x = 3")
    [again], _ = load_stored(tmp_path / "kept/hw")
    assert "my_utils.py is not the one that was recorded" in again.problem


def test_what_is_stored_and_no_longer_asked_for_is_left_out(tmp_path: Path) -> None:
    store(taken_in(folder_of(tmp_path, my_utils_py="x = 1"), PYTHON), tmp_path / "kept")
    submission = only(taken_in(tmp_path / "kept", AcceptedFiles()))
    assert submission.files == () and "not requested" in submission.notes[0]


def sorted_out(beside: AcceptedFiles, **found: Content) -> tuple[list[str], str]:
    taken = beside.of({n.replace("_py", ".py"): c for n, c in found.items()}, {})
    return [name for name, _ in taken.files], " ".join(taken.notes)


def test_a_file_of_the_course_is_never_replaced() -> None:
    course = hashes({"helper_functions.py": b"course"})
    beside = AcceptedFiles(HandInRules(files=("*.py",)), course)
    names, said = sorted_out(beside, helper_functions_py=held(b"mine"))
    assert names == [] and "the course's file: its own is used" in said
    assert sorted_out(beside, Helper_Functions_py=held(b"mine"))[0] == []
    assert sorted_out(beside, helper_functions_py=held(b"course")) == ([], "")


@pytest.mark.parametrize(
    "name",
    [
        "../up.py",
        "/etc/cron.py",
        "a/../../b.py",
        "C:x.py",
        "back\\slash.py",
        ".hidden.py",
        "a//b.py",
    ],
)
def test_no_name_leads_out_of_the_notebooks_folder(name: str) -> None:
    taken = PYTHON.of({name: held(b"")}, {})
    assert taken.files == () and "not taken" in taken.notes[0]


@pytest.mark.parametrize("name", ["data/x.py", "tests/test_x.py", "tests/conftest.py"])
def test_data_and_tests_of_a_release_are_not_replaced(name: str) -> None:
    assert PYTHON.of({name: held(b"")}, {}).files == ()


def test_files_that_take_each_others_place_are_not_both_taken() -> None:
    found = {"a.py": held(b"1"), "a.py/b.py": held(b"2"), "A.PY": held(b"3"), "A.py": held(b"4")}
    taken = PYTHON.of(dict.fromkeys(found, held(b"")), {})
    assert len(taken.files) == 1
    assert any("another file has its place" in note for note in taken.notes)


def test_a_file_takes_no_place_of_a_file_of_the_course_nor_of_a_folder_of_its() -> None:
    course = hashes({"given.py": b"", "nets.py/mlp.py": b""})
    beside = AcceptedFiles(HandInRules(files=("*.py",)), course)
    taken = beside.of({"given.py/x.py": held(b""), "nets.py": held(b""), "x.py": held(b"")}, {})
    assert [name for name, _ in taken.files] == ["x.py"]
    assert [note.count("another file has its place") for note in taken.notes] == [1, 1]


def test_more_than_may_be_handed_in_is_not_taken() -> None:
    big = held(b"x" * (700 << 10))
    names, said = sorted_out(PYTHON, a_py=big, b_py=big, c_py=held(b""))
    assert names == ["a.py", "c.py"] and "larger than 1 MB together" in said
    many = PYTHON.of({f"m{i:03}.py": held(b"") for i in range(150)}, {})
    assert len(many.files) == 100


def test_a_link_is_not_followed_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("key")
    source = folder_of(tmp_path, x_py="")
    (source / "ada/my_utils.py").symlink_to(tmp_path / "secret")
    submission = only(taken_in(source, PYTHON))
    assert submission.read_files() == {"x.py": b""}
    assert "leads out of the folder" in " ".join(submission.notes)
    assert beside_on_disk(source / "ada/hw.ipynb", PYTHON).notes


def test_a_zip_with_names_that_climb_gives_nothing(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as packed:
        packed.writestr("hw.ipynb", NOTEBOOK)
        packed.writestr("../../my_utils.py", "x = 1")
    (tmp_path / "class").mkdir()
    (tmp_path / "class/ada.zip").write_bytes(inner.getvalue())
    assert only(taken_in(tmp_path / "class", PYTHON)).files == ()


def test_no_two_sets_of_files_have_one_hash() -> None:
    assert hash_with("n", []) == "n"
    assert hash_with("n", [("a", "1")]) != hash_with("n", [("a1", "")])
    assert hash_with("n", [("a", "1"), ("b", "2")]) == hash_with("n", [("b", "2"), ("a", "1")])
