"""`grader gradescope-bundle`: where the zip goes, and what is said about it."""

from __future__ import annotations

import zipfile
from pathlib import Path

from grader.course.directory import Assignment
from tests.cli.conftest import Grader


def test_the_zip_is_written_where_it_is_wanted(
    warm_up: Assignment, grader: Grader, tmp_path: Path
) -> None:
    target = tmp_path / "autograder.zip"
    done = grader("gradescope-bundle", "warm-up", "-o", target)
    assert (done.code, done.out.strip()) == (0, str(target)), done.err
    assert "publish it nowhere" in done.err
    assert {"setup.sh", "run_autograder"} <= set(zipfile.ZipFile(target).namelist())


def test_without_a_place_it_is_named_as_the_assignment(warm_up: Assignment, grader: Grader) -> None:
    assert grader("gradescope-bundle", "warm-up").out.strip() == "warm-up-autograder.zip"
    assert Path("warm-up-autograder.zip").is_file()


def test_an_assignment_that_is_not_there_is_a_wrong_call(
    warm_up: Assignment, grader: Grader
) -> None:
    done = grader("gradescope-bundle", "warm-upp")
    assert done.code == 2
    assert "warm-up" in done.err
