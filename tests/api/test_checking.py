"""A student's own check: which tests are run, and on which notebook."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from grader.api import check, release
from grader.api.checking import find_public_suite, notebooks_to_check
from grader.course.directory import Course
from grader.errors import UsageError
from tests.helpers.assignments import make_assignment
from tests.helpers.two_notebooks import NAME, make_two_notebooks, solved


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """What a student has: the release, and no course round it."""
    make_two_notebooks(tmp_path / "course")
    bundle = release(Course(tmp_path / "course"), NAME)
    return Path(shutil.copytree(bundle.folder, tmp_path / "student" / NAME))


def test_the_tests_of_a_release_are_those_beside_the_notebook(released: Path) -> None:
    """The notebook says which assignment it is; no course directory is needed for that."""
    suite = find_public_suite(released / "backprop.ipynb", None, says=NAME)
    assert suite.folder == released / "tests"
    assert [n.name for n in suite.spec.notebooks] == ["backprop", "attention"]


def test_the_tests_of_a_course_are_found_from_the_working_directory_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notebook from elsewhere is named its assignment; the course around it comes first."""
    assignment = make_assignment(tmp_path / "course")
    other = make_assignment(tmp_path / "other")
    elsewhere = tmp_path / "downloads" / "solved.ipynb"
    elsewhere.parent.mkdir()
    monkeypatch.chdir(elsewhere.parent)
    with pytest.raises(UsageError, match="no public tests belong to this notebook"):
        find_public_suite(elsewhere, "warm-up")
    monkeypatch.chdir(assignment.folder)
    assert find_public_suite(elsewhere, "warm-up").folder == assignment.public_dir
    assert find_public_suite(elsewhere, None, says="warm-up").folder == assignment.public_dir
    inside = other.course_root / "solved.ipynb"
    assert find_public_suite(inside, "warm-up").folder == other.public_dir
    with pytest.raises(UsageError, match="no public tests belong to this notebook"):
        find_public_suite(elsewhere, None)


@pytest.mark.local_box
def test_one_of_several_notebooks_is_checked_by_its_own_tests(
    released: Path, tmp_path: Path
) -> None:
    right = solved(make_two_notebooks(tmp_path / "course"))
    (released / "renamed.ipynb").write_text(json.dumps(right["attention"]))
    found = check(released / "renamed.ipynb")
    assert [(r.name, str(r.outcome)) for r in found.results] == [("test_shape", "passed")]


def test_a_folder_is_checked_notebook_by_notebook_and_what_is_missing_is_said(
    released: Path,
) -> None:
    found = notebooks_to_check(released)
    assert found.paths == {n: released / f"{n}.ipynb" for n in ("backprop", "attention")}
    assert found.notes == ()
    (released / "attention.ipynb").unlink()
    (released / "scratch.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4}')
    missing = notebooks_to_check(released)
    assert list(missing.paths) == ["backprop"]
    assert "attention.ipynb was not handed in: q3 and q4 are in it." in missing.notes
    assert any("scratch.ipynb" in note for note in missing.notes)


def test_what_is_none_of_the_notebooks_is_not_checked(released: Path) -> None:
    scratch = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (released / "scratch.ipynb").write_text(json.dumps(scratch))
    with pytest.raises(UsageError, match="not one of the assignment's notebooks"):
        check(released / "scratch.ipynb")
