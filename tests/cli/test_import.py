"""`grader import`: what it says, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Grader, in_process_of_its_own
from tests.conversion import otter_course
from tests.conversion.nbgrader_course import notebook, solution
from tests.conversion.nbgrader_course import test as graded

F = solution("def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION", "f")


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "course"
    for folder in ("assignments", "reference"):
        (root / folder).mkdir(parents=True)
    monkeypatch.chdir(root)
    return root


def write(path: Path, *cells: dict[str, object]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook(list(cells))))
    return path


def test_an_import_says_what_was_written_and_what_comes_next(course: Path, grader: Grader) -> None:
    source = write(course.parent / "ps1" / "ps1.ipynb", F, graded("assert f(1) == 1", "t", 2))
    done = grader("import", "nbgrader", source.parent)
    assert done.code == 0, done.err
    assert done.out.splitlines() == [
        "ps1: 1 tests, 2 points",
        f"  {course / 'assignments' / 'ps1'}",
        f"  {course / 'reference' / 'ps1.py'}",
        "Next: grader validate ps1",
    ]


def test_what_could_not_be_turned_is_listed_and_is_no_success(course: Path, grader: Grader) -> None:
    test = graded("assert f(1) == 1\nassert 'f' in globals()", "t", 2)
    source = write(course.parent / "hw.ipynb", F, test)
    done = grader("import", "nbgrader", source, "--name", "hw")
    assert done.code == 1
    assert "Could not be converted" in done.out
    assert "hw.ipynb, cell 2, line 2: it looks through the notebook's names" in done.out
    document = grader("import", "nbgrader", source, "--name", "hw2", "--json").json()
    assert document[0]["remarks"][0]["kind"] == "unfinished"


@pytest.mark.local_box
def test_nothing_is_graded_with_a_test_that_could_not_be_turned(
    course: Path, grader: Grader
) -> None:
    tests = [graded("assert 'f' in globals()", "t", 2), graded("assert f(1) == 1", "u", 1)]
    source = write(course.parent / "hw.ipynb", F, *tests)
    assert grader("import", "nbgrader", source).code == 1
    (course / "submissions").mkdir()
    write(course / "submissions" / "ada.ipynb", F)
    done = in_process_of_its_own("grade", "hw", "--sandbox", "local", cwd=course)
    assert done.code == 1
    assert "test_t has no points" in done.err
    assert not (course / "graded").exists()


def test_a_master_notebook_of_otter_is_imported(course: Path, grader: Grader) -> None:
    source = write(course.parent / "descent.ipynb", *otter_course.master_cells())
    done = grader("import", "otter", source)
    assert done.code == 0, done.out
    assert done.out.startswith("descent: 11 tests, 10 points, 4 by hand\n")
    assert grader("import", "otter", source).code == 2


def test_a_folder_without_a_notebook_is_a_wrong_call(course: Path, grader: Grader) -> None:
    (course.parent / "empty").mkdir()
    done = grader("import", "otter", course.parent / "empty")
    assert done.code == 2
    assert "there is no notebook" in done.err
