"""What of the released notebook is whose question, and what the reference answers there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader.course.directory import Assignment
from grader.release.contents import released_contents
from grader.release.questions import given_cells, model_answers
from tests.helpers.assignments import make_assignment


@pytest.fixture
def warm_up(tmp_path: Path) -> Assignment:
    return make_assignment(tmp_path)


def test_given_cells_are_those_of_the_released_notebook(warm_up: Assignment) -> None:
    released = json.loads(released_contents(warm_up)[f"{warm_up.name}.ipynb"])
    given = given_cells(warm_up)
    assert [(c.id, c.source) for c in given] == [
        (c["id"], "".join(c["source"])) for c in released["cells"]
    ]
    [answer] = [c for c in given if c.answers]
    assert (answer.answers, answer.question, answer.asked) == ("q3", "q3", True)
    assert {c.question for c in given} == {"", "q1", "q2", "q3"}


def test_the_model_answer_is_the_reference_s_and_nothing_of_it_is_released(
    warm_up: Assignment,
) -> None:
    models = model_answers(warm_up)
    assert set(models) == {"q1", "q2", "q3"}
    assert "overflows" in models["q3"] and "SOLUTION" not in models["q3"]
    assert models["q1"].startswith("```python\n")
    everything = b"".join(released_contents(warm_up).values()).decode("utf-8", "replace")
    assert models["q3"] not in everything
