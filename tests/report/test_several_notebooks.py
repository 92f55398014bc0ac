"""Several notebooks on one page: each under its name, with cells numbered as in its own file."""

from __future__ import annotations

import json
from decimal import Decimal

from grader.course.spec import AssignmentSpec, Notebook, Question
from grader.gradebook.standings import class_marks
from grader.intake.answers import AnswerPart, AnswerPlace, AnswerPosition
from grader.report.overview import findings
from grader.report.places import cells_of_tests
from grader.report.rendered_notebook import view_answer, view_notebook
from grader.sandbox.executed import places_of_cells
from grader.suite.results import TestOutcome, TestResult
from tests.helpers.notebooks import code, markdown
from tests.helpers.verdicts import graded

SPEC = AssignmentSpec(
    title="Two",
    points=Decimal(2),
    questions=tuple(Question(id=q, title=q, points=Decimal(1)) for q in ("q1", "q2")),
    notebooks=(
        Notebook(name="first", questions=("q1",)),
        Notebook(name="second", questions=("q2",)),
    ),
)
DOCUMENT = {
    "cells": [
        markdown("# First"),
        code("def forward(x): return x"),
        markdown("# Second"),
        code("import torch"),
        code("def forward(q): return q"),
    ],
    "metadata": {
        "grader": {"notebooks": [{"name": "first", "cells": 2}, {"name": "second", "cells": 3}]}
    },
    "nbformat": 4,
    "nbformat_minor": 5,
}
EXECUTED = json.dumps(DOCUMENT).encode()


def missed(name: str, question: str, traceback: str = "") -> TestResult:
    return TestResult(
        name=name,
        question=question,
        points=Decimal(0),
        max_points=Decimal(1),
        outcome=TestOutcome.FAILED,
        traceback=traceback,
    )


def test_cells_have_the_numbers_of_their_own_notebook() -> None:
    view = view_notebook(EXECUTED)
    assert [cell.label for cell in view.cells] == [1, 2, 1, 2, 3]
    assert [cell.number for cell in view.cells] == [1, 2, 3, 4, 5]
    assert [cell.begins for cell in view.cells] == ["first.ipynb", "", "second.ipynb", "", ""]
    assert places_of_cells(DOCUMENT)[-1] == "cell 3 of second.ipynb"


def test_a_test_is_led_to_the_cell_of_its_own_notebook() -> None:
    view = view_notebook(EXECUTED)
    tests = [
        missed("test_forward", "q1"),
        missed("test_forward_again", "q2"),
        missed("test_raises", "q2", "cell 2, line 1"),
    ]
    assert cells_of_tests(tests, view, SPEC) == {
        "test_forward": 2,
        "test_forward_again": 5,
        "test_raises": 4,
    }


def test_an_answer_has_the_number_of_its_own_notebook() -> None:
    place = AnswerPlace(place=AnswerPosition.MARKED, pieces=(AnswerPart(cell=4, begin=0, end=24),))
    (cell,) = view_answer(EXECUTED, place).cells
    assert (cell.number, cell.label) == (5, 3)


def test_metadata_that_tell_nothing_are_one_notebook() -> None:
    for told in (None, {}, {"notebooks": 3}, {"notebooks": [{"name": "x"}]}):
        document = json.dumps({**DOCUMENT, "metadata": {"grader": told}}).encode()
        view = view_notebook(document)
        assert [cell.label for cell in view.cells] == [1, 2, 3, 4, 5]
        assert view.part("").cells == 5


def test_who_left_a_notebook_out_and_who_ran_out_of_time_is_told() -> None:
    missing = SPEC.notebooks[1].absence
    verdicts = [
        graded("ada"),
        graded("bob", notes=(missing,)),
        graded("cem", notes=("first.ipynb: cell 4 ran longer than 20 s and was stopped",)),
    ]
    told = {
        one.kind: one
        for one in findings(verdicts, spec=SPEC, standings={}, marks=class_marks(verdicts, {}, {}))
    }
    assert told["missing_notebook"].text == "1 submission without second.ipynb"
    assert told["missing_notebook"].students == ("bob",)
    assert told["time_limit"].students == ("cem",)
