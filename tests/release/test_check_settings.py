"""What lies in a release for the student's own check: it finds answers as the grading does."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat

from grader.api.checking import find_public_suite
from grader.intake.answers import AnswerPosition, find_answers
from grader.intake.notebook import read_notebook
from grader.release.bundle import release
from grader.release.check_settings import SETTING_NAME, read_setting
from grader.release.questions import given_cells
from tests.helpers.assignments import make_assignment


def released(tmp_path: Path) -> Path:
    assignment = make_assignment(tmp_path / "course")
    return release(assignment, tmp_path / "released").folder


def test_a_release_tells_the_cells_that_were_given_and_no_solution(tmp_path: Path) -> None:
    folder = released(tmp_path)
    setting = read_setting(folder)
    assert setting is not None
    assert setting.by_hand == ("q3",)
    notebook = nbformat.read(folder / "warm-up.ipynb", as_version=4)
    assert [cell.source for cell in setting.cells] == [cell.source for cell in notebook.cells]
    assert "shifted" not in (folder / SETTING_NAME).read_text()


def test_check_finds_an_answer_whose_marker_is_gone_as_the_grading_does(tmp_path: Path) -> None:
    folder = released(tmp_path)
    path = folder / "warm-up.ipynb"
    notebook = nbformat.read(path, as_version=4)
    cells = given_cells(make_assignment(tmp_path / "again"))
    place = next(i for i, c in enumerate(notebook.cells) if "Answer q3" in c.source)
    for written, found in (
        (notebook.cells[place].source, AnswerPosition.UNTOUCHED),
        ("## Because\n\nexp(1000) overflows.", AnswerPosition.MARKED),
    ):
        notebook.cells[place].source = written
        nbformat.write(notebook, path)
        read = read_notebook(path.read_bytes(), name=path.name)
        suite = find_public_suite(path, None)
        answers = find_answers(read, given=suite.cells, asked=suite.by_hand)
        assert answers.places["q3"].place is found
        assert "q3" not in find_answers(read).texts  # without the cells that were given
        graded = find_answers(read, given=cells, asked=["q3"])
        assert answers == graded


def test_in_the_course_the_cells_are_made_of_the_reference(tmp_path: Path) -> None:
    assignment = make_assignment(tmp_path / "course")
    path = assignment.course_root / "warm-up.ipynb"
    path.write_text(json.dumps({"cells": [], "nbformat": 4, "metadata": {}}))
    suite = find_public_suite(path, "warm-up")
    assert suite.cells == given_cells(assignment) and suite.by_hand == ("q3",)


def test_a_release_of_an_earlier_version_has_no_cells_and_is_read(tmp_path: Path) -> None:
    folder = released(tmp_path)
    setting = json.loads((folder / SETTING_NAME).read_text())
    del setting["cells"], setting["by_hand"]
    (folder / SETTING_NAME).write_text(json.dumps(setting))
    suite = find_public_suite(folder / "warm-up.ipynb", None)
    assert (suite.cells, suite.by_hand) == ((), ())
